"""The SSH hosts in a datastore's form: rows that come and go, each with the key that somebody accepted for its host."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.settings import port_in
from metamapper.connectors.tunnel.values import DEFAULT_PORT, Hop, authorized, bare, fingerprint

MOST = 5
"""Hosts in a chain; the first visit needs one, a strict network two."""


@dataclass(slots=True)
class HopRow:
    """One host as it was typed. ``key`` is pinned; ``shown`` is what the host showed in a test and nobody accepted yet."""

    host: str = ""
    port: str = str(DEFAULT_PORT)
    user: str = ""
    key: str = ""
    shown: str = ""
    error: str = ""
    line: str = ""
    """For the host's ``authorized_keys``."""

    @property
    def is_blank(self) -> bool:
        return not (self.host or self.user)

    @property
    def fingerprint(self) -> str:
        return _fingerprint(self.key)

    @property
    def shown_fingerprint(self) -> str:
        return _fingerprint(self.shown)

    def hop(self) -> Hop:
        """Raises ``SettingsInvalid``."""
        port = port_in(self.port)
        if not port:
            raise SettingsInvalid("SSH port: a whole number from 1 to 65535 is needed.")
        return Hop(self.host, port, self.user, (bare(self.key),) if self.key else ())


def _fingerprint(key: str) -> str:
    try:
        return fingerprint(key) if key else ""
    except SettingsInvalid:
        return ""


def rows_in(sent: Mapping[str, str]) -> list[HopRow]:
    """The rows of a form that was sent."""
    rows = []
    for number in range(MOST):
        if f"hop_{number}_host" not in sent:
            break
        given = {
            name: str(sent.get(f"hop_{number}_{name}", "")).strip() for name in ("host", "port", "user", "key", "shown")
        }
        rows.append(HopRow(**given))
    return rows


def rows_of(hops: Sequence[Hop]) -> list[HopRow]:
    return [HopRow(each.host, str(each.port), each.user, next(iter(each.host_keys), "")) for each in hops]


def changed(rows: Sequence[HopRow], act: str) -> list[HopRow]:
    """The rows after ``add``, ``remove-0``, ``accept-0`` or ``forget-0``; anything else changes nothing."""
    verb, _, which = act.partition("-")
    number = next((place for place in range(MOST) if str(place) == which), -1)
    if verb == "add":
        return [*rows, HopRow(user=rows[-1].user if rows else "")][:MOST]
    if not 0 <= number < len(rows):
        return list(rows)
    row = rows[number]
    if verb == "accept" and row.shown_fingerprint:
        row.key, row.shown = row.shown, ""
    elif verb == "forget":
        row.key = ""
    return [each for each in rows if verb != "remove" or each is not row]


def hops_in(rows: Sequence[HopRow]) -> tuple[Hop, ...]:
    """The hosts that the rows name, blank ones left out; raises ``SettingsInvalid``, which the row then says as well."""
    found = []
    for row in rows:
        if row.is_blank:
            continue
        try:
            found.append(row.hop())
        except SettingsInvalid as error:
            row.error = str(error)
            raise
    return tuple(found)


def address(rows: Sequence[HopRow], public: str, destination: tuple[str, int] | None) -> None:
    """Write at each row the line that lets our key through to what lies behind its host, and nowhere else."""
    beyond: tuple[str, int] | None = destination
    for row in reversed([each for each in rows if each.host]):
        row.line = authorized(public, beyond)
        port = port_in(row.port)
        beyond = (row.host, port) if port else None
