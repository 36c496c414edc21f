"""Recorded states as bytes: zlib over JSON. JSON, so that any later version and any other program can read them."""

import zlib
from typing import Any

import msgspec

from metamapper.schema import RelationRecord

_encode = msgspec.json.Encoder().encode
_record = msgspec.json.Decoder(RelationRecord)

# Level 1: records are small and written in bulk; higher levels cost three times as much for a tenth of the size.
_LEVEL = 1


def pack(record: RelationRecord) -> bytes:
    return zlib.compress(_encode(record), _LEVEL)


def unpack(packed: bytes | memoryview) -> RelationRecord:
    """The record; raises ``zlib.error`` or ``msgspec.DecodeError`` where the bytes are not one."""
    return _record.decode(zlib.decompress(packed))


def pack_state(state: Any) -> bytes:
    """A change's ``before`` or ``after``."""
    return zlib.compress(_encode(state), _LEVEL)


def unpack_state(packed: bytes | memoryview) -> Any:
    return msgspec.json.decode(zlib.decompress(packed))
