"""Recordings: how a failing case of somebody else becomes a test, and the promises of an engine about them.

A test of a recording that a user has sent::

    def test_a_generated_column_without_a_type() -> None:
        snapshot = replay(Path("tests/recordings/generated.recording"))
        assert ...
"""

import gzip
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from metamapper.connectors.base import Ability, EngineSettings
from metamapper.connectors.conformance.promises import PromiseBroken, holds, promise, same
from metamapper.connectors.conformance.reads import EVERYTHING
from metamapper.connectors.conformance.seed import seed
from metamapper.connectors.conformance.subject import Subject
from metamapper.connectors.errors import ConnectorError
from metamapper.connectors.reach import Reach
from metamapper.connectors.reading import snapshot_of
from metamapper.connectors.recording import recorded, replayed_snapshot
from metamapper.connectors.scope import ScopeFilter
from metamapper.schema import Snapshot

HEAD = 3
"""Lines before what is compressed."""


def record(
    subject: Subject,
    path: Path,
    settings: EngineSettings,
    reach: Reach = Reach(),  # noqa: B008 - it is frozen
) -> Snapshot:
    """Inspect and record, as `metamapper inspect --record` does."""
    connector = subject.engine.connect(settings, reach)
    with recorded(path, subject.engine, settings, EVERYTHING, connector) as recording:
        return snapshot_of(recording, subject.engine, EVERYTHING)


def replay(path: Path, within: ScopeFilter = EVERYTHING) -> Snapshot:
    """Inspect from a recording with the code of today; raises what was raised then."""
    return replayed_snapshot(path, within)


def text_of(path: Path) -> bytes:
    """Everything that is in a recording."""
    parts = path.read_bytes().split(b"\n", HEAD)
    return b"\n".join((*parts[:HEAD], gzip.decompress(parts[HEAD])))


def spellings(secret: str) -> set[bytes]:
    """In which a secret may have got into a text."""
    return {secret.encode(), quote(secret, safe="").encode(), b64encode(secret.encode()).rstrip(b"=")}


class RecordingSuite:
    """Each method gets a subject and raises ``AssertionError`` where a promise is broken."""

    @promise()
    def test_a_recording_is_read_as_the_database_was(self, subject: Subject) -> None:
        with subject.fresh() as source, TemporaryDirectory() as folder:
            path = Path(folder) / "a.recording"
            source.perform(*seed(subject.engine))
            found = record(subject, path, source.settings, source.reach)
            holds(found.relations, "Relations")
            same(replay(path), found, "What a recording is read as")

    @promise(Ability.PASSWORDS)
    def test_a_recorded_failure_is_the_same_failure_and_holds_no_secret(self, subject: Subject) -> None:
        with subject.wrong_passwords() as refused, TemporaryDirectory() as folder:
            holds(refused, "The subject has settings that are refused")
            for number, settings in enumerate(refused):
                path = Path(folder) / f"{number}.recording"
                first = _error_of(partial(record, subject, path, settings))
                again = _error_of(partial(replay, path))
                same((type(again), again.code), (type(first), first.code), "The error of a replay")
                written = text_of(path)
                holds(written.count(b"\n") > HEAD, "A recording of a failure")
                found = [secret for secret in settings.secrets() if any(each in written for each in spellings(secret))]
                same(len(found), 0, "Secrets in a recording")


def _error_of(act: Callable[[], object]) -> ConnectorError:
    try:
        act()
    except ConnectorError as error:
        return error
    raise PromiseBroken("Nothing failed where something must")
