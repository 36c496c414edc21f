"""The one database that is never a datastore: the metastore itself, which holds everybody's keys and notes."""

import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from django.db import connections

from metamapper.connectors.base import EngineSettings, Session, Step, StepState
from metamapper.connectors.errors import AddressDenied

DEFAULT_PORT = 5432


@dataclass(frozen=True, slots=True)
class Refused:
    """A connector that connects to nothing and says why."""

    error: AddressDenied

    def open(self) -> AbstractContextManager[Session]:
        raise self.error

    def test(self) -> Iterator[Step]:
        yield Step("Database", StepState.FAILED, self.error.detail, error=self.error)


def refusal(settings: EngineSettings, *, from_here: bool = True) -> Refused | None:
    """A refusal where the settings name the metastore, by whatever name or address; None for everything else.

    Not ``from_here`` but through a tunnel, a name is another network's: only its spelling can be compared.
    """
    ours = connections["default"].settings_dict
    same_name = getattr(settings, "database", None) == ours["NAME"]
    same_port = settings.real_port == int(ours["PORT"] or DEFAULT_PORT)
    host = str(getattr(settings, "host", ""))
    if not (same_name and same_port and (_meet(host, ours) if from_here else _is_spelled(host, ours))):
        return None
    detail = "This is the database in which Metamapper keeps its own records; it holds secrets and is no datastore."
    return Refused(AddressDenied(detail, hint="Connect the databases that your data lives in."))


def _is_spelled(host: str, ours: dict[str, Any]) -> bool:
    """Whether this is how we name our own, unless that is a name that every machine has for itself."""
    spelled = _plainly(host)
    return spelled == _plainly(ours["HOST"]) and spelled not in {"", "localhost", "127.0.0.1", "::1"}


def _plainly(host: str) -> str:
    """As a name means: capitals and the dot of the root make no other, nor do other ways to write an address."""
    name = host.strip().casefold().removesuffix(".")
    try:
        return str(ip_address(name.removeprefix("[").removesuffix("]")))
    except ValueError:
        return name


def _meet(host: str, ours: dict[str, Any]) -> bool:
    """Whether two host names lead to one machine, as far as looking them up can tell."""
    return bool(_addresses(host) & _addresses(ours["HOST"] or "localhost"))


def _addresses(host: str) -> set[str]:
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host or "localhost", None)}
    except (OSError, UnicodeError):
        found = {host}
    # One machine answers on both of its loopback addresses, and on its socket.
    return {"loopback" if each.startswith(("127.", "/")) or each == "::1" else each for each in found}
