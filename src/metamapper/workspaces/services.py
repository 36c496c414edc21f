"""Founding a workspace."""

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from metamapper.accounts.models import User
from metamapper.workspaces.models import Membership, Role, Workspace

ADDRESS_LENGTH = 40
RESERVED = frozenset(
    [
        "account",
        "accounts",
        "admin",
        "api",
        "assets",
        "auth",
        "callback",
        "docs",
        "health",
        "help",
        "icons",
        "login",
        "logout",
        "mcp",
        "media",
        "metrics",
        "new",
        "oauth",
        "password",
        "saml",
        "settings",
        "sign-in",
        "sign-out",
        "sign-up",
        "static",
        "support",
        "system",
        "theme",
        "webhooks",
        "welcome",
        "workspace",
        "workspaces",
        "www",
    ]
)
"""First parts of an address that are, or may become, the site's own."""


class AddressTaken(Exception):
    """The address belongs to another workspace, or to the site itself. The two are told apart by nobody."""

    def __init__(self, address: str) -> None:
        super().__init__(f"The address “{address}” is taken.")


def found(user: User, *, name: str, address: str) -> Workspace:
    """A new workspace with this person as its owner; raises ``AddressTaken``."""
    if address in RESERVED:
        raise AddressTaken(address)
    try:
        with transaction.atomic():
            workspace = Workspace.objects.create(name=name, slug=address)
            Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
    except IntegrityError as error:
        raise AddressTaken(address) from error
    return workspace


def found_first(user: User, *, name: str, address: str) -> Workspace:
    """The workspace of the first visit. Sent twice at once it is founded once: the other gets the one that is there."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        belongs = Membership.objects.visible_to(user).filter(user=user).select_related("workspace").first()
        return belongs.workspace if belongs else found(user, name=name, address=address)


def suggest_address(name: str) -> str:
    """A free-looking address for a name: letters, digits and dashes."""
    return slugify(name)[:ADDRESS_LENGTH].strip("-_")
