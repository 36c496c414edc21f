"""What a datastore's settings may reach from here: which hosts, and which files."""

from pathlib import Path

from django.conf import settings as django_settings

from metamapper.connectors.base import Connector, Engine, EngineSettings
from metamapper.connectors.errors import AddressDenied, HostUnknown
from metamapper.datastores.fields import fields_of
from metamapper.lib.net import HostDenied, HostUnresolved, Policy, check_address, networks

ALLOW_NETWORK = (
    "An administrator can allow it: METAMAPPER_ALLOWED_NETWORKS is a comma list of networks, such as 10.20.0.0/16."
)
ALLOW_FOLDER = "An administrator can allow it: METAMAPPER_ALLOWED_FOLDERS is a list of folders, separated by colons."


def policy() -> Policy:
    """Private networks are where databases live: open in development, an administrator's list elsewhere."""
    return Policy(
        allowed=networks(django_settings.METAMAPPER_ALLOWED_NETWORKS),
        open_inside=django_settings.ENVIRONMENT == "development",
    )


def connector(engine: Engine, settings: EngineSettings) -> Connector:
    """The engine's connector, once everything its settings name may be reached; raises a ``ConnectorError``."""
    check(settings)
    return engine.connect(settings)


def check(settings: EngineSettings) -> None:
    """Raises ``AddressDenied`` for a host or file that is out of bounds, ``HostUnknown`` for a name without address."""
    for field in fields_of(type(settings)):
        value = getattr(settings, field.name)
        if field.name == "host" and value:
            _check_host(str(value), int(getattr(settings, "port", 0) or 0))
        elif field.name == "path" and value:
            check_file(Path(str(value)))


def _check_host(host: str, port: int) -> None:
    try:
        check_address(host, port, policy())
    except HostUnresolved as error:
        raise HostUnknown(
            f"No address is known for “{host}”.", hint="Look for a typing error, and whether this machine can see it."
        ) from error
    except HostDenied as error:
        raise AddressDenied(str(error), hint=ALLOW_NETWORK) from error


def allowed_folders() -> tuple[Path, ...]:
    """Folders whose files may be connected: the administrator's, and the built-in example's."""
    administrators = [Path(folder) for folder in django_settings.METAMAPPER_ALLOWED_FOLDERS]
    example = Path(django_settings.METAMAPPER_HOME) / "example"
    return tuple(folder.resolve() for folder in (*administrators, example))


def check_file(path: Path) -> None:
    """Links are followed first, so that none leads out; raises ``AddressDenied`` alike for what is and is not there."""
    real = path.expanduser().resolve()
    if not any(real.is_relative_to(folder) for folder in allowed_folders()):
        raise AddressDenied("Files are read only from folders that are allowed.", hint=ALLOW_FOLDER)
