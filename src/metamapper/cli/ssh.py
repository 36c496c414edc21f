"""The options that lead a command through SSH hosts, with a person's own keys and the hosts that they know."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from metamapper.connectors.tunnel.errors import HostKeyChanged, HostKeyUnknown

if TYPE_CHECKING:
    from metamapper.connectors.tunnel.values import Tunnel

F = TypeVar("F", bound=Callable[..., Any])

SSH = click.option(
    "--ssh",
    default="",
    metavar="USER@HOST[:PORT][,…]",
    help="Reach it through this SSH host, or through a chain of them. Only hosts in ~/.ssh/known_hosts are trusted.",
)
KEY = click.option(
    "--ssh-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The private key that signs in there; by default your agent's keys and those in ~/.ssh.",
)


def through_ssh(command: F) -> F:
    """Adds both options."""
    return SSH(KEY(command))


def own_tunnel(ssh: str, ssh_key: Path | None) -> "Tunnel | None":
    """The tunnel that the options describe; raises ``SettingsInvalid``."""
    if not ssh:
        return None
    from metamapper.connectors.tunnel.own import own_hops, own_keys
    from metamapper.connectors.tunnel.values import Tunnel

    return Tunnel(own_hops(ssh), own_keys(ssh_key))


@contextmanager
def as_known_here() -> Iterator[None]:
    """At a terminal there is no page to accept a host's key on: say what does it here."""
    try:
        yield
    except HostKeyUnknown as error:
        error.hint = (
            "Connect to it once by `ssh`, which asks you to compare the key and keeps it in ~/.ssh/known_hosts."
        )
        raise
    except HostKeyChanged as error:
        error.hint = "Ask who runs the host. If the new key is right, `ssh-keygen -R HOST` forgets the old one."
        raise
