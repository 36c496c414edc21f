"""Time-ordered identities: UUID version 7 (RFC 9562), one by one or many at a time."""

import os
import struct
import time
from datetime import datetime
from uuid import UUID, SafeUUID

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM_A = (1 << 12) - 1
_RANDOM_B = (1 << 62) - 1

_new = UUID.__new__
_set = object.__setattr__


def uuid7() -> UUID:
    return uuid7s(1)[0]


def uuid7s(count: int) -> list[UUID]:
    """``count`` new identities that sort in the order of the list."""
    stamp = (time.time_ns() // 1_000_000) << 80 | _VERSION | _VARIANT
    noise = struct.unpack(f"{count}Q", os.urandom(8 * count))
    return [
        # 12 bits of sequence, 62 bits of noise: order within one call is kept while both last.
        _uuid((stamp + ((number >> 12) << 80)) | (number & _RANDOM_A) << 64 | bits & _RANDOM_B)
        for number, bits in enumerate(noise)
    ]


def first_uuid7_at(moment: datetime) -> UUID:
    """An identity that sorts before all that are made from this moment on."""
    return UUID(int=(int(moment.timestamp() * 1000) << 80 | _VERSION | _VARIANT))


def _uuid(value: int) -> UUID:
    """``UUID(int=value)`` without its checks, which cost three times as much: the value is made here."""
    made = _new(UUID)
    _set(made, "int", value)
    _set(made, "is_safe", SafeUUID.unknown)
    return made
