"""Inspecting from a recording: no driver, no network, the same answers and the same failures."""

import builtins
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from metamapper.connectors.base import Engine, Observation, Server, Session, Statement, Step
from metamapper.connectors.diagnosis import Finding, run_checks
from metamapper.connectors.errors import ConnectorError, FileUnreadable
from metamapper.connectors.reading import OnProgress, snapshot_of
from metamapper.connectors.recording.format import (
    DECODER,
    FIRST_LINE,
    LONGEST,
    VERSION,
    AnyEvent,
    Ended,
    Failed,
    Head,
    Listed,
    Opened,
    Probed,
    Sealed,
    Seen,
    Sent,
)
from metamapper.connectors.registry import engine as engine_named
from metamapper.connectors.scope import ScopeFilter
from metamapper.schema import Completeness, Relation, Scope, Snapshot

E = TypeVar("E", Listed, Opened, Probed)
_HEAD_LINE = 65_536


class RecordedFault(Exception):
    """A fault of ours that was recorded, where its class cannot be had."""


def replayed_snapshot(
    path: Path,
    within: ScopeFilter = ScopeFilter(),  # noqa: B008 - it is frozen
    on_progress: OnProgress | None = None,
) -> Snapshot:
    """What a recording holds, inspected anew; raises the failure that was recorded, or ``FileUnreadable``."""
    engine, connector = replayed(path)
    return snapshot_of(connector, engine, within, on_progress)


def replayed(path: Path) -> tuple[Engine, "Replay"]:
    """The engine that answered, and a connector that answers as it did.

    Raises ``FileUnreadable`` where the file is none of ours, is of another version, was cut off or changed, and
    ``DriverMissing`` where the engine is of a package that is not installed.
    """
    head = _verified(path)
    engine = engine_named(head.engine)
    return engine, Replay(path, engine, head)


def _verified(path: Path) -> Head:
    """Read to the end once: nothing is believed of a file whose last line does not fit the rest."""
    with _read(path) as (line, lines):
        digest = sha256(line)
        for count, raw in enumerate(lines):
            event = _event(raw, path)
            if isinstance(event, Sealed):
                if (event.events, event.digest) != (count, digest.hexdigest()) or next(lines, b""):
                    raise _unfit(path, "was changed after it was made")
                return _head(line, path)
            digest.update(raw)
    raise _unfit(path, "was cut off")


def _event(raw: bytes, path: Path) -> AnyEvent:
    try:
        return DECODER.decode(raw)
    except msgspec.DecodeError:
        raise _unfit(path, "was changed after it was made") from None


def _head(line: bytes, path: Path) -> Head:
    try:
        return msgspec.json.decode(line, type=Head)
    except msgspec.DecodeError:
        raise _unfit(path, "was changed after it was made") from None


@contextmanager
def _read(path: Path) -> Iterator[tuple[bytes, Iterator[bytes]]]:
    """The line about the whole, and the lines of the answers; raises ``FileUnreadable``."""
    try:
        with path.open("rb") as file:
            line = _about(file, path)
            with gzip.GzipFile(fileobj=file, mode="rb") as stream:
                yield line, _lines(stream, path)
    except OSError as error:
        if error.strerror is None:  # gzip's own
            raise _unfit(path, "was changed after it was made") from None
        raise FileUnreadable(f"{path} cannot be read: {error.strerror}.") from None


def _about(file: BinaryIO, path: Path) -> bytes:
    """The first lines, as far as they are ours."""
    first = file.readline(_HEAD_LINE).decode("utf-8", "replace").rstrip("\n")
    if not first.startswith(FIRST_LINE):
        raise FileUnreadable(f"{path} is no recording.", hint="`metamapper inspect URL --record FILE` makes one.")
    if first != f"{FIRST_LINE}{VERSION}":
        other = first.removeprefix(FIRST_LINE)
        hint = "Replay it with the Metamapper that made it, or record it again."
        raise FileUnreadable(
            f"{path} is a recording of version {other[:20]}, and version {VERSION} is read.", hint=hint
        )
    file.readline(_HEAD_LINE)
    return file.readline(_HEAD_LINE)


def _lines(stream: gzip.GzipFile, path: Path) -> Iterator[bytes]:
    try:
        while line := stream.readline(LONGEST):
            if not line.endswith(b"\n"):
                raise _unfit(path, "was cut off")
            yield line
    except EOFError:
        raise _unfit(path, "was cut off") from None
    except (zlib.error, gzip.BadGzipFile):
        raise _unfit(path, "was changed after it was made") from None


def _unfit(path: Path, what: str) -> FileUnreadable:
    return FileUnreadable(f"{path} {what}.", hint="Record it again.")


class Replay:
    """A connector that answers as a recording says."""

    def __init__(self, path: Path, engine: Engine, head: Head) -> None:
        self._path = path
        self._engine = engine
        self._head = head

    def lacks(self, within: ScopeFilter) -> str:
        """What to say where more is asked for than was recorded, else blank."""
        recorded = self._head.within
        asked = (
            ("schemas", recorded.schemas, recorded.schemas.covers(within.schemas)),
            ("tables", recorded.tables, recorded.tables.covers(within.tables)),
        )
        short = " and ".join(f"{what} “{patterns}”" for what, patterns, covered in asked if not covered)
        return f"The recording holds {short} only: nothing else was asked for when it was made." if short else ""

    @contextmanager
    def open(self) -> Iterator[Session]:
        with _read(self._path) as (_, lines):
            yield _ReplaySession(self._engine, self._head, (_event(line, self._path) for line in lines), self._path)

    def test(self) -> Iterator[Step]:
        return run_checks((("Recording", self._check),))

    def _check(self) -> Finding:
        return Finding(f"Of {self._engine.title}, made {_verified(self._path).made}")


_NOT_ASKED_FOR = "The recording holds the tables “{}” only."


class _ReplaySession:
    def __init__(self, engine: Engine, head: Head, events: Iterator[AnyEvent], path: Path) -> None:
        self._path = path
        self._head = head
        self._events = events
        self._decoding = engine.decoding()
        self._listed = Listed(complete=False)
        self._reading = False
        self.statements: list[Statement] = []
        self.expected: int | None = None
        opened = self._until(Opened, (), ("open",))
        self.server = Server(opened.version, opened.details) if opened else Server("")

    def probe(self, within: ScopeFilter) -> str | None:
        """None where nobody asked then, or about something else."""
        probed = self._until(Probed, (), ("probe",))
        return probed.token if probed and within == self._head.within else None

    def scopes(self, within: ScopeFilter) -> tuple[Sequence[Scope], bool]:
        """The answer that was given at this point, or the last there was."""
        over = (Probed, Seen, Ended) if self._reading else (Probed,)
        failing = ("probe", "scopes", "decode", *(("relations",) if self._reading else ()))
        self._listed = self._until(Listed, over, failing) or self._listed
        self.expected = self._listed.expected
        found = [self._as_asked(each, within) for each in self._listed.scopes if within.allows_schema(each.name)]
        return found, self._listed.complete and self._head.within.schemas.covers(within.schemas)

    def _as_asked(self, scope: Scope, within: ScopeFilter) -> Scope:
        """Not complete where more of its tables is asked for than was recorded."""
        tables = self._head.within.tables
        if scope.completeness is not Completeness.COMPLETE or tables.covers(within.tables):
            return scope
        return msgspec.structs.replace(scope, completeness=Completeness.PARTIAL, reason=_NOT_ASKED_FOR.format(tables))

    def relations(self, within: ScopeFilter) -> Iterator[Observation]:
        self._reading = True
        for event in self._events:
            self._heed(event)
            if isinstance(event, Ended):
                return
            if isinstance(event, Seen) and _allows(within, event):
                yield _observation(event)

    def decode(self, payload: bytes) -> Relation:
        """Raises ``FileUnreadable`` for what today's code does not know how to read."""
        try:
            return self._decoding(payload)
        except msgspec.DecodeError as error:
            raise FileUnreadable(
                f"{self._path} holds an answer that cannot be decoded: {error}.",
                hint=f"It was made by Metamapper {self._head.metamapper}: replay it with that, or record it again.",
            ) from error

    def cancel(self) -> None:
        """Nothing is under way."""

    def _until(self, kind: type[E], over: tuple[type, ...], failing: tuple[str, ...]) -> E | None:
        """The next answer of this kind, past others (``over``) that were not asked for this time, and raising what these
        calls raised (``failing``). Anything else is put back, for the call that asks for it.
        """
        for event in self._events:
            if isinstance(event, kind):
                return event
            ours = event.at in failing if isinstance(event, Failed) else isinstance(event, (Sent, *over))
            if not ours:
                self._events = chain((event,), self._events)
                return None
            self._heed(event)
        return None

    def _heed(self, event: AnyEvent) -> None:
        """Keep what was sent; raise what was raised, save by decoding, which is done anew."""
        if isinstance(event, Sent):
            self.statements.append(Statement(event.label, event.sql, event.seconds, event.rows))
        elif isinstance(event, Failed) and event.at != "decode":
            raise again(event)


def _allows(within: ScopeFilter, event: Seen) -> bool:
    return within.allows_schema(event.schema) and within.allows_table(event.schema, event.name)


def _observation(event: Seen) -> Observation:
    return Observation(
        schema=event.schema,
        name=event.name,
        kind=event.kind,
        fingerprint=event.fingerprint,
        payload=event.data if event.text is None else event.text.encode(),
        native_id=event.native_id,
        row_estimate=event.row_estimate,
        size_bytes=event.size_bytes,
    )


def again(failed: Failed) -> Exception:
    """The failure as it was raised: of the same class where there is one, with the same words."""
    if not failed.code:
        known = getattr(builtins, failed.kind, None)
        if isinstance(known, type) and issubclass(known, Exception) and not issubclass(known, UnicodeError):
            return known(failed.detail)
        return RecordedFault(f"{failed.kind}: {failed.detail}")
    named = (each for each in _all(ConnectorError) if (each.__name__, each.code) == (failed.kind, failed.code))
    kind = next((each for each in named if each.__init__ is ConnectorError.__init__), None)
    if kind is None:  # of a package that is not installed, or that wants other arguments
        facts = {"code": failed.code, "title": failed.title, "permanent": failed.permanent}
        kind = type(failed.kind, (ConnectorError,), facts)
    return kind(
        failed.detail,
        server_said=failed.server_said,
        hint=failed.hint,
        remedy=failed.remedy,
        unseen=failed.unseen,
    )


def _all(kind: type[ConnectorError]) -> Iterator[type[ConnectorError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _all(each)
