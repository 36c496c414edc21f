"""How far a failed run came: the steps on the way to a datastore's catalog, and the one at which it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OK, FAILED, WAITING = "ok", "failed", "waiting"
Way = Sequence[tuple[str, frozenset[str]]]
_SETTINGS = ("Settings", frozenset({"settings.invalid", "secrets.wrong_key", "driver.missing"}))
_READING = (
    "Reading the catalog",
    frozenset({"connection.lost", "statement.timeout", "lock.timeout", "read.disturbed", "connector.unknown"}),
)
_SAVING = ("Comparing and saving", frozenset({"catalog.moved", "internal", "worker.lost"}))
OVER_NETWORK: Way = (
    _SETTINGS,
    ("Name lookup", frozenset({"host.unknown", "host.denied"})),
    ("Port", frozenset({"connection.refused", "connection.timeout", "host.unreachable", "server.foreign"})),
    ("TLS", frozenset({"tls.failed"})),
    ("Sign-in", frozenset({"sign_in.failed", "connection.too_many", "server.unavailable"})),
    ("Database", frozenset({"database.unknown", "version.unsupported"})),
    ("Rights on the catalog", frozenset({"permission.missing"})),
    _READING,
    _SAVING,
)
TO_A_FILE: Way = (
    _SETTINGS,
    ("File", frozenset({"host.denied", "file.unreadable", "database.unknown"})),
    _READING,
    _SAVING,
)
IN_SETTINGS = frozenset(
    {"host.unknown", "host.denied", "tls.failed", "sign_in.failed", "database.unknown", "settings.invalid"}
)


@dataclass(frozen=True, slots=True)
class Stage:
    """A step as ``parts/step.html`` shows it."""

    name: str
    state: str
    detail: str = ""
    seconds: float | None = None
    error: None = None


def stages(code: str, outcome: Mapping[str, Any], *, network: bool) -> Sequence[Stage]:
    """The recorded steps if there are any, else what the code of the failure tells; nothing if it tells nothing."""
    recorded = outcome.get("steps")
    if recorded:
        return [_recorded(step) for step in recorded]
    way = OVER_NETWORK if network else TO_A_FILE
    at = next((place for place, (_, codes) in enumerate(way) if code in codes), None)
    if at is None:
        return []
    return [Stage(name, _state(place - at)) for place, (name, _) in enumerate(way)]


def _state(distance: int) -> str:
    if distance == 0:
        return FAILED
    return OK if distance < 0 else WAITING


def _recorded(step: Mapping[str, Any]) -> Stage:
    return Stage(str(step["name"]), str(step["state"]), str(step.get("detail") or ""), step.get("seconds"))


def advice(outcome: Mapping[str, Any]) -> str:
    """What a failure means for the catalog, and whether waiting can help."""
    if outcome.get("permanent"):
        return "Nothing in the catalog changed. Trying again cannot help until a person mends it, so we do not."
    return "Nothing in the catalog changed. It was tried as often as that can help; the schedule tries again."


def mends_in_settings(code: str) -> bool:
    """Whether the datastore's own settings are where a person would mend this."""
    return code in IN_SETTINGS
