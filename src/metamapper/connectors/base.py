"""What an engine is: facts first, then one small protocol for reading.

A read is streamed. ``Session.relations`` yields one ``Observation`` per relation: its keys, a fingerprint of all that
belongs to it, and the engine's own bytes for it. Only relations whose fingerprint is new are ever decoded, so an
unchanged table costs a comparison and nothing else.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from typing import Any, Protocol
from urllib.parse import SplitResult

from metamapper.connectors.errors import ConnectorError, DriverMissing
from metamapper.connectors.reach import Reach
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.settings import EngineSettings
from metamapper.schema import AssetKind, Relation, RelationKind, Scope

__all__ = [
    "Ability",
    "Capability",
    "Connector",
    "Engine",
    "EngineSettings",
    "Observation",
    "Progress",
    "Server",
    "Session",
    "Statement",
    "Step",
    "StepState",
    "Support",
]


class Support(StrEnum):
    """Why an engine can or cannot tell something."""

    YES = "yes"
    NEVER = "never"  # the engine has no such thing
    NOT_YET = "not yet"  # the engine may get it
    NOT_BUILT = "not built"  # by us


@dataclass(frozen=True, slots=True)
class Capability:
    support: Support
    reason: str = ""

    def __bool__(self) -> bool:
        return self.support is Support.YES


UNSAID = Capability(Support.NOT_BUILT, "The engine says nothing of it.")


class Ability(StrEnum):
    """What the conformance suite asks every engine about."""

    COMMENTS = "comments"
    NOT_NULL = "not null"
    DEFAULTS = "defaults"
    INDEXES = "indexes"
    PRIMARY_KEYS = "primary keys"
    UNIQUE_KEYS = "unique keys"
    FOREIGN_KEYS = "foreign keys"
    CHECK_CONSTRAINTS = "check constraints"
    CONSTRAINT_NAMES = "names of constraints"  # that people gave to keys and checks
    VIEWS = "views"
    VIEW_DEFINITIONS = "view definitions"
    MATERIALIZED_VIEWS = "materialized views"
    SCHEMAS = "schemas"
    PRIVILEGES = "privileges"
    PASSWORDS = "passwords"
    PROBE = "probe"
    ROW_ESTIMATES = "row estimates"
    GENERATED_COLUMNS = "generated columns"
    RENAME_COLUMN = "rename column"
    ALTER_TYPE = "alter type"
    ALTER_COLUMN = "alter column"  # nullability and default
    ADD_CONSTRAINT = "add constraint"  # to a table that exists
    SET_SCHEMA = "move between schemas"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Engine:
    """The facts of one engine. Importing them imports no driver."""

    name: str
    title: str
    mark: str
    blurb: str
    settings: type[EngineSettings]
    connector: str
    """``module:Class``, imported when a connection is made."""
    url_schemes: tuple[str, ...]
    settings_from_url: Callable[[SplitResult], EngineSettings]
    capabilities: Mapping[Ability, Capability]
    stable_ids: frozenset[AssetKind] = frozenset()
    """Kinds whose ``native_id`` the engine keeps through renames."""
    hidden_schemas: tuple[str, ...] = ()
    """Patterns of the engine's own schemas, never read."""
    decoder: str = ""
    """``module:function`` that makes the ``Relation`` of a payload, without a driver. Blank is ``decode`` of the module
    ``payload`` beside the connector's."""

    def __post_init__(self) -> None:
        """An ability of which an engine says nothing is not built: there may be more of them since it was written."""
        object.__setattr__(self, "capabilities", dict.fromkeys(Ability, UNSAID) | dict(self.capabilities))

    def connect(self, settings: EngineSettings, reach: Reach = Reach()) -> "Connector":  # noqa: B008 - it is frozen
        """A connector for these settings, within this reach; raises ``DriverMissing`` with the install hint."""
        module, _, attribute = self.connector.partition(":")
        try:
            factory = getattr(import_module(module), attribute)
        except ImportError as error:
            raise DriverMissing(
                f"{self.title} needs the Python package “{error.name}”.", hint=f"pip install 'metamapper[{self.name}]'"
            ) from error
        connector: Connector = factory(settings, reach)
        return connector

    def decoding(self) -> "Callable[[bytes], Relation]":
        """What a session's ``decode`` does, where there is no session; needs no driver. Raises ``ImportError``."""
        beside = f"{self.connector.partition(':')[0].rpartition('.')[0]}.payload:decode"
        module, _, attribute = (self.decoder or beside).partition(":")
        found: Callable[[bytes], Relation] = getattr(import_module(module), attribute)
        return found


@dataclass(frozen=True, slots=True)
class Observation:
    """One relation as a read saw it, undecoded."""

    schema: str
    name: str
    kind: RelationKind
    fingerprint: bytes
    payload: bytes
    native_id: str | None = None
    row_estimate: int | None = None
    size_bytes: int | None = None


@dataclass(slots=True)
class Statement:
    """A statement that was sent, for the run's page. ``seconds`` and ``rows`` are filled when it ends."""

    label: str
    sql: str
    seconds: float | None = None
    rows: int | None = None


class StepState(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a connection test, in the order they are tried; after a failure the rest are WAITING."""

    name: str
    state: StepState
    detail: str = ""
    seconds: float | None = None
    error: ConnectorError | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a read has come: ``done`` of about ``total`` relations, and the schema being read if one is."""

    done: int
    total: int | None = None
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Server:
    version: str
    details: Mapping[str, Any] = field(default_factory=dict)


class Session(Protocol):
    """An open, read-only session. One thread reads; ``cancel`` may come from another.

    The order of calls is ``probe`` (optional), ``scopes``, ``relations``; ``scopes`` may be asked again at the end and
    then tells the truth of the whole read (a scope that lost a table in mid-read is partial by then).
    """

    server: Server
    expected: int | None
    """About how many relations are in scope, for the progress; known once ``probe`` or ``scopes`` was asked."""

    @property
    def statements(self) -> Sequence[Statement]:
        """What was sent so far."""
        ...

    def probe(self, within: ScopeFilter) -> str | None:
        """A token that is equal to an earlier one only if nothing in scope has changed; None where none is known."""
        ...

    def scopes(self, within: ScopeFilter) -> tuple[Sequence[Scope], bool]:
        """The schemas in scope, and whether the list itself is complete."""
        ...

    def relations(self, within: ScopeFilter) -> Iterator[Observation]:
        """Every relation of every readable scope, in any order, streamed; memory does not grow with their number."""
        ...

    def decode(self, payload: bytes) -> Relation:
        """The relation a payload of this engine describes. Needs no connection and is pure."""
        ...

    def cancel(self) -> None:
        """Stop the statement that runs now, at the server; never raises."""
        ...


class Connector(Protocol):
    def open(self) -> AbstractContextManager[Session]:
        """Connect read-only with every time-out set; raises a ``ConnectorError``."""
        ...

    def test(self) -> Iterable[Step]:
        """The connection test, step by step, as a generator; raises nothing."""
        ...
