"""A whole read in one call, and snapshots as files: what the command line does, without a server or an account."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from metamapper.connectors.base import Connector, Engine, EngineSettings, Observation, Progress, Session
from metamapper.connectors.errors import FileUnreadable
from metamapper.connectors.reach import UNRESTRICTED, Reach
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.tunnel.connector import connect
from metamapper.connectors.tunnel.values import Tunnel
from metamapper.schema import Relation, Snapshot

EVERY = 100
"""Relations between two reports of progress."""

OnProgress = Callable[[Progress], None]


def read_snapshot(
    engine: Engine,
    settings: EngineSettings,
    within: ScopeFilter = ScopeFilter(),  # noqa: B008 - it is frozen
    on_progress: OnProgress | None = None,
    *,
    reach: Reach = UNRESTRICTED,
    tunnel: Tunnel | None = None,
) -> Snapshot:
    """Everything in scope, decoded, in the order of schemas and names; raises a ``ConnectorError``.

    Holds the whole snapshot in memory. ``reach`` is a person's own: they read with their own account.
    """
    return snapshot_of(connect(engine, settings, reach, tunnel), engine, within, on_progress)


def snapshot_of(
    connector: Connector, engine: Engine, within: ScopeFilter, on_progress: OnProgress | None = None
) -> Snapshot:
    """The same from a connector that is there; raises a ``ConnectorError``."""
    with connector.open() as session:
        session.scopes(within)
        found = [_relation(session, each) for each in _reported(session, within, on_progress)]
        scopes, scopes_complete = session.scopes(within)
        return Snapshot(
            engine=engine.name,
            server_version=session.server.version,
            scopes=tuple(sorted(scopes, key=lambda scope: scope.name)),
            relations=tuple(sorted(found, key=lambda relation: (relation.schema, relation.name))),
            scopes_complete=scopes_complete,
        )


def _reported(session: Session, within: ScopeFilter, on_progress: OnProgress | None) -> Iterator[Observation]:
    done = 0
    for done, observation in enumerate(session.relations(within), start=1):
        yield observation
        if on_progress and done % EVERY == 0:
            on_progress(Progress(done, session.expected, observation.schema))
    if on_progress:
        on_progress(Progress(done, done))


def _relation(session: Session, observation: Observation) -> Relation:
    """The relation with its statistics, which are no part of a payload."""
    return msgspec.structs.replace(
        session.decode(observation.payload),
        row_estimate=observation.row_estimate,
        size_bytes=observation.size_bytes,
    )


def save_snapshot(snapshot: Snapshot, path: Path) -> None:
    """Write a snapshot as JSON, indented for people; raises ``OSError``."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(snapshot), indent=2) + b"\n")


def load_snapshot(path: Path) -> Snapshot:
    """A snapshot that was saved; raises ``FileUnreadable``."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Snapshot)
    except OSError as error:
        raise FileUnreadable(f"{path} cannot be read: {error.strerror}.") from None
    except msgspec.DecodeError as error:
        raise FileUnreadable(
            f"{path} is not a saved snapshot: {error}.", hint="`metamapper inspect URL` makes one."
        ) from None
