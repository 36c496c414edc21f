"""Connecting a datastore: registered, on a schedule, its first run due at once, all or nothing."""

from django.db import transaction

from metamapper.accounts.models import User
from metamapper.connectors.base import EngineSettings
from metamapper.datastores.models import Datastore
from metamapper.datastores.services import create_datastore
from metamapper.runs.models import Trigger
from metamapper.runs.services import request_run, set_schedule
from metamapper.workspaces.models import Workspace


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
            tested=tested,
        )
        set_schedule(datastore, interval_seconds=interval_seconds, user=user)
        request_run(datastore, trigger=Trigger.INITIAL, user=user)
    return datastore
