"""What the ledger's tests share: a clock that moves when told, datastores to inspect, a broker that is a list."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

from metamapper.datastores.models import Datastore
from metamapper.lib.ids import uuid7
from metamapper.runs import clock
from metamapper.runs.models import Run
from metamapper.workspaces.models import Workspace

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_numbers = itertools.count(1)


class Clock:
    """The metastore's clock of a simulation."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @contextmanager
    def running(self) -> Iterator["Clock"]:
        with clock.clock_from(self):
            yield self


class Broker(list[UUID]):
    """Messages in the order in which they came; ``down`` refuses them."""

    down = False

    def publish(self, run_id: UUID) -> None:
        if self.down:
            raise ConnectionRefusedError
        self.append(run_id)

    def drain(self) -> list[UUID]:
        messages = list(self)
        self.clear()
        return messages


def make_workspace(name: str = "") -> Workspace:
    name = name or f"workspace-{next(_numbers)}"
    return Workspace.objects.create(name=name, slug=name)


def make_datastore(workspace: Workspace | None = None, *, host: str = "", identity: UUID | None = None) -> Datastore:
    name = f"datastore-{next(_numbers)}"
    return Datastore.objects.create(
        id=identity or uuid7(),
        workspace=workspace or make_workspace(),
        name=name,
        slug=name,
        engine="postgresql",
        public_settings={"host": host} if host else {},
    )


def fresh(run: Run) -> Run:
    return Run.objects.get(pk=run.pk)
