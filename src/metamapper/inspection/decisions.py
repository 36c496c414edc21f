"""What people decide about an inspection's findings: what is held back, what was inferred, what may be one."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from metamapper.accounts.models import User
from metamapper.catalog.models import Hold, Relation
from metamapper.datastores.models import Datastore
from metamapper.history.services import Chronicle
from metamapper.inspection.relations import retire
from metamapper.lib.lookups import AnyOf
from metamapper.runs.services import metastore_now


class AlreadyDecided(Exception):
    """Somebody else, or a run, was quicker."""

    def __init__(self, how: str) -> None:
        super().__init__(f"This was decided in the meantime: {how}.")
        self.how = how


@transaction.atomic
def decide_hold(hold: Hold, *, retire_them: bool, user: User) -> int:
    """Retire what is held back, or keep it until it returns; the number of relations concerned.

    Raises ``AlreadyDecided`` if it does not wait any more.
    """
    Datastore.objects.select_for_update().get(pk=hold.datastore_id)
    hold.refresh_from_db()
    if hold.state not in {Hold.State.PENDING, Hold.State.KEPT}:
        raise AlreadyDecided(hold.get_state_display())
    at = metastore_now()
    waiting = _waiting(hold)
    if retire_them and waiting:
        retire(Chronicle(hold.datastore_id, hold.run_id, at), waiting)
    hold.state = Hold.State.RETIRED if retire_them else Hold.State.KEPT
    hold.decided_at, hold.decided_by_id = at, user.pk
    hold.save(update_fields=["state", "decided_at", "decided_by_id"])
    return len(waiting)


def _waiting(hold: Hold) -> dict[UUID, datetime]:
    """The relations that are still held back, with when their present state began."""
    ids = [UUID(each) for each in hold.vanished]
    return dict(Relation.objects.filter(AnyOf("id", ids), retired_at=None).values_list("id", "since"))
