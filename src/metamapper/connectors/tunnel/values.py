"""What a tunnel is: hosts to jump through, each with the key that it must show, and the keys that sign in."""

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from metamapper.connectors.errors import SettingsInvalid

DEFAULT_PORT = 22
HIGHEST_PORT = 65_535
_HOST = re.compile(r"[A-Za-z0-9_.:%-]{1,253}")
_USER = re.compile(r"[^\s\x00-\x1f\x7f]{1,64}")
_KEY = re.compile(r"(ssh-[a-z0-9-]+|ecdsa-sha2-nistp\d+) ([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, slots=True)
class Hop:
    """One SSH host. ``host_keys`` are the public keys of which it must show one; none means nobody has confirmed any."""

    host: str
    port: int
    user: str
    host_keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises ``SettingsInvalid`` for what no host, port or user can be."""
        if not _HOST.fullmatch(self.host) or self.host.startswith("-"):
            raise SettingsInvalid("SSH host: this is no name and no address of a host.")
        if not 1 <= self.port <= HIGHEST_PORT:
            raise SettingsInvalid(f"SSH port: a number from 1 to {HIGHEST_PORT} is needed.")
        if not _USER.fullmatch(self.user):
            raise SettingsInvalid("SSH user: a name of at most 64 letters, without spaces, is needed.")
        for key in self.host_keys:
            fingerprint(key)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORT else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Keys:
    """What signs in: private keys as text, in the order they are tried; or a person's own agent and files.

    ``public`` are the halves to show where a host does not know them.
    """

    private: tuple[str, ...] = field(default=(), repr=False)
    public: tuple[str, ...] = ()
    agent: str = ""
    files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Tunnel:
    """``seconds`` are how long one hop may take to be reached and signed in to, and one connection through them to open.

    A host that says nothing for ``keepalive`` seconds is asked whether it is there; after ``missed`` answers that did
    not come the tunnel is taken for cut.
    """

    hops: tuple[Hop, ...]
    keys: Keys
    seconds: float = 15.0
    keepalive: float = 10.0
    missed: int = 2


def fingerprint(key: str) -> str:
    """As ``ssh-keygen -l`` says it: SHA256 and the kind of key. Raises ``SettingsInvalid``."""
    found = _KEY.match(key.strip())
    if found is None:
        raise SettingsInvalid("SSH host key: this is no public key of a host.", hint="It begins with ssh-ed25519 AAAA.")
    try:
        digest = sha256(b64decode(found[2], validate=True)).digest()
    except ValueError:
        raise SettingsInvalid("SSH host key: this is no public key of a host.") from None
    return f"SHA256:{b64encode(digest).decode().rstrip('=')} ({kind_of(key)})"


def kind_of(key: str) -> str:
    name = key.split(" ", 1)[0]
    return "ECDSA" if name.startswith("ecdsa") else name.removeprefix("ssh-").upper()


def bare(key: str) -> str:
    """A public key without its comment."""
    return " ".join(key.split()[:2])


def authorized(public: str, destination: tuple[str, int] | None) -> str:
    """The line of ``authorized_keys`` that lets this key through to one place, and do nothing else (sshd(8))."""
    place = _place(*destination) if destination and _HOST.fullmatch(destination[0]) else ""
    permitted = f',permitopen="{place}"' if place else ""
    return f"restrict,port-forwarding{permitted} {public.strip()}"


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
