"""The built-in example, as pages offer it."""

from metamapper.accounts.models import User
from metamapper.datastores.models import Datastore
from metamapper.inspection.example import load
from metamapper.workspaces.models import Workspace

__all__ = ["load", "of"]


def of(workspace: Workspace, user: User) -> Datastore | None:
    """The example of this workspace, if it is connected."""
    return Datastore.objects.visible_to(user).filter(workspace=workspace, is_example=True).first()
