"""Registering, changing and removing datastores. Secrets are sealed before they are stored and never read for a page."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from metamapper.accounts.models import User
from metamapper.connectors.base import Connector, Engine, EngineSettings, Step
from metamapper.connectors.diagnosis import steps_of
from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.registry import engine as engine_named
from metamapper.connectors.scope import Patterns, ScopeFilter
from metamapper.connectors.settings import in_words, secret_fields
from metamapper.connectors.tunnel.connector import SignedIn, connect
from metamapper.connectors.tunnel.values import Hop, Tunnel
from metamapper.datastores.address import UNSURE, address_of
from metamapper.datastores.models import Datastore
from metamapper.datastores.preview import Preview, Tally
from metamapper.datastores.reach import reach
from metamapper.datastores.refusal import refusal
from metamapper.datastores.tunnels import as_stored, ensure_key, hops_of, note_sign_ins, still_signed_in, tunnel_for
from metamapper.datastores.vault import vault
from metamapper.lib.crypto import WrongKey
from metamapper.workspaces.models import Workspace

INTERVALS: Mapping[int, str] = {
    900: "15 minutes",
    1800: "30 minutes",
    3600: "Hour",
    7200: "2 hours",
    10800: "3 hours",
    21600: "6 hours",
    43200: "12 hours",
    86400: "24 hours",
}
"""How often a datastore may be looked at, in seconds."""
PREVIEW_TIME = timedelta(seconds=10)
RESERVED = frozenset({"connect", "example"})
SLUG_LENGTH = 60


class NameTaken(Exception):
    """Another datastore of the workspace has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Another datastore is called “{name}” already.")


class IntervalUnknown(ValueError):
    def __init__(self, seconds: int) -> None:
        super().__init__(f"{seconds} s is none of the intervals: {', '.join(map(str, INTERVALS))}.")


def create_datastore(
    workspace: Workspace,
    *,
    name: str,
    engine: str,
    settings: EngineSettings,
    user: User | None,
    interval_seconds: int,
    include_schemas: str = "",
    include_tables: str = "",
    hops: Sequence[Hop] = (),
    tested: bool,
    is_example: bool = False,
) -> Datastore:
    """Register a datastore; raises ``NameTaken``, ``IntervalUnknown``, ``DriverMissing`` for an unknown engine.

    ``interval_seconds`` is checked here and kept by its schedule, which the caller makes, as it does the first run.
    """
    check_interval(interval_seconds)
    engine_named(engine)
    public, sealed = _split(settings)
    if hops:
        ensure_key(workspace, user)
    datastore = Datastore(
        workspace=workspace,
        name=name,
        slug=_free_slug(workspace, name),
        engine=engine,
        public_settings=public,
        sealed_secrets=sealed,
        include_schemas=include_schemas,
        include_tables=include_tables,
        hops=as_stored(hops),
        is_example=is_example,
        tested_at=timezone.now() if tested else None,
        created_by=user,
    )
    return _saved(datastore)


@transaction.atomic
def update_datastore(
    datastore: Datastore,
    *,
    name: str,
    settings: EngineSettings,
    include_schemas: str,
    include_tables: str,
    hops: Sequence[Hop] = (),
    tested: bool,
) -> Datastore:
    """Change everything but the engine; its address stays. Raises ``NameTaken``.

    What a probe proved under other settings or another scope proves nothing any more, nor do native ids after a move:
    ``ids_from`` stays what it was, and the next look sees that. A wider scope may show again what was hidden since
    before a move. What runs note about their looks
    is left to them: one may have ended since ``datastore`` was read.
    """
    written = ["name", "public_settings", "sealed_secrets", "include_schemas", "include_tables"]
    public, sealed = _split(settings)
    moved = settings != _present(datastore) or as_stored(hops) != datastore.hops
    if moved or (include_schemas, include_tables) != (datastore.include_schemas, datastore.include_tables):
        datastore.probe_token = ""
        written.append("probe_token")
        rescoped = (include_schemas, include_tables) != (datastore.include_schemas, datastore.include_tables)
        if (datastore.read_at and not datastore.ids_from) or (rescoped and datastore.ids_since):
            datastore.ids_from = UNSURE if datastore.ids_since else address_of(datastore)
            written.append("ids_from")
    if moved or tested:
        datastore.tested_at = timezone.now() if tested else None
        written.append("tested_at")
    if as_stored(hops) != datastore.hops:
        datastore.signed_in_with, datastore.hops = still_signed_in(datastore, hops), as_stored(hops)
        written += ["hops", "signed_in_with"]
    datastore.name = name
    datastore.public_settings, datastore.sealed_secrets = public, sealed
    datastore.include_schemas, datastore.include_tables = include_schemas, include_tables
    return _saved(datastore, written)


def delete_datastore(datastore: Datastore) -> None:
    """Forget a datastore and all that was known and written about it. Nothing in the datastore itself is touched."""
    datastore.delete()


def settings_of(datastore: Datastore) -> EngineSettings:
    """Its settings with the secrets opened; raises ``WrongKey``, ``DriverMissing``, ``msgspec.ValidationError``."""
    secrets = vault().open(bytes(datastore.sealed_secrets)) if datastore.sealed_secrets else {}
    return msgspec.convert(datastore.public_settings | secrets, engine_named(datastore.engine).settings)


def _present(datastore: Datastore) -> EngineSettings | None:
    """Its settings, or None where they cannot be opened: then whatever is given is new."""
    try:
        return settings_of(datastore)
    except (WrongKey, msgspec.ValidationError):
        return None


def scope_of(datastore: Datastore) -> ScopeFilter:
    return ScopeFilter(Patterns.parse(datastore.include_schemas), Patterns.parse(datastore.include_tables))


def check_interval(seconds: int) -> None:
    if seconds not in INTERVALS:
        raise IntervalUnknown(seconds)


def connector_of(datastore: Datastore) -> Connector:
    """Ready to open its datastore, within the administrator's reach; raises what ``settings_of`` does."""
    tunnel = tunnel_for(datastore.workspace_id, hops_of(datastore))
    return connector(
        engine_named(datastore.engine), settings_of(datastore), tunnel, on_sign_in=note_sign_ins(datastore)
    )


def connector(
    engine: Engine, settings: EngineSettings, tunnel: Tunnel | None = None, *, on_sign_in: SignedIn | None = None
) -> Connector:
    """Ready to open what these settings name, within the administrator's reach; never the metastore."""
    refused = refusal(settings, from_here=tunnel is None)
    return refused or connect(engine, settings, reach(), tunnel, on_sign_in=on_sign_in)


def test(
    engine: Engine,
    settings: EngineSettings,
    tunnel: Tunnel | None = None,  # noqa: PT028 - no test but of connections
    *,
    on_sign_in: SignedIn | None = None,  # noqa: PT028 - likewise
) -> Iterator[Step]:
    """The connection test, step by step; a driver that is not installed is the first that fails."""
    return steps_of(partial(connector, engine, settings, tunnel, on_sign_in=on_sign_in))


def test_stored(datastore: Datastore) -> Iterator[Step]:
    """The connection test of a datastore as it is stored; settings that cannot be used are the first step that fails."""
    return steps_of(partial(_connector_of_stored, datastore))


def _connector_of_stored(datastore: Datastore) -> Connector:
    try:
        return connector_of(datastore)
    except WrongKey as error:
        raise SettingsInvalid("The stored credentials cannot be decrypted.", hint=str(error)) from None
    except msgspec.ValidationError as error:
        said = in_words(str(error))
        raise SettingsInvalid(f"The stored settings are not what the engine takes: {said}") from None


def preview(engine: Engine, settings: EngineSettings, within: ScopeFilter, tunnel: Tunnel | None = None) -> Preview:
    """What would be seen and hidden, by schema, counted and listed; raises a ``ConnectorError``.

    Reads for ten seconds at most: a preview is worth no more, and a huge datastore says "at least".
    """
    until = timezone.now() + PREVIEW_TIME
    everything = ScopeFilter()
    tally = Tally(within)
    complete = True
    with connector(engine, settings, tunnel).open() as session:
        scopes, _ = session.scopes(everything)
        for found in session.relations(everything):
            tally.add(found.schema, found.name)
            if timezone.now() > until:
                complete = False
                break
    return tally.preview(scopes, complete=complete)


def _split(settings: EngineSettings) -> tuple[dict[str, Any], bytes]:
    """The settings without their secrets, and the secrets sealed."""
    everything: dict[str, Any] = msgspec.to_builtins(settings)
    secret = secret_fields(type(settings))
    public = {name: value for name, value in everything.items() if name not in secret}
    return public, vault().seal({name: everything[name] for name in secret if everything.get(name)})


def _saved(datastore: Datastore, written: Sequence[str] | None = None) -> Datastore:
    try:
        with transaction.atomic():
            datastore.save(update_fields=written)
    except IntegrityError as error:
        raise NameTaken(datastore.name) from error
    return datastore


def _free_slug(workspace: Workspace, name: str) -> str:
    """An address nobody in the workspace has: the name's, or that with a number."""
    wanted = slugify(name)[: SLUG_LENGTH - 4].strip("-_") or "datastore"
    taken = set(Datastore.objects.filter(workspace=workspace, slug__startswith=wanted).values_list("slug", flat=True))
    taken |= RESERVED
    numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
    return next(slug for slug in (wanted, *numbered) if slug not in taken)
