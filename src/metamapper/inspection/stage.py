"""What a read found, kept until it is applied: keys in memory, the relations that are new or different in a file.

The source is closed before the catalog is touched, and memory grows by a key per relation, never by its columns. An
engine's payload is turned into our vocabulary while the source makes the next one, when there is nothing else to do.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO

import msgspec

from metamapper.connectors.base import Observation
from metamapper.diffing.values import SeenRelation
from metamapper.schema import Relation

LARGEST = 2**63 - 1
IN_MEMORY = 8 * 1024 * 1024
"""Bytes of relations kept in memory before a file is used."""
_NUL = b"\\u0000"
_ESCAPED_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Relation).decode


class NotStaged(Exception):
    """A relation is asked for that was not kept, for its fingerprint was known: the catalog moved in between."""


@dataclass(frozen=True, slots=True)
class Estimate:
    rows: int | None
    size_bytes: int | None


@dataclass(slots=True)
class Stage:
    """Observations in the order they were read; ``ordinal`` is the place in ``seen``."""

    decode: Callable[[bytes], Relation]
    _file: IO[bytes]
    seen: list[SeenRelation] = field(default_factory=list)
    estimates: list[Estimate] = field(default_factory=list)
    _spans: dict[int, tuple[int, int]] = field(default_factory=dict)
    _end: int = 0

    def add(self, observation: Observation, *, known: Mapping[bytes, tuple[str, str]]) -> None:
        """Keep an observation; what it says only if no relation of this name is known by this fingerprint."""
        ordinal = len(self.seen)
        self.seen.append(
            SeenRelation(
                ordinal=ordinal,
                schema=observation.schema,
                name=observation.name,
                kind=observation.kind,
                native_id=observation.native_id,
                fingerprint=observation.fingerprint,
            )
        )
        self.estimates.append(Estimate(_kept(observation.row_estimate), _kept(observation.size_bytes)))
        if known.get(observation.fingerprint) != (observation.schema, observation.name):
            relation = _without_nul(_encode(self.decode(observation.payload)))
            self._spans[ordinal] = (self._end, len(relation))
            self._file.write(relation)
            self._end += len(relation)

    def relation(self, ordinal: int) -> Relation:
        """The relation as it was read; raises ``NotStaged``."""
        try:
            start, length = self._spans[ordinal]
        except KeyError:
            raise NotStaged from None
        self._file.seek(start)
        return _decode(self._file.read(length))

    def relations_per_schema(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for each in self.seen:
            counts[each.schema] = counts.get(each.schema, 0) + 1
        return counts


def _kept(estimate: int | None) -> int | None:
    """An estimate that a metastore can keep: statistics may say more than any table could hold."""
    return None if estimate is None or not 0 <= estimate <= LARGEST else estimate


def _without_nul(encoded: bytes) -> bytes:
    """PostgreSQL keeps no text with a NUL in it: the sign for what cannot be shown stands in its place."""
    return _ESCAPED_NUL.sub(rb"\1\\ufffd", encoded) if _NUL in encoded else encoded


@contextmanager
def staging(decode: Callable[[bytes], Relation]) -> Iterator[Stage]:
    """A stage whose file is gone when the block ends."""
    with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        yield Stage(decode, file)
