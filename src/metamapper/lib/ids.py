"""Time-ordered identities: UUID version 7 (RFC 9562), one by one or many at a time."""

import os
import time
from uuid import UUID

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM_A = (1 << 12) - 1
_RANDOM_B = (1 << 62) - 1


def uuid7() -> UUID:
    return uuid7s(1)[0]


def uuid7s(count: int) -> list[UUID]:
    """``count`` new identities that sort in the order of the list."""
    stamp = (time.time_ns() // 1_000_000) << 80 | _VERSION | _VARIANT
    noise = os.urandom(8 * count)
    return [
        # 12 bits of sequence, 62 bits of noise: order within one call is kept while both last.
        UUID(
            int=(stamp + ((number >> 12) << 80))
            | (number & _RANDOM_A) << 64
            | int.from_bytes(noise[at : at + 8]) & _RANDOM_B
        )
        for number, at in zip(range(count), range(0, 8 * count, 8), strict=True)
    ]
