"""What each kind of broker needs for its messages and its failures to be bounded, by the scheme of its URL."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kombu import Exchange, Queue
from kombu.transport import TRANSPORT_ALIASES

from metamapper.lib.errors import ConfigurationError

FOLDER = "folder"
TRANSPORT_ALIASES[FOLDER] = "metamapper.lib.folder_broker:Transport"

VISIBILITY_SECONDS = 3600
"""Above the hard time limit, so that no message comes back while its task still runs."""

KNOWN = sorted(scheme for scheme in TRANSPORT_ALIASES if scheme.islower())


def folder_url() -> str:
    """The embedded broker, which needs no server."""
    return f"{FOLDER}://localhost"


def broker_settings(url: str, home: Path) -> dict[str, Any]:
    """Celery settings for this broker, over which the administrator's own win; raises ``ConfigurationError``."""
    scheme = urlsplit(url).scheme.partition("+")[0]
    if scheme not in TRANSPORT_ALIASES:
        nearest = get_close_matches(scheme, KNOWN, n=1)
        hint = f"did you mean {nearest[0]}://?" if nearest else "use redis://, amqp:// or sqs://."
        raise ConfigurationError(f"METAMAPPER_CELERY_BROKER_URL: there is no kind of broker called “{scheme}”; {hint}")
    return _BY_SCHEME.get(scheme, _plain)(home)


def _plain(_home: Path) -> dict[str, Any]:
    return {}


def _redis(_home: Path) -> dict[str, Any]:
    """Time-outs on every socket: without them a half-open connection is never noticed."""
    options = {
        "visibility_timeout": VISIBILITY_SECONDS,
        "unacked_restore_throttle": 1,
        "global_keyprefix": "metamapper:",
        "socket_timeout": 15,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
    return {"broker_transport_options": options}


def _amqp(_home: Path) -> dict[str, Any]:
    """Quorum queues, which survive a broker's node; a publish is confirmed."""
    queues = [
        Queue(name, Exchange(name, type="direct"), routing_key=name, queue_arguments={"x-queue-type": "quorum"})
        for name in ("inspections", "default")
    ]
    options = {"confirm_publish": True, "read_timeout": 20, "write_timeout": 20}
    return {
        "task_queues": queues,
        "task_default_queue_type": "quorum",
        "task_create_missing_queue_type": "quorum",
        "broker_transport_options": options,
    }


def _sqs(_home: Path) -> dict[str, Any]:
    """Long polling; no remote control, which would make a queue for each worker."""
    options = {"visibility_timeout": VISIBILITY_SECONDS, "wait_time_seconds": 20, "queue_name_prefix": "metamapper-"}
    return {"worker_enable_remote_control": False, "broker_transport_options": options}


def _pgmq(_home: Path) -> dict[str, Any]:
    """PostgreSQL's queues (PGMQ), which must be there already; a notification wakes, and nothing is polled in vain."""
    options = {
        "visibility_timeout": VISIBILITY_SECONDS,
        "queue_name_prefix": "metamapper_",
        "init_extension": False,
        "use_notify": True,
        "wait_time_seconds": 0,
        "polling_interval": 5,
        "pool_timeout": 5,
    }
    return {"worker_enable_remote_control": False, "broker_transport_options": options}


def _folder(home: Path) -> dict[str, Any]:
    return {
        "worker_enable_remote_control": False,
        "broker_transport_options": {"folder": str(home / "broker"), "polling_interval": 0.1},
    }


_BY_SCHEME: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    "redis": _redis,
    "rediss": _redis,
    "sentinel": _redis,
    "amqp": _amqp,
    "amqps": _amqp,
    "pyamqp": _amqp,
    "sqs": _sqs,
    "pgmq": _pgmq,
    FOLDER: _folder,
}
