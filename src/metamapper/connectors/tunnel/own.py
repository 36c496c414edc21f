"""The keys that sign in: a workspace's, which are given as text, or a person's own files and agent; and whom they know."""

import getpass
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import asyncssh

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.settings import port_in
from metamapper.connectors.tunnel.values import DEFAULT_PORT, Hop, Keys, bare

DEFAULT_FILES = ("id_ed25519", "id_ecdsa", "id_rsa")


def own_keys(file: Path | None = None) -> Keys:
    """A person's: the file they name, or their agent and the files that OpenSSH looks for."""
    if file is not None:
        return Keys(files=(file,))
    usual = (Path("~/.ssh").expanduser() / name for name in DEFAULT_FILES)
    return Keys(agent=os.environ.get("SSH_AUTH_SOCK", ""), files=tuple(path for path in usual if path.is_file()))


def own_hops(text: str, known_hosts: Path | None = None) -> tuple[Hop, ...]:
    """``user@host:port,user@host`` with the keys that ``known_hosts`` has for each; raises ``SettingsInvalid``.

    A host that is not in it gets no key, and is refused when it shows one.
    """
    known = _known(known_hosts or Path("~/.ssh/known_hosts").expanduser())
    return tuple(_own_hop(part.strip(), known) for part in text.split(","))


def _own_hop(text: str, known: asyncssh.SSHKnownHosts) -> Hop:
    user, _, rest = text.rpartition("@")
    host, port = _split(rest)
    keys, _, revoked = asyncssh.match_known_hosts(known, host, "", None if port == DEFAULT_PORT else port)[:3]
    trusted = (each for each in keys if each not in revoked)
    pinned = tuple(bare(each.export_public_key().decode()) for each in trusted)
    return Hop(host, port, user or getpass.getuser(), pinned)


def _split(rest: str) -> tuple[str, int]:
    host, colon, port = rest.rpartition(":")
    if not colon or rest.endswith("]") or (":" in host and not host.endswith("]")):
        host, port = rest, str(DEFAULT_PORT)
    number = port_in(port)
    if not number:
        raise SettingsInvalid(f"“{rest}” is no SSH host.", hint="Write user@host, or user@host:port.")
    return host.removeprefix("[").removesuffix("]"), number


def _known(path: Path) -> asyncssh.SSHKnownHosts:
    try:
        return asyncssh.import_known_hosts(path.read_text(encoding="utf-8", errors="replace"))
    except FileNotFoundError:
        return asyncssh.import_known_hosts("")
    except (OSError, ValueError) as error:
        raise SettingsInvalid(f"{path} cannot be read: {error}.") from None


async def key_pairs(keys: Keys, stack: AsyncExitStack) -> Sequence[asyncssh.SSHKeyPair]:
    """In the order they are tried; an agent is asked until the stack ends. Raises ``SettingsInvalid`` where there is none."""
    found = list(asyncssh.load_keypairs([_imported(text) for text in keys.private])) if keys.private else []
    if keys.agent:
        found += await _of_agent(keys.agent, stack)
    for path in keys.files:
        found += _of_file(path, only=len(keys.files) == 1 and not found)
    if not found:
        raise SettingsInvalid("There is no SSH key to sign in with.", hint="Make one, or name the file of yours.")
    return found


def _imported(text: str) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_private_key(text)
    except asyncssh.KeyImportError:
        raise SettingsInvalid("A stored SSH key cannot be read.", hint="Make a new one.") from None


async def _of_agent(path: str, stack: AsyncExitStack) -> Sequence[asyncssh.SSHKeyPair]:
    try:
        agent = await asyncssh.connect_agent(path)
        stack.push_async_callback(agent.wait_closed)
        stack.callback(agent.close)
        return await agent.get_keys()
    except (OSError, ValueError):
        return []  # none runs there


def _of_file(path: Path, *, only: bool) -> Sequence[asyncssh.SSHKeyPair]:
    """One of several that cannot be opened is passed over."""
    try:
        return asyncssh.load_keypairs([str(path)])
    except OSError as error:
        raise SettingsInvalid(f"The SSH key {path} cannot be read: {error.strerror}.") from None
    except asyncssh.KeyEncryptionError:
        if not only:
            return []
        raise SettingsInvalid(
            f"The SSH key {path} has a passphrase.", hint=f"Give it to the agent: ssh-add {path}"
        ) from None
    except asyncssh.KeyImportError:
        raise SettingsInvalid(f"{path} is no SSH key.") from None
