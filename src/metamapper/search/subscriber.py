"""What search hears of the layers below: built-in subscriptions to the hooks and to deletions."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models.signals import pre_delete

from metamapper.datastores.models import Datastore
from metamapper.plugins import hookimpl, manager
from metamapper.schema import RelationRecord, ScopeRecord
from metamapper.search import services

NAME = "metamapper.search"


class Subscriber:
    @hookimpl
    def catalog_changed(  # noqa: PLR0917 - the hook's own arguments
        self,
        datastore_id: UUID,
        scopes: Sequence[ScopeRecord],
        records: Sequence[RelationRecord],
        retired: Sequence[UUID],
        removed: Sequence[UUID],
        fresh: bool,  # noqa: FBT001 - the hook's own arguments
    ) -> None:
        if fresh:
            services.add(datastore_id, scopes, records)
            return
        schemas, relations = services.owners_of([*retired, *removed])
        services.refresh(
            datastore_id,
            [*(record.id for record in scopes), *schemas],
            [*(record.id for record in records), *relations],
        )

    @hookimpl
    def annotation_changed(self, asset_id: UUID) -> None:
        services.describe(asset_id)


def forget_datastore(instance: Datastore, **_: Any) -> None:
    services.forget(instance.pk)


def subscribe() -> None:
    """Listen from now on; once is enough."""
    if not manager.has_plugin(NAME):
        manager.register(Subscriber(), name=NAME)
    pre_delete.connect(forget_datastore, sender=Datastore, dispatch_uid=NAME)
