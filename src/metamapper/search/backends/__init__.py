"""Where documents are kept: in the metastore itself, each kind in its own way, behind one protocol."""

from functools import cache

from django.db import connection

from metamapper.search.backends.base import Backend
from metamapper.search.backends.postgresql import PostgresqlBackend
from metamapper.search.backends.sqlite import SqliteBackend

__all__ = ["Backend", "backend", "backend_of"]

_BACKENDS: dict[str, type[Backend]] = {"postgresql": PostgresqlBackend, "sqlite": SqliteBackend}


def backend() -> Backend:
    """The backend of the metastore that is configured."""
    return backend_of(connection.vendor)


@cache
def backend_of(vendor: str) -> Backend:
    return _BACKENDS[vendor]()
