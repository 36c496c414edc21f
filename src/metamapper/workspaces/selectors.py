"""Which workspaces a person belongs to."""

from django.contrib.auth.models import AnonymousUser

from metamapper.accounts.models import User
from metamapper.workspaces.models import Membership, Workspace


def membership(user: User | AnonymousUser, address: str) -> Membership | None:
    """The person's own membership of the workspace at this address, with the workspace."""
    if not user.is_authenticated:
        return None
    mine = Membership.objects.visible_to(user).filter(user=user, workspace__slug=address)
    return mine.select_related("workspace").first()


def first_workspace(user: User | AnonymousUser) -> Workspace | None:
    """Where a person arrives: the workspace they joined first."""
    if not user.is_authenticated:
        return None
    mine = Membership.objects.visible_to(user).filter(user=user).order_by("created_at").select_related("workspace")
    found = mine.first()
    return found.workspace if found else None
