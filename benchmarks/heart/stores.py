"""Datastores by the thousand, that are due when the benchmark says so."""

from datetime import timedelta
from typing import Any


def workspace(name: str) -> Any:
    from metamapper.workspaces.models import Workspace

    return Workspace.objects.create(name=name, slug=name)


def datastores(owner: Any, count: int, *, due: bool = True) -> list[Any]:
    """``count`` datastores with schedules; those that are due are due since a second."""
    from metamapper.datastores.models import Datastore
    from metamapper.runs.clock import metastore_now
    from metamapper.runs.models import Schedule

    names = [f"{owner.slug}-{number}" for number in range(count)]
    made = Datastore.objects.bulk_create(
        Datastore(workspace=owner, name=each, slug=each, engine="postgresql", public_settings={"host": f"{each}.test"})
        for each in names
    )
    now = metastore_now()
    Schedule.objects.bulk_create(
        Schedule(
            datastore=each,
            interval_seconds=3600,
            created_slot=now - timedelta(hours=2),
            next_due_at=now - timedelta(seconds=1) if due else None,
            enabled=due,
        )
        for each in made
    )
    return list(made)
