"""The built-in example, as pages offer it."""

from importlib import import_module
from importlib.util import find_spec

from metamapper.accounts.models import User
from metamapper.datastores.models import Datastore
from metamapper.workspaces.models import Workspace

MODULE = "metamapper.inspection.example"


def available() -> bool:
    return find_spec(MODULE) is not None


def load(workspace: Workspace, user: User) -> None:
    """Connect the example, if this installation carries one."""
    if available():
        import_module(MODULE).load(workspace, user)


def of(workspace: Workspace, user: User) -> Datastore | None:
    """The example of this workspace, if it is connected."""
    return Datastore.objects.visible_to(user).filter(workspace=workspace, is_example=True).first()
