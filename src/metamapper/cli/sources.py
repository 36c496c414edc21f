"""Where a snapshot comes from: a database that is read now, or a file that was saved."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from metamapper.cli.ssh import as_known_here, own_tunnel
from metamapper.cli.telling import Failed, progress, told, warn
from metamapper.connectors.base import Connector, Engine, EngineSettings
from metamapper.connectors.reach import UNRESTRICTED
from metamapper.connectors.registry import from_url, registry
from metamapper.connectors.scope import Patterns, ScopeFilter
from metamapper.lib.masking import masked
from metamapper.schema import Completeness, Snapshot


def is_url(text: str) -> bool:
    """Whether this is a URL: of files also ``sqlite:shop.sqlite3``, relative to where the command runs."""
    schemes = tuple(f"{scheme}:" for engine in registry().engines.values() for scheme in engine.url_schemes)
    return "://" in text or text.startswith(schemes)


def scope_filter(schemas: str, tables: str = "") -> ScopeFilter:
    return ScopeFilter(Patterns.parse(schemas), Patterns.parse(tables))


def load(source: str, within: ScopeFilter, ssh: str = "", ssh_key: Path | None = None) -> Snapshot:
    """The snapshot of a URL or of a saved file; raises ``Failed``."""
    return read(source, within, ssh, ssh_key) if is_url(source) else saved(Path(source), within)


def read(
    url: str, within: ScopeFilter, ssh: str = "", ssh_key: Path | None = None, record: Path | None = None
) -> Snapshot:
    """Read a database, through SSH hosts if any are named, with a progress bar, and record it.

    What could not be seen is said on standard error.
    """
    from metamapper.connectors.reading import snapshot_of
    from metamapper.connectors.tunnel.connector import connect

    label = masked(url)
    with told(label), as_known_here():
        engine, settings = from_url(url)
        tunnel = own_tunnel(ssh, ssh_key)
        connector = connect(engine, settings, UNRESTRICTED, tunnel)
        hosts = [hop.host for hop in tunnel.hops] if tunnel else []
        keeping = _kept(record, engine, settings, within, connector, hosts=hosts)
        with progress(f"Reading {label}") as report, keeping as answering:
            snapshot = snapshot_of(answering, engine, within, report)
    _warn_of_gaps(snapshot)
    return snapshot


@contextmanager
def _kept(
    record: Path | None,
    engine: Engine,
    settings: EngineSettings,
    within: ScopeFilter,
    connector: Connector,
    *,
    hosts: Sequence[str],
) -> Iterator[Connector]:
    """The connector, whose answers are recorded where that is wanted; raises ``Failed`` where they cannot be written."""
    if record is None:
        yield connector
        return
    from metamapper.connectors.recording import NotRecorded, recorded

    said = f"Recorded in {record}. Look at it before you hand it on: tail -n +4 {record} | zcat"
    try:
        with recorded(record, engine, settings, within, connector, hosts=hosts) as recording:
            yield recording
    except NotRecorded as error:
        raise Failed(str(error), hint="Name another file with --record.") from error
    except Exception:
        warn(said)
        raise
    warn(said)


def read_again(path: Path, within: ScopeFilter) -> Snapshot:
    """Inspect from a recording; what failed then fails now."""
    from metamapper.connectors.reading import snapshot_of
    from metamapper.connectors.recording import replayed

    with told(str(path)), progress(f"Replaying {path.name}") as report:
        engine, recording = replayed(path)
        snapshot = snapshot_of(recording, engine, within, report)
    if lack := recording.lacks(within):
        warn(lack)
    _warn_of_gaps(snapshot)
    return snapshot


def saved(path: Path, within: ScopeFilter) -> Snapshot:
    """What `metamapper inspect --format json` wrote, as far as it is in scope."""
    from metamapper.connectors.reading import load_snapshot

    with told("A snapshot"):
        snapshot = load_snapshot(path)
    return msgspec.structs.replace(
        snapshot,
        scopes=tuple(scope for scope in snapshot.scopes if within.allows_schema(scope.name)),
        relations=tuple(
            each
            for each in snapshot.relations
            if within.allows_schema(each.schema) and within.allows_table(each.schema, each.name)
        ),
    )


def _warn_of_gaps(snapshot: Snapshot) -> None:
    if not snapshot.scopes_complete:
        warn("The list of schemas is not complete: the account may not see all of them.")
    for scope in snapshot.scopes:
        if scope.completeness is not Completeness.COMPLETE:
            remedy = f"\n  {scope.remedy}" if scope.remedy else ""
            warn(f"Schema {scope.name} is {scope.completeness}: {scope.reason or 'no reason is known'}{remedy}")
