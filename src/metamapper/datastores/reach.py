"""How far a datastore's connection may reach from here: which addresses, sockets and files (SECURITY S4, S5)."""

from pathlib import Path

from django.conf import settings as django_settings

from metamapper.connectors.reach import Reach
from metamapper.lib.net import Policy, networks


def reach() -> Reach:
    """Every address that a host has is checked by the connector, which then connects to what was checked."""
    return Reach(
        folders=allowed_folders(),
        sockets=_in_development(),
        own_account=django_settings.METAMAPPER_ALLOW_OWN_ACCOUNT or _in_development(),
        denies=policy().refusal,
    )


def policy() -> Policy:
    """Private networks are where databases live: open in development, an administrator's list elsewhere."""
    return Policy(allowed=networks(django_settings.METAMAPPER_ALLOWED_NETWORKS), open_inside=_in_development())


def allowed_folders() -> tuple[Path, ...]:
    """Folders whose files may be connected: the administrator's, and the built-in example's."""
    administrators = [Path(folder) for folder in django_settings.METAMAPPER_ALLOWED_FOLDERS]
    example = Path(django_settings.METAMAPPER_HOME) / "example"
    return tuple(folder.resolve() for folder in (*administrators, example))


def _in_development() -> bool:
    return bool(django_settings.ENVIRONMENT == "development")
