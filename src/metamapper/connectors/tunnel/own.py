"""The keys that sign in: a workspace's, which are given as text, or a person's own files and agent; and whom they know."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import asyncssh

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.tunnel.values import Keys

DEFAULT_FILES = ("id_ed25519", "id_ecdsa", "id_rsa")


async def key_pairs(keys: Keys, stack: AsyncExitStack) -> Sequence[asyncssh.SSHKeyPair]:
    """In the order they are tried; an agent is asked until the stack ends. Raises ``SettingsInvalid`` where there is none."""
    found = list(asyncssh.load_keypairs([_imported(text) for text in keys.private])) if keys.private else []
    if keys.agent:
        found += await _of_agent(keys.agent, stack)
    for path in keys.files:
        found += _of_file(path)
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


def _of_file(path: Path) -> Sequence[asyncssh.SSHKeyPair]:
    try:
        return asyncssh.load_keypairs([str(path)])
    except OSError as error:
        raise SettingsInvalid(f"The SSH key {path} cannot be read: {error.strerror}.") from None
    except asyncssh.KeyEncryptionError:
        raise SettingsInvalid(
            f"The SSH key {path} has a passphrase.", hint=f"Give it to the agent: ssh-add {path}"
        ) from None
    except asyncssh.KeyImportError:
        raise SettingsInvalid(f"{path} is no SSH key.") from None
