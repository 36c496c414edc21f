"""What a read found, kept until it is applied: keys in memory, the payloads of what is new or different in a file.

The source is closed before the catalog is touched, and memory grows by a key per relation, never by its columns.
"""

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
_NUL = b"\\u0000"
IN_MEMORY = 8 * 1024 * 1024
"""Bytes of payload kept in memory before a file is used."""


class NotStaged(Exception):
    """A payload is asked for that was not kept, for its fingerprint was known: the catalog moved in between."""


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
        """Keep an observation; its payload only if no relation of this name is known by this fingerprint."""
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
            self._spans[ordinal] = (self._end, len(observation.payload))
            self._file.write(observation.payload)
            self._end += len(observation.payload)

    def relation(self, ordinal: int) -> Relation:
        """The decoded relation; raises ``NotStaged``."""
        try:
            start, length = self._spans[ordinal]
        except KeyError:
            raise NotStaged from None
        self._file.seek(start)
        payload = self._file.read(length)
        relation = self.decode(payload)
        return _without_nul(relation) if _NUL in payload or b"\0" in payload else relation

    def relations_per_schema(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for each in self.seen:
            counts[each.schema] = counts.get(each.schema, 0) + 1
        return counts


def _kept(estimate: int | None) -> int | None:
    """An estimate that a metastore can keep: statistics may say more than any table could hold."""
    return None if estimate is None or not 0 <= estimate <= LARGEST else estimate


def _without_nul(relation: Relation) -> Relation:
    """PostgreSQL keeps no text with a NUL in it: the sign for what cannot be shown stands in its place."""
    return msgspec.json.decode(msgspec.json.encode(relation).replace(_NUL, b"\\ufffd"), type=Relation)


@contextmanager
def staging(decode: Callable[[bytes], Relation]) -> Iterator[Stage]:
    """A stage whose file is gone when the block ends."""
    with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        yield Stage(decode, file)
