"""Making key pairs."""

from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

RSA_BITS = 3072
"""As many as OpenSSH itself makes."""


class Algorithm(StrEnum):
    ED25519 = "ed25519"
    RSA = "rsa"  # for hosts older than OpenSSH 6.5


@dataclass(frozen=True, slots=True)
class KeyPair:
    """``public`` is a line for ``authorized_keys``, ``private`` the text of OpenSSH's own format."""

    public: str
    private: str = field(repr=False)


def make(algorithm: Algorithm, comment: str) -> KeyPair:
    """A new key pair. ``comment`` says whose it is."""
    key = (
        ed25519.Ed25519PrivateKey.generate()
        if algorithm is Algorithm.ED25519
        else rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    return KeyPair(f"{public.decode()} {comment}", private.decode())
