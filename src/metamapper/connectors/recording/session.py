"""A connector that behaves as the one it wraps, and writes down what its sessions answer."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from pathlib import Path

from metamapper.connectors.base import Connector, Engine, EngineSettings, Observation, Server, Session, Statement, Step
from metamapper.connectors.errors import ConnectorError
from metamapper.connectors.recording.format import AnyEvent, Ended, Failed, Listed, Opened, Probed, Seen, Sent
from metamapper.connectors.recording.masking import Mask
from metamapper.connectors.recording.writer import written
from metamapper.connectors.scope import ScopeFilter
from metamapper.schema import Relation, Scope

Write = Callable[[AnyEvent], None]
DEEPEST = 12
"""Places in the code that are kept of a failure: the innermost."""


@contextmanager
def recorded(
    path: Path,
    engine: Engine,
    settings: EngineSettings,
    within: ScopeFilter,
    connector: Connector,
    *,
    hosts: Sequence[str] = (),
) -> Iterator[Connector]:
    """The connector for one inspection, whose answers are in the file when the block ends.

    ``hosts`` are those on the way, which are not named in it either. Raises ``NotRecorded``.
    """
    with written(path, engine.name, within) as writer:
        yield _Recording(connector, writer.write, Mask(settings, hosts))


class _Recording:
    def __init__(self, connector: Connector, write: Write, mask: Mask) -> None:
        self._connector = connector
        self._write = write
        self._mask = mask

    @contextmanager
    def open(self) -> Iterator[Session]:
        with ExitStack() as stack:
            try:
                session = stack.enter_context(self._connector.open())
            except Exception as error:
                self._write(failed("open", error, self._mask))
                raise
            details = self._mask.details(dict(session.server.details))
            self._write(Opened(self._mask.text(session.server.version), details))
            try:
                yield _RecordingSession(session, self._write, self._mask)
            finally:
                for each in session.statements:
                    self._write(Sent(each.label, self._mask.words(each.sql), each.seconds, each.rows))

    def test(self) -> Iterator[Step]:
        return iter(self._connector.test())


class _RecordingSession:
    def __init__(self, session: Session, write: Write, mask: Mask) -> None:
        self._session = session
        self._write = write
        self._mask = mask
        self._within = ScopeFilter()
        self._rest: Iterator[Observation] = iter(())
        self.server: Server = session.server
        self.expected: int | None = session.expected

    @property
    def statements(self) -> Sequence[Statement]:
        return self._session.statements

    def probe(self, within: ScopeFilter) -> str | None:
        with self._noted("probe"):
            token = self._session.probe(within)
        self.expected = self._session.expected
        self._write(Probed(token))
        return token

    def scopes(self, within: ScopeFilter) -> tuple[Sequence[Scope], bool]:
        self._within = within
        with self._noted("scopes"):
            scopes, complete = self._session.scopes(within)
        self.expected = self._session.expected
        self._write(Listed(tuple(map(self._mask.scope, scopes)), complete, self.expected))
        return scopes, complete

    def relations(self, within: ScopeFilter) -> Iterator[Observation]:
        with self._noted("relations"):
            self._rest = self._session.relations(within)
        yield from self._written()

    def _written(self) -> Iterator[Observation]:
        while True:
            with self._noted("relations"):
                observation = next(self._rest, None)
            if observation is None:
                self._write(Ended())
                return
            self._write(seen(observation, self._mask))
            yield observation

    def decode(self, payload: bytes) -> Relation:
        """One that cannot be decoded ends the inspection, not the recording: the rest is read, so that it can be replayed
        once it can.
        """
        try:
            return self._session.decode(payload)
        except Exception as error:
            for _ in self._written():
                pass
            self.scopes(self._within)
            self._write(failed("decode", error, self._mask))
            raise

    def cancel(self) -> None:
        self._session.cancel()

    @contextmanager
    def _noted(self, at: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._write(failed(at, error, self._mask))
            raise


def seen(observation: Observation, mask: Mask) -> Seen:
    """The relation as a line. Where a secret was taken out, the fingerprint is of what is left: the old one could be used to
    try out what it was.
    """
    payload = mask.payload(observation.payload)
    fingerprint = (
        observation.fingerprint if payload == observation.payload else blake2b(payload, digest_size=16).digest()
    )
    try:
        text, data = payload.decode(), b""
    except UnicodeDecodeError:
        text, data = None, payload
    return Seen(
        mask.text(observation.schema),
        mask.text(observation.name),
        observation.kind,
        fingerprint,
        text,
        data,
        observation.native_id,
        observation.row_estimate,
        observation.size_bytes,
    )


def failed(at: str, error: Exception, mask: Mask) -> Failed:
    """The failure with its words redacted, and where in the code it was raised; never the values that were there."""
    frames = traceback.extract_tb(error.__traceback__)[-DEEPEST:]
    trace = tuple(f"{Path(frame.filename).stem}:{frame.lineno} {frame.name}" for frame in frames)
    kind = type(error).__name__
    if not isinstance(error, ConnectorError):
        return Failed(at=at, kind=kind, detail=mask.words(str(error)), trace=trace)
    return Failed(
        at=at,
        kind=kind,
        code=error.code,
        title=error.title,
        permanent=error.permanent,
        detail=mask.words(error.detail),
        server_said=mask.words(error.server_said),
        hint=mask.words(error.hint),
        remedy=mask.words(error.remedy),
        unseen=mask.words(error.unseen),
        trace=trace,
    )
