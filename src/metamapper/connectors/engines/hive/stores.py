"""What a metastore's database is to a read, whichever server keeps it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from metamapper.connectors.engines.hive.settings import HiveSettings
from metamapper.connectors.engines.hive.statements import Statements
from metamapper.connectors.sql.statements import StatementLog

Row = Sequence[Any]

LOCK_SECONDS = 15
IDLE_SECONDS = 300


class Store(Protocol):
    """An open session that cannot write; its errors are of ours. One thread asks, ``cancel`` may come from another."""

    queries: Statements
    statements: StatementLog
    server: str
    """What it calls itself: ``PostgreSQL 15.13``."""
    account: str
    shows_what_is_closed: bool
    """Whether the server lists tables that the account may not read."""
    sees_one_moment: bool
    """Whether everything is read as it was at one moment."""

    def rows(self, label: str, sql: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What a statement answers, by the names of its columns."""
        ...

    def stream(self, label: str, sql: str, parameters: Mapping[str, Any]) -> Iterator[Row]:
        """The same, row by row as they arrive."""
        ...

    def among(self, values: Iterable[int | str]) -> Any:
        """Values as the dialect's statements take a list."""
        ...

    def cancel(self) -> None:
        """Stop what runs now, at the server, and let nothing else begin; never raises."""
        ...


def shared(settings: HiveSettings) -> dict[str, Any]:
    """The settings that all three kinds of server have, by the names that they have in common."""
    return {
        "host": settings.host,
        "port": settings.real_port,
        "database": settings.database,
        "user": settings.user,
        "password": settings.password,
        "ca_certificate": settings.ca_certificate,
        "connect_timeout": settings.connect_timeout,
        "statement_timeout": settings.statement_timeout,
    }
