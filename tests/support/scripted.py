"""An engine that shows whatever a test says, so that every promise can be tried without a server.

``Script`` is what the datastore shows at the moment: a snapshot, a probe's answer, an error to raise after so many
relations. The same script is read by every session, so a test changes it between two inspections.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from urllib.parse import SplitResult

import msgspec

from metamapper.connectors.base import (
    Ability,
    Capability,
    Engine,
    EngineSettings,
    Observation,
    Server,
    Session,
    Statement,
    Step,
    Support,
)
from metamapper.connectors.errors import ConnectorError
from metamapper.connectors.reach import Reach
from metamapper.connectors.scope import ScopeFilter
from metamapper.schema import AssetKind, Relation, Scope, Snapshot


class ScriptedSettings(EngineSettings, frozen=True, kw_only=True):
    script: str = "main"
    host: str = ""
    connect_timeout: int = 10


@dataclass
class Script:
    snapshot: Snapshot
    token: str | None = None
    break_after: int | None = None
    error: ConnectorError | None = None
    on_relation: Callable[[int], None] | None = None
    sessions: int = 0
    reads: int = 0


SCRIPTS: dict[str, Script] = {}


def show(*relations: Relation, scopes: Sequence[Scope] = (), name: str = "main", complete: bool = True) -> Script:
    """Make the scripted datastore of this name show these relations, in schemas that are complete unless given."""
    given = {scope.name for scope in scopes}
    implied = [
        Scope(name=each) for each in dict.fromkeys(relation.schema for relation in relations) if each not in given
    ]
    snapshot = Snapshot(engine="scripted", scopes=(*scopes, *implied), relations=relations, scopes_complete=complete)
    script = SCRIPTS.setdefault(name, Script(snapshot))
    script.snapshot = snapshot
    return script


@dataclass
class ScriptedSession:
    script: Script
    server: Server = field(default_factory=lambda: Server("1.0"))
    statements: list[Statement] = field(default_factory=list)
    cancelled: bool = False

    def probe(self, within: ScopeFilter) -> str | None:
        self.statements.append(Statement("Did anything change?", "PROBE", 0.001, 1))
        return self.script.token

    def scopes(self, within: ScopeFilter) -> tuple[Sequence[Scope], bool]:
        shown = [scope for scope in self.script.snapshot.scopes if within.allows_schema(scope.name)]
        return shown, self.script.snapshot.scopes_complete

    def relations(self, within: ScopeFilter) -> Iterator[Observation]:
        self.script.reads += 1
        self.statements.append(Statement("Relations", "READ", 0.001, len(self.script.snapshot.relations)))
        for number, relation in enumerate(self.script.snapshot.relations):
            if self.script.on_relation is not None:
                self.script.on_relation(number)
            if self.script.break_after == number:
                raise self.script.error or ConnectorError("cut")
            if within.allows_schema(relation.schema) and within.allows_table(relation.schema, relation.name):
                yield observation(relation)

    def decode(self, payload: bytes) -> Relation:
        return msgspec.json.decode(payload, type=Relation)

    def cancel(self) -> None:
        self.cancelled = True


def observation(relation: Relation) -> Observation:
    payload = msgspec.json.encode(msgspec.structs.replace(relation, row_estimate=None, size_bytes=None))
    return Observation(
        schema=relation.schema,
        name=relation.name,
        kind=relation.kind,
        fingerprint=blake2b(payload, digest_size=16).digest(),
        payload=payload,
        native_id=relation.native_id,
        row_estimate=relation.row_estimate,
        size_bytes=relation.size_bytes,
    )


class ScriptedConnector:
    def __init__(self, settings: ScriptedSettings, reach: Reach) -> None:
        self.script = SCRIPTS[settings.script]

    @contextmanager
    def open(self) -> Iterator[Session]:
        self.script.sessions += 1
        if self.script.error is not None and self.script.break_after is None:
            raise self.script.error
        yield ScriptedSession(self.script)

    def test(self) -> Iterator[Step]:
        return iter(())


def _from_url(parts: SplitResult) -> ScriptedSettings:
    return ScriptedSettings(script=parts.netloc or "main")


def scripted(name: str, *stable: AssetKind) -> Engine:
    return Engine(
        name=name,
        title="Scripted",
        mark="Sc",
        blurb="What a test says",
        settings=ScriptedSettings,
        connector="tests.support.scripted:ScriptedConnector",
        url_schemes=(name,),
        settings_from_url=_from_url,
        capabilities=dict.fromkeys(Ability, Capability(Support.YES)),
        stable_ids=frozenset(stable),
    )


STABLE = scripted(
    "scripted", AssetKind.SCHEMA, AssetKind.RELATION, AssetKind.COLUMN, AssetKind.INDEX, AssetKind.CONSTRAINT
)
NAMED = scripted("scripted-named")
