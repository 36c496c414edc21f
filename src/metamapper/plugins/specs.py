"""What lower layers tell upper ones. Subscribers run in the caller's transaction unless a hook says otherwise."""

from typing import TYPE_CHECKING
from uuid import UUID

import pluggy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metamapper.schema import RelationRecord, ScopeRecord

PROJECT = "metamapper"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Specs:
    @hookspec
    def catalog_changed(  # noqa: PLR0917 - a hook has the arguments that its subscribers need
        self,
        datastore_id: UUID,
        scopes: "Sequence[ScopeRecord]",
        records: "Sequence[RelationRecord]",
        retired: "Sequence[UUID]",
        removed: "Sequence[UUID]",
        fresh: bool,  # noqa: FBT001 - a hook's arguments are named at every call
    ) -> None:
        """The catalog of one datastore changed, within the transaction that changes it.

        ``scopes`` and ``records`` are the schemas and whole relations as they are now (added, changed, renamed or
        restored); ``retired`` are schemas and relations that were retired whole; ``removed`` are columns, indexes and
        constraints that were retired by themselves. ``fresh`` promises that none of the given assets was known
        before (a first inspection). One inspection may call this several times, once for each batch.
        """

    @hookspec
    def annotation_changed(self, asset_id: UUID) -> None:
        """What people wrote about an asset changed, within the transaction that changes it."""

    @hookspec
    def run_finished(self, run_id: UUID) -> None:
        """A run came to its end, after its transaction committed."""
