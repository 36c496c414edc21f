"""Celery's settings in force: ours, what the broker needs, and over both whatever the administrator's module names."""

import importlib
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from celery.app.defaults import SETTING_KEYS
from kombu import Queue

from metamapper.lib.brokers import broker_settings, folder_url, is_tested
from metamapper.lib.errors import ConfigurationError
from metamapper.lib.masking import MASK, masked

VARIABLE = "METAMAPPER_CELERY_CONFIG_MODULE"
_SECRET = re.compile("pass|secret|token|key_id|credential", re.IGNORECASE)
_PREFIXES = ("celery_", "celeryd_")


def settings_in_force(
    defaults: ModuleType, *, override: str, broker_url: str, home: Path
) -> tuple[dict[str, Any], list[str]]:
    """All settings, and a line for each that is unknown or breaks a promise.

    ``override`` is the administrator's module by name; ``broker_url`` may be blank, which is the embedded broker. Raises
    ``ConfigurationError`` for a module that cannot be imported and for an unknown kind of broker.
    """
    own = named_in(_imported(override)) if override != defaults.__name__ else {}
    url = own.get("broker_url") or broker_url or folder_url()
    first = str(url if isinstance(url, str) else url[0]).partition(";")[0]
    known = {name: value for name, value in own.items() if name in SETTING_KEYS}
    settings = _merged(named_in(defaults), {"broker_url": url}, broker_settings(first, home), known)
    _drop_prefix(settings, named=known.get("broker_transport_options", {}))
    return settings, [*unknown_names(override, own), *broken_promises(settings)]


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise ConfigurationError(
            f"{VARIABLE} names {name}, which cannot be imported: {type(error).__name__}: {error}."
        ) from error


def named_in(module: ModuleType) -> dict[str, Any]:
    """What a settings module sets: its public names that are neither modules, functions nor classes."""
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, ModuleType | FunctionType | type)
    }


def _merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Later layers win; the broker's options are merged one by one, so that naming one keeps the time-outs."""
    settings: dict[str, Any] = {}
    for layer in layers:
        options = settings.get("broker_transport_options", {}) | layer.get("broker_transport_options", {})
        settings |= layer
        if options:
            settings["broker_transport_options"] = options
    return settings


def shown(settings: Mapping[str, Any]) -> dict[str, str]:
    """Each setting in force as text that may be shown, by name: queues by theirs, secrets masked."""
    return {name: _shown(name, value) for name, value in sorted(settings.items())}


def _shown(name: str, value: Any) -> str:
    if _SECRET.search(name) and value:
        return MASK
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_shown(str(key), each)}" for key, each in value.items())
    if isinstance(value, Queue):
        return str(value.name)
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_shown("", each) for each in value)
    return masked(str(value))


def _drop_prefix(settings: Mapping[str, Any], *, named: Mapping[str, Any]) -> None:
    """Queues that the administrator has made bear the names that they were given; our prefix is for those we make."""
    if "predefined_queues" in named and "queue_name_prefix" not in named:
        settings["broker_transport_options"]["queue_name_prefix"] = ""


def unknown_names(module: str, named: Mapping[str, Any]) -> Iterator[str]:
    """Celery ignores a misspelt name without a word; say so, with the nearest that it knows."""
    for name in sorted(set(named) - SETTING_KEYS):
        if nearest := _nearest(name):
            yield f"{VARIABLE}: {module}.{name} is not a Celery setting and does nothing; did you mean {nearest}?"


def _nearest(name: str) -> str | None:
    plain = name.lower()
    for prefix in _PREFIXES:
        plain = plain.removeprefix(prefix)
    candidates = get_close_matches(plain, SETTING_KEYS, n=1, cutoff=0.8)
    return candidates[0] if candidates else None


def broken_promises(settings: Mapping[str, Any]) -> Iterator[str]:
    """Settings under which what Metamapper promises does not hold, and why."""
    if settings.get("task_acks_late"):
        yield "task_acks_late: a long inspection would be delivered twice; the ledger retries by itself. Leave it out."
    if settings.get("beat_scheduler") != "metamapper.runs.beat:LedgerScheduler":
        yield "beat_scheduler: only metamapper.runs.beat:LedgerScheduler turns schedules into runs; nothing will be inspected by itself."
    if set(settings.get("accept_content", ())) - {"json", "application/json"}:
        yield "accept_content: anything but JSON lets whoever reaches the broker run code in the workers."
    if settings.get("worker_pool") not in {"prefork", "processes"}:
        yield "worker_pool: only prefork can stop an inspection that hangs within its driver."
    if "inspections" not in _queue_names(settings.get("task_queues") or ()):
        yield "task_queues: without the queue “inspections” workers consume no inspections unless they are started with -Q inspections."
    elif "default" not in _queue_names(settings.get("task_queues") or ()):
        yield "task_queues: without the queue “default” no mail is sent unless a worker is started with -Q default."
    url = settings["broker_url"]
    first = str(url if isinstance(url, str) else url[0])
    if not is_tested(first):
        kind = first.partition(":")[0]
        yield f"broker_url: {kind} is none of the brokers that Metamapper is tested with; see the page on asynchronous workers."
    yield from _predefined(settings)
    yield from _limits(settings)


def _predefined(settings: Mapping[str, Any]) -> Iterator[str]:
    options = settings.get("broker_transport_options", {})
    if "predefined_queues" not in options:
        return
    prefix = options.get("queue_name_prefix", "")
    for name in sorted(_queue_names(settings.get("task_queues") or ())):
        if f"{prefix}{name}" not in options["predefined_queues"]:
            yield f"broker_transport_options: predefined_queues lacks {prefix}{name}; no worker can start without it."


def _queue_names(queues: Any) -> set[str]:
    return {each if isinstance(each, str) else each.name for each in queues}


def _limits(settings: Mapping[str, Any]) -> Iterator[str]:
    hard = settings.get("task_time_limit")
    visible = settings.get("broker_transport_options", {}).get("visibility_timeout")
    if not hard:
        yield "task_time_limit: without it an inspection that hangs blocks a worker for ever."
    elif (soft := settings.get("task_soft_time_limit")) and soft >= hard:
        yield f"task_soft_time_limit: {soft} is not below task_time_limit {hard}; an inspection would be killed with no time to say why."
    elif visible is not None and visible <= hard:
        yield f"broker_transport_options: visibility_timeout {visible} is not above task_time_limit {hard}; messages would come twice."
