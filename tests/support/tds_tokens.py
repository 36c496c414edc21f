"""The tokens that a TDS server answers with, as far as the stand-in has them. See [MS-TDS] 2.2.7."""

import struct
from collections.abc import Sequence
from typing import Any

COLLATION = bytes((0x09, 0x04, 0xD0, 0x00, 0x34))
FEDAUTH, ALL_FEATURES = 0x02, 0xFF
ERROR, COUNT, CANCELLED = 0x02, 0x10, 0x20


class Refused(Exception):
    """An error that the server answers with, by its number: 208 is an unknown object, 18456 a failed sign-in."""

    def __init__(self, number: int, text: str, *, before: "Refused | None" = None) -> None:
        super().__init__(text)
        self.number = number
        self.text = text
        self.before = before


def _ucs2(text: str, size: str) -> bytes:
    encoded = text.encode("utf-16-le")
    return struct.pack(size, len(encoded) // 2) + encoded


def errors(refusal: Refused) -> bytes:
    before = errors(refusal.before) if refusal.before else b""
    body = struct.pack("<iBB", refusal.number, 1, 14) + _ucs2(refusal.text, "<H") + _ucs2("stand-in", "<B")
    body += _ucs2("", "<B") + struct.pack("<I", 1)
    return before + b"\xaa" + struct.pack("<H", len(body)) + body


def done(status: int, count: int = 0) -> bytes:
    return b"\xfd" + struct.pack("<HHQ", status, 0, count)


def changed(kind: int, new: str) -> bytes:
    body = bytes((kind,)) + _ucs2(new, "<B") + _ucs2("", "<B")
    return b"\xe3" + struct.pack("<H", len(body)) + body


def routing(host: str, port: int) -> bytes:
    value = struct.pack("<BH", 0, port) + _ucs2(host, "<H")
    body = bytes((20,)) + struct.pack("<H", len(value)) + value + struct.pack("<H", 0)
    return b"\xe3" + struct.pack("<H", len(body)) + body


def login_ack() -> bytes:
    body = b"\x01" + struct.pack(">I", 0x74000004) + _ucs2("Microsoft SQL Server", "<B") + bytes((16, 0, 16, 0))
    return b"\xad" + struct.pack("<H", len(body)) + body


def token_taken() -> bytes:
    return b"\xae" + bytes((FEDAUTH,)) + struct.pack("<I", 0) + bytes((ALL_FEATURES,))


_TYPES: dict[type, bytes] = {
    int: b"\x26\x08",
    bool: b"\x68\x01",
    str: b"\xe7" + struct.pack("<H", 0xFFFF) + COLLATION,
}


def columns(named: Sequence[tuple[str, type]]) -> bytes:
    found = b"\x81" + struct.pack("<H", len(named))
    for name, kind in named:
        found += struct.pack("<IH", 0, 1) + _TYPES[kind] + _ucs2(name, "<B")
    return found


def row(named: Sequence[tuple[str, type]], values: Sequence[Any]) -> bytes:
    return b"\xd1" + b"".join(_value(kind, value) for (_, kind), value in zip(named, values, strict=True))


def _value(kind: type, value: Any) -> bytes:
    if kind is str:
        if value is None:
            return b"\xff" * 8
        encoded = str(value).encode("utf-16-le")
        chunk = struct.pack("<I", len(encoded)) + encoded if encoded else b""
        return struct.pack("<Q", len(encoded)) + chunk + struct.pack("<I", 0)
    if value is None:
        return b"\x00"
    return struct.pack("<BB", 1, value) if kind is bool else struct.pack("<Bq", 8, value)
