"""The little of TDS that happens before the driver is in charge: packets, the first question, a server that sends one on.

See [MS-TDS] 2.2.3.1 (packet header), 2.2.6.5 (PRELOGIN), 2.2.7.9 (ENVCHANGE).
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

HEADER = 8
REPLY, ATTENTION, LOGIN, PRELOGIN = 0x04, 0x06, 0x10, 0x12
END_OF_MESSAGE = 0x01
LARGEST = 32_767
"""Bytes that a packet may have."""


class Encryption(IntEnum):
    """What client and server say of TLS in their first packets."""

    OFF = 0  # for the sign-in only
    ON = 1
    NOT_SUPPORTED = 2
    REQUIRED = 3


_VERSION, _ENCRYPTION, _END = 0x00, 0x01, 0xFF
_ENVCHANGE, _ROUTING = 0xE3, 20
_FEATURES, _NO_FEATURE = 0xAE, 0xFF
_BYTES_OF_LENGTH = {0xE3: 2, 0xAA: 2, 0xAB: 2, 0xAD: 2, 0xED: 2, 0xA4: 2, 0xA5: 2, 0xA9: 2, 0xEE: 4, 0xE4: 4}
_FIXED = {0xFD: 12, 0xFE: 12, 0xFF: 12, 0x79: 4}
"""How long tokens are ([MS-TDS] 2.2.7): by a length of so many bytes, or always alike."""


class Route(NamedTuple):
    """Where a server sends a client to: a readable replica, or a node behind a gateway."""

    host: str
    port: int


def packet(kind: int, body: bytes) -> bytes:
    """A message of one packet."""
    return bytes((kind, END_OF_MESSAGE)) + (HEADER + len(body)).to_bytes(2) + bytes((0, 0, 1, 0)) + body


def prelogin(encryption: Encryption) -> bytes:
    """The first message of a client: its version, and what it says of TLS."""
    version = bytes(6)
    table = 5 + 5 + 1
    options = bytes((_VERSION,)) + table.to_bytes(2) + len(version).to_bytes(2)
    options += bytes((_ENCRYPTION,)) + (table + len(version)).to_bytes(2) + (1).to_bytes(2)
    return packet(PRELOGIN, options + bytes((_END,)) + version + bytes((encryption,)))


def encryption_of(body: bytes) -> Encryption | None:
    """What the other side says of TLS; None where it says nothing that makes sense."""
    place = _encryption_place(body)
    try:
        return Encryption(body[place]) if place is not None else None
    except ValueError:
        return None


def with_encryption(body: bytes, encryption: Encryption) -> bytes:
    """The same message, saying something else of TLS."""
    place = _encryption_place(body)
    return body if place is None else body[:place] + bytes((encryption,)) + body[place + 1 :]


def _encryption_place(body: bytes) -> int | None:
    for start in range(0, len(body) - 4, 5):
        if body[start] == _END:
            return None
        place, length = int.from_bytes(body[start + 1 : start + 3]), int.from_bytes(body[start + 3 : start + 5])
        if body[start] == _ENCRYPTION:
            return place if length and place < len(body) else None
    return None


def route_of(tokens: bytes) -> Route | None:
    """Where the answer to a sign-in sends the client to, if it does; raises ``ValueError`` for what is no answer."""
    for kind, body in _tokens(tokens):
        if kind == _ENVCHANGE and body[:1] == bytes((_ROUTING,)):
            port, length = int.from_bytes(body[4:6], "little"), int.from_bytes(body[6:8], "little")
            return Route(body[8 : 8 + 2 * length].decode("utf-16-le", "replace"), port)
    return None


def _tokens(tokens: bytes) -> Iterator[tuple[int, bytes]]:
    """Every token with its content; raises ``ValueError`` for what is none, for nothing may be overlooked."""
    place = 0
    while place < len(tokens):
        kind, start = tokens[place], place + 1
        if kind in _FIXED:
            end = start + _FIXED[kind]
        elif kind in _BYTES_OF_LENGTH:
            start += _BYTES_OF_LENGTH[kind]
            end = start + int.from_bytes(tokens[place + 1 : start], "little")
        elif kind == _FEATURES:
            end = _end_of_features(tokens, start)
        else:
            raise ValueError(kind)
        yield kind, tokens[start:end]
        place = end


def _end_of_features(tokens: bytes, place: int) -> int:
    while place < len(tokens) and tokens[place] != _NO_FEATURE:
        place += 5 + int.from_bytes(tokens[place + 1 : place + 5], "little")
    return place + 1
