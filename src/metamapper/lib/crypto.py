"""Encryption at rest: the first key encrypts, every key decrypts (MultiFernet)."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class WrongKey(Exception):
    """What is stored was encrypted under a key that is not among the given ones."""

    def __init__(self) -> None:
        super().__init__(
            "A stored secret cannot be decrypted: METAMAPPER_FERNET_KEY does not hold the key it was written with."
        )


class Vault:
    """Seals and opens small JSON mappings."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._first = Fernet(keys[0])

    def seal(self, secrets: Mapping[str, Any]) -> bytes:
        return self._fernet.encrypt(msgspec.json.encode(secrets))

    def open(self, token: bytes) -> dict[str, Any]:
        """The mapping that was sealed; raises ``WrongKey``."""
        try:
            return msgspec.json.decode(self._fernet.decrypt(token), type=dict[str, Any])
        except InvalidToken as error:
            raise WrongKey from error

    def is_current(self, token: bytes) -> bool:
        """Whether it was sealed under the first key."""
        try:
            self._first.decrypt(token)
        except InvalidToken:
            return False
        return True

    def rotate(self, token: bytes) -> bytes:
        """The same secrets under the first key; raises ``WrongKey``."""
        try:
            return self._fernet.rotate(token)
        except InvalidToken as error:
            raise WrongKey from error
