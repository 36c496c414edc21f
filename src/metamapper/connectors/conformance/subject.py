"""What an engine brings to the suite: how to make a database, how to do things to it, what is known of it."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from metamapper.connectors.base import Engine, EngineSettings
from metamapper.connectors.conformance.operations import Operation
from metamapper.connectors.reach import Reach
from metamapper.schema import AssetKind, TypeFamily


class Source(Protocol):
    """One database, made for one test and gone after it."""

    settings: EngineSettings
    """How the suite reads it: as an account that may read everything."""
    reach: Reach

    def perform(self, *operations: Operation) -> None:
        """Do it as an administrator, at once and for all to see."""
        ...


class GuardedSource(Source, Protocol):
    """Where there are accounts and rights (``Ability.PRIVILEGES``)."""

    reader: EngineSettings
    """An account that may read the catalog of the schema ``main``, owns nothing and may read no row."""

    def revoke(self, schema: str) -> None:
        """Take the reader's right to see a schema away."""
        ...

    def paste(self, remedy: str) -> None:
        """Do what an administrator would: run the statement that an error or a scope offered."""
        ...


class NetworkSource(Source, Protocol):
    """What is reached over a network (``Ability.NETWORK``)."""

    def aimed_at(self, host: str, port: int) -> EngineSettings:
        """The same settings, with another place and time-outs of a second or two."""
        ...

    def cut(self) -> None:
        """End every session of the account that reads, as a server or a firewall would."""
        ...


class Subject(Protocol):
    """The facts of an engine under test."""

    engine: Engine
    schemas: Mapping[str, str]
    """The engine's names for the places ``main`` (there from the start) and ``other`` (made where it is needed)."""
    shown: Mapping[TypeFamily, str]
    """How the engine shows the types of the families that the suite uses."""
    widest: int
    """Columns that a table can have."""
    longest_name: int
    """Bytes that a name can have, in UTF-8."""
    most_statements: int
    """That one read may send, however large the database is."""

    def allows(self, name: str, kind: AssetKind) -> bool:
        """Whether a schema, or a relation and its columns, may have this name at all."""
        ...

    def fresh(self) -> AbstractContextManager[Source]:
        """A new, empty database."""
        ...

    def right_password(self) -> AbstractContextManager[EngineSettings]:
        """Settings of a server that asks for a password, with the right one."""
        ...

    def wrong_passwords(self) -> AbstractContextManager[Sequence[EngineSettings]]:
        """Settings that a server refuses, each with a secret of at least eight characters in it."""
        ...
