"""Signing in to one SSH host: its key is judged before anything of ours is sent, and public keys are all that signs in."""

import asyncio
import logging
import socket
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import asyncssh

from metamapper.connectors import errors
from metamapper.connectors.tunnel.errors import HopSignInFailed, HostKeyChanged, HostKeyUnknown, NoCommonLanguage
from metamapper.connectors.tunnel.forwarding import meaning
from metamapper.connectors.tunnel.values import Hop, Tunnel, bare, fingerprint, kind_of

# It tells every connection and every key that is tried.
logging.getLogger("asyncssh").setLevel(logging.ERROR)

_HOST_KEYS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ssh-rsa",
)
_OF_SHA_1 = "ssh-rsa"
"""Signs with SHA-1, which can be forged at a price: only a host that has nothing else, and whose key is pinned, may."""
_KNOWS_NOBODY: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
"""An empty list of hosts whose keys are trusted: a blank one would be this account's own ``known_hosts``."""


class Judge(asyncssh.SSHClient):
    """Says whether a host's key is the pinned one, which key signs in, and when the connection has ended."""

    def __init__(self, hop: Hop, number: int, keys: Sequence[asyncssh.SSHKeyPair]) -> None:
        self.lost = False
        self.why_lost = ""
        self.signed_in_with = ""
        self.refusal: HostKeyUnknown | HostKeyChanged | None = None
        self.shown = ""
        self._hop = hop
        self._number = number
        self._keys = list(keys)

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        del host, addr, port
        self.shown = bare(key.export_public_key().decode("ascii"))
        if self.shown in {bare(each) for each in self._hop.host_keys}:
            return True
        self.refusal = _refusal(self._hop, self.shown)
        self.refusal.offered, self.refusal.hop = self.shown, self._number
        return False

    def public_key_auth_requested(self) -> list[asyncssh.SSHKeyPair] | None:
        """One at a time, so that it is known which was taken: the latest."""
        if not self._keys:
            return None
        offered = self._keys.pop(0)
        self.signed_in_with = fingerprint(_line(offered.public_data))
        return [offered]

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self.why_lost = said(exc) if exc else ""


def _line(public: bytes) -> str:
    """A public key as OpenSSH writes it: its name is the first string of it (RFC 4253, 6.6)."""
    length = int.from_bytes(public[:4])
    return f"{public[4 : 4 + length].decode('ascii')} {b64encode(public).decode()}"


@dataclass(frozen=True, slots=True)
class Landing:
    """A hop that was signed in to."""

    hop: Hop
    connection: asyncssh.SSHClientConnection
    judge: Judge
    address: str

    @property
    def is_up(self) -> bool:
        return not self.judge.lost and not self.connection.is_closed()


async def land(
    tunnel: Tunnel,
    number: int,
    keys: Sequence[asyncssh.SSHKeyPair],
    *,
    addresses: Sequence[str] = (),
    through: asyncssh.SSHClientConnection | None = None,
) -> Landing:
    """Reach the hop of this number, straight at one of the addresses or through the one before it, and sign in.

    Raises a ``ConnectorError`` that names the hop.
    """
    hop = tunnel.hops[number]
    judge = Judge(hop, number, keys)
    try:
        async with asyncio.timeout(tunnel.seconds):
            sock, address = await _connected(addresses, hop.port) if through is None else (None, "")
            connection = await asyncssh.connect(
                hop.host, hop.port, sock=sock, tunnel=through, client_factory=lambda: judge, **_parameters(tunnel, hop)
            )
    except TimeoutError:
        raise errors.ConnectionTimeout(
            f"The SSH host {hop} did not answer within {tunnel.seconds:g} seconds.", hint=_from_where(number, tunnel)
        ) from None
    except (OSError, asyncssh.Error, ValueError) as error:
        raise _meaning(error, tunnel, number, judge) from None
    return Landing(hop, connection, judge, address)


async def _connected(addresses: Sequence[str], port: int) -> tuple[socket.socket, str]:
    """A connection to the first address that answers; raises ``OSError``."""
    failure: OSError = OSError("there is no address")
    for address in addresses:
        family = socket.AF_INET6 if ip_address(address.partition("%")[0]).version == 6 else socket.AF_INET  # noqa: PLR2004
        made = socket.socket(family, socket.SOCK_STREAM)
        made.settimeout(0)
        try:
            await asyncio.get_running_loop().sock_connect(made, (address, port))
        except OSError as error:
            made.close()
            failure = error
        except BaseException:
            made.close()
            raise
        else:
            return made, address
    raise failure


def _parameters(tunnel: Tunnel, hop: Hop) -> dict[str, Any]:
    """Every parameter by which a file or variable of the worker's could have a say, and how long silence lasts."""
    pinned = [each for each in _HOST_KEYS if any(_is_of(each, key) for key in hop.host_keys)]
    return {
        "config": None,
        "username": hop.user,
        "known_hosts": _KNOWS_NOBODY,
        "server_host_key_algs": [*pinned, *(each for each in _HOST_KEYS if each not in {*pinned, _OF_SHA_1})],
        "x509_trusted_certs": None,
        "client_keys": None,  # they come one at a time from the judge; a blank list would be this account's own
        "agent_path": None,
        "agent_forwarding": False,
        "gss_host": None,
        "preferred_auth": ["publickey"],
        "password_auth": False,
        "kbdint_auth": False,
        "host_based_auth": False,
        "compression_algs": None,
        "keepalive_interval": tunnel.keepalive,
        "keepalive_count_max": tunnel.missed,
    }


def _is_of(algorithm: str, key: str) -> bool:
    """Whether a host that has this key can show it by this algorithm: three go with a key of RSA."""
    name = key.split(" ", 1)[0]
    return algorithm == name or (name == "ssh-rsa" and algorithm.startswith("rsa-"))


def _meaning(error: Exception, tunnel: Tunnel, number: int, judge: Judge) -> errors.ConnectorError:
    """What it means that a hop could not be reached or signed in to."""
    hop = tunnel.hops[number]
    if judge.refusal is not None:
        return judge.refusal
    if isinstance(error, asyncssh.PermissionDenied):
        return HopSignInFailed(
            f"{hop} does not let {hop.user} in with {'the key' if len(tunnel.keys.private) == 1 else 'any of the keys'}.",
            hint=f"Add the public key to ~{hop.user}/.ssh/authorized_keys on {hop}, which only {hop.user} may write to.",
        )
    if isinstance(error, asyncssh.KeyExchangeFailed):
        return NoCommonLanguage(f"{hop} speaks SSH, but nothing it offers is accepted.", server_said=said(error))
    if isinstance(error, asyncssh.ChannelOpenError):
        return meaning(error.code, said(error), hop.host, hop.port, by=tunnel.hops[number - 1])
    if isinstance(error, asyncssh.ConnectionLost | asyncssh.DisconnectError | ConnectionResetError):
        return _broken_off(error, hop, judge)
    return _unreached(error, hop, _from_where(number, tunnel))


def _broken_off(error: Exception, hop: Hop, judge: Judge) -> errors.ConnectorError:
    """Before a key was shown it may not have been SSH at all that answered."""
    if isinstance(error, asyncssh.ProtocolError | asyncssh.ProtocolNotSupported):
        return errors.ServerForeign(f"What answers at {hop} does not speak SSH.", hint="Check the port.")
    when = "before the sign-in was over" if judge.shown else "at once"
    return errors.ConnectionLost(
        f"{hop} hung up {when}.",
        server_said=said(error),
        hint="It may have too many connections (MaxStartups), shut us out, or be no SSH host.",
    )


def _unreached(error: Exception, hop: Hop, hint: str) -> errors.ConnectorError:
    kind: type[errors.ConnectorError] = errors.HostUnreachable
    if isinstance(error, ConnectionRefusedError):
        kind = errors.ConnectionRefused
    words = {
        errors.ConnectionRefused: f"Nothing listens at {hop}.",
        errors.HostUnreachable: f"There is no way to {hop}.",
    }
    spoken = error.strerror if isinstance(error, OSError) and error.strerror else said(error)
    return kind(words[kind], server_said=spoken, hint=hint)


def _from_where(number: int, tunnel: Tunnel) -> str:
    if number:
        return f"It is reached from {tunnel.hops[number - 1]}: check the name, the port and the firewall between them."
    return "Check the name, the port, and that no firewall drops what the workers send."


def _refusal(hop: Hop, shown: str) -> HostKeyUnknown | HostKeyChanged:
    look = f"On the host, `ssh-keygen -lf /etc/ssh/ssh_host_{kind_of(shown).lower()}_key.pub` says which it is."
    if not hop.host_keys:
        return HostKeyUnknown(
            f"{hop} shows the key {fingerprint(shown)}. Nobody has confirmed yet that it is the host's.",
            hint=f"{look} If it is this one, accept it; nothing is sent to the host before.",
        )
    pinned = " or ".join(fingerprint(each) for each in hop.host_keys)
    return HostKeyChanged(
        f"{hop} shows the key {fingerprint(shown)}, not {pinned}, which is pinned. Nothing was sent to it.",
        hint="Either the host was set up anew, or somebody else answers in its place. Ask who runs it."
        f" {look} If the new one is right, forget the pinned key and accept this one.",
    )


def said(error: Exception) -> str:
    """What the other side or the library said, on one line."""
    return " ".join(str(getattr(error, "reason", "") or error).split())
