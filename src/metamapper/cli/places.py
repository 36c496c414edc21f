"""In which workspace, and as whom, a command works. Needs Django."""

from dataclasses import dataclass

from metamapper.accounts.models import User
from metamapper.cli.telling import Failed
from metamapper.datastores.models import Datastore
from metamapper.workspaces.models import Membership, Role, Workspace


@dataclass(frozen=True, slots=True)
class Place:
    """Whoever may start this command administers the machine: it acts as an owner of the workspace, through the one gate."""

    workspace: Workspace
    user: User


def place(slug: str = "") -> Place:
    """The workspace of this address, or the only one there is; raises ``Failed``."""
    found = list(Workspace.objects.filter(slug=slug) if slug else Workspace.objects.all()[:20])
    if not found:
        what = f"There is no workspace “{slug}”." if slug else "There is no workspace yet."
        raise Failed(what, hint="Open Metamapper in a browser: the first visit makes one." if not slug else _known())
    if len(found) > 1:
        raise Failed("There are several workspaces.", hint=f"Choose one with --workspace. {_known()}")
    owner = Membership.objects.filter(workspace=found[0], role=Role.OWNER).order_by("created_at").first()
    if owner is None:
        raise Failed(f"The workspace “{found[0].slug}” has no owner.", hint="A command acts as one.")
    return Place(found[0], owner.user)


def _known() -> str:
    slugs = ", ".join(Workspace.objects.order_by("slug").values_list("slug", flat=True)[:20])
    return f"Known are: {slugs}." if slugs else "There is none yet."


def datastore_named(where: Place, name: str) -> Datastore:
    """By its address or its name; raises ``Failed``."""
    mine = Datastore.objects.visible_to(where.user).filter(workspace=where.workspace)
    found = mine.filter(slug=name).first() or mine.filter(name=name).first()
    if found is None:
        known = ", ".join(mine.order_by("slug").values_list("slug", flat=True)[:20])
        raise Failed(f"There is no datastore “{name}”.", hint=f"Known are: {known}." if known else "There is none yet.")
    return found
