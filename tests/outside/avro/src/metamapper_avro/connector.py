"""Opening, testing and reading a folder of Avro schemas."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

from metamapper.connectors import errors
from metamapper.connectors.base import Observation, Server, Statement, Step
from metamapper.connectors.diagnosis import Finding, run_checks
from metamapper.connectors.reach import Reach
from metamapper.connectors.scope import ScopeFilter
from metamapper.schema import Column, Relation, RelationKind, Scope, TypeFamily
from metamapper_avro import AvroSettings

SCHEMA = "avro"
FAMILIES = {
    "int": TypeFamily.INTEGER,
    "long": TypeFamily.INTEGER,
    "string": TypeFamily.STRING,
    "boolean": TypeFamily.BOOLEAN,
    "float": TypeFamily.FLOAT,
    "double": TypeFamily.FLOAT,
    "bytes": TypeFamily.BINARY,
    "decimal": TypeFamily.DECIMAL,
    "date": TypeFamily.DATE,
    "timestamp-millis": TypeFamily.TIMESTAMP,
}


class AvroConnector:
    def __init__(self, settings: AvroSettings, reach: Reach) -> None:
        self._settings = settings
        self._reach = reach

    @contextmanager
    def open(self) -> Iterator["AvroSession"]:
        """A session over the files that are there now; raises a ``ConnectorError``."""
        folder = self._reach.file(self._settings.folder)
        if not folder.is_dir():
            raise errors.FileUnreadable(f"There is no folder {folder}.", hint="Check the path.")
        yield AvroSession(sorted(folder.glob("*.avsc")))

    def test(self) -> Iterator[Step]:
        """The connection test; raises nothing."""
        return run_checks((("Folder", self._look), ("Rights to write", lambda: Finding("None: files are only read"))))

    def _look(self) -> Finding:
        with self.open() as session:
            return Finding(
                f"{session.expected} schemas, each well-formed: {len(list(session.relations(ScopeFilter())))}"
            )


class AvroSession:
    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._cancelled = False
        self.server = Server("1.12")
        self.expected: int | None = len(files)
        self.statements: list[Statement] = []

    def probe(self, within: ScopeFilter) -> str | None:
        """A hash of every file: they are all there is."""
        digest = blake2b(repr(within).encode(), digest_size=16)
        for file in self._files:
            digest.update(_text(file))
        return digest.hexdigest()

    def scopes(self, within: ScopeFilter) -> tuple[Sequence[Scope], bool]:
        return [Scope(name=SCHEMA)] if within.allows_schema(SCHEMA) else [], True

    def relations(self, within: ScopeFilter) -> Iterator[Observation]:
        self.statements.append(Statement("read", "*.avsc", rows=0))
        for file in self._files if within.allows_schema(SCHEMA) else ():
            if self._cancelled:
                raise errors.Cancelled
            payload = _text(file)
            name = str(_parsed(payload, file)["name"])
            if within.allows_table(SCHEMA, name):
                fingerprint = blake2b(payload, digest_size=16).digest()
                yield Observation(SCHEMA, name, RelationKind.TABLE, fingerprint, payload)
        if self._cancelled:
            raise errors.Cancelled

    def decode(self, payload: bytes) -> Relation:
        return decode(payload)

    def cancel(self) -> None:
        self._cancelled = True


def decode(payload: bytes) -> Relation:
    found = json.loads(payload)
    columns = tuple(_column(place, field) for place, field in enumerate(found["fields"], start=1))
    return Relation(schema=SCHEMA, name=found["name"], comment=found.get("doc"), columns=columns)


def _text(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise errors.FileUnreadable(f"{file} cannot be read: {error.strerror}.") from None


def _parsed(text: bytes, file: Path) -> dict[str, Any]:
    try:
        found = json.loads(text)
        return {"name": found["name"], "fields": [field["type"] for field in found["fields"]]}
    except (ValueError, LookupError, TypeError):
        raise errors.FileUnreadable(f"{file} is no record of Avro.", hint="Mend or remove the file.") from None


def _column(position: int, field: dict[str, Any]) -> Column:
    """A union with null is a type that may be null."""
    kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
    kind = next(each for each in kinds if each != "null")
    spelled = str(kind.get("logicalType") or kind["type"]) if isinstance(kind, dict) else str(kind)
    return Column(
        name=field["name"],
        position=position,
        type=spelled,
        family=FAMILIES.get(spelled, TypeFamily.OTHER),
        nullable="null" in kinds,
        default=json.dumps(field["default"]) if field.get("default") is not None else None,
        comment=field.get("doc"),
    )
