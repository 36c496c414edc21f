"""Where a snapshot comes from: a database that is read now, or a file that was saved."""

from pathlib import Path

import msgspec

from metamapper.cli.ssh import as_known_here, own_tunnel
from metamapper.cli.telling import progress, told, warn
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


def read(url: str, within: ScopeFilter, ssh: str = "", ssh_key: Path | None = None) -> Snapshot:
    """Read a database, through SSH hosts if any are named, with a progress bar; what could not be seen is said on standard error."""
    from metamapper.connectors.reading import read_snapshot

    label = masked(url)
    with told(label), as_known_here():
        engine, settings = from_url(url)
        tunnel = own_tunnel(ssh, ssh_key)
        with progress(f"Reading {label}") as report:
            snapshot = read_snapshot(engine, settings, within, report, tunnel=tunnel)
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
