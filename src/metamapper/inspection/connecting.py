"""Connecting a datastore: registered, on a schedule, its first run due at once, all or nothing. And the way back."""

import time
from collections.abc import Sequence

from django.db import transaction

from metamapper.accounts.models import User
from metamapper.connectors.base import EngineSettings
from metamapper.connectors.tunnel.values import Hop
from metamapper.datastores.models import Datastore
from metamapper.datastores.services import create_datastore, delete_datastore
from metamapper.runs.models import Trigger
from metamapper.runs.services import hold_still, request_run, set_schedule
from metamapper.workspaces.models import Workspace

PAUSE_SECONDS = 0.1


def connect(
    workspace: Workspace,
    *,
    name: str,
    engine: str,
    settings: EngineSettings,
    user: User | None,
    interval_seconds: int = 3600,
    include_schemas: str = "",
    include_tables: str = "",
    hops: Sequence[Hop] = (),
    tested: bool = False,
) -> Datastore:
    """A new datastore that is looked at from now on; raises what ``create_datastore`` does."""
    with transaction.atomic():
        datastore = create_datastore(
            workspace,
            name=name,
            engine=engine,
            settings=settings,
            user=user,
            interval_seconds=interval_seconds,
            include_schemas=include_schemas,
            include_tables=include_tables,
            hops=hops,
            tested=tested,
        )
        set_schedule(datastore, interval_seconds=interval_seconds, user=user)
        request_run(datastore, trigger=Trigger.INITIAL, user=user)
    return datastore


class StillWritten(Exception):
    """Somebody is writing about the datastore, and did not end in time."""

    def __init__(self, datastore: Datastore) -> None:
        super().__init__(f"An inspection is writing what it found in {datastore.name}. Try again in a minute.")


def disconnect(datastore: Datastore, *, patience: float = 20) -> None:
    """Forget a datastore and all that was known and written about it. Nothing in the datastore itself is touched.

    Whoever writes about it at this moment is waited for, ``patience`` seconds at most: then it raises ``StillWritten`` and
    nothing is forgotten. A run that still reads it finds nothing to write to.
    """
    until = time.monotonic() + patience
    while not _forgotten(datastore):
        if time.monotonic() > until:
            raise StillWritten(datastore)
        time.sleep(PAUSE_SECONDS)


@transaction.atomic
def _forgotten(datastore: Datastore) -> bool:
    """Delete it, unless one of its runs is about to write: it takes its locks in another order, so we step back."""
    if not Datastore.objects.select_for_update().filter(pk=datastore.pk).exists():
        return True
    if not hold_still(datastore.pk):
        return False
    delete_datastore(datastore)
    return True
