"""Writing a recording: line by line, for its owner alone, and in place only when it is whole."""

import gzip
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

import msgspec

from metamapper.connectors.recording.format import FIRST_LINE, SECOND_LINE, VERSION, AnyEvent, Head, Sealed
from metamapper.connectors.scope import ScopeFilter

OWNER_ONLY = 0o600


class NotRecorded(Exception):
    """The file could not be written; says which and why."""


class Writer:
    def __init__(self, path: Path, file: BinaryIO, head: Head) -> None:
        self._path = path
        line = msgspec.json.encode(head) + b"\n"
        self._digest = sha256(line)
        self._events = 0
        file.write(f"{FIRST_LINE}{VERSION}\n{SECOND_LINE}\n".encode() + line)
        self._stream = gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0)

    def write(self, event: AnyEvent) -> None:
        """Add a line; raises ``NotRecorded``."""
        line = msgspec.json.encode(event) + b"\n"
        self._digest.update(line)
        self._events += 1
        with _writing(self._path):
            self._stream.write(line)

    def seal(self) -> None:
        """Write the last line; nothing can be added."""
        self._stream.write(msgspec.json.encode(Sealed(self._events, self._digest.hexdigest())) + b"\n")
        self._stream.close()


@contextmanager
def written(path: Path, engine: str, within: ScopeFilter) -> Iterator[Writer]:
    """A recording that is in its place when the block ends, also by an error: that is what it is made for.

    An interruption leaves none. Raises ``NotRecorded``.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    made = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    head = Head(engine=engine, made=made, metamapper=version("metamapper"), within=within)
    failure: Exception | None = None
    try:
        with _writing(path):
            file = os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY), "wb")
        with ExitStack() as stack:
            stack.callback(_closed, file)
            writer = Writer(path, file, head)
            try:
                yield writer
            except NotRecorded:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is raised again below
                failure = error
            with _writing(path):
                writer.seal()
                file.flush()
                os.fsync(file.fileno())
        with _writing(path):
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    if failure is not None:
        raise failure


def _closed(file: BinaryIO) -> None:
    """What is not written by now is not needed any more."""
    with suppress(OSError):
        file.close()


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotRecorded(f"{path} cannot be written: {error.strerror or error}.") from None
