"""What each kind of broker needs for its messages and its failures to be bounded, by the scheme of its URL."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kombu import Exchange, Queue
from kombu.transport import TRANSPORT_ALIASES

from metamapper.lib.errors import ConfigurationError

VARIABLE = "METAMAPPER_CELERY_BROKER_URL"
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
        raise ConfigurationError(f"{VARIABLE}: there is no kind of broker called “{scheme}”; {hint}")
    _check_numbers(url, scheme)
    if scheme == "pgmq" and find_spec("pgmq") is None:
        raise ConfigurationError(f"{VARIABLE}: pgmq:// needs a package: pip install 'metamapper[pgmq]'")
    return _BY_SCHEME.get(scheme, _plain)(home)


def _check_numbers(url: str, scheme: str) -> None:
    """A typing error in a number would end in a traceback where the first connection is made."""
    parts = urlsplit(url)
    try:
        _ = parts.port
    except ValueError:
        raise ConfigurationError(f"{VARIABLE}: its port is no number from 0 to 65535.") from None
    if scheme in {"redis", "rediss"} and (number := parts.path.strip("/")) and not number.isdecimal():
        raise ConfigurationError(f"{VARIABLE}: Redis counts its databases; “{number}” is no number.")


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
    options = {"confirm_publish": True, "read_timeout": 10, "write_timeout": 10}
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


def is_tested(url: str) -> bool:
    """Whether brokers of this kind are among those that our promises were tried on."""
    return urlsplit(url).scheme.partition("+")[0] in _BY_SCHEME


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
