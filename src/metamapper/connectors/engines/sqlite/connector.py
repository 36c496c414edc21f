"""Opening and testing a SQLite file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic

from metamapper.connectors import errors
from metamapper.connectors.base import Step, StepState
from metamapper.connectors.engines.sqlite.errors import translated
from metamapper.connectors.engines.sqlite.session import SqliteSession
from metamapper.connectors.engines.sqlite.settings import SqliteSettings
from metamapper.connectors.reach import Reach
from metamapper.connectors.scope import ScopeFilter

BUSY_SECONDS = 5.0


class SqliteConnector:
    def __init__(self, settings: SqliteSettings, reach: Reach) -> None:
        self._settings = settings
        self._reach = reach

    @contextmanager
    def open(self) -> Iterator[SqliteSession]:
        """A session in one read transaction; raises a ``ConnectorError``."""
        path = self._file()
        try:
            # Another thread may cancel, so the module's own check of threads is off; only one thread reads.
            connection = sqlite3.connect(
                f"{path.as_uri()}?mode=ro",
                uri=True,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise translated(error) from None
        with closing(connection):
            yield SqliteSession(connection)

    def test(self) -> Iterator[Step]:
        started = monotonic()
        try:
            size = self._file().stat().st_size
        except errors.ConnectorError as error:
            yield Step("File", StepState.FAILED, error.detail or error.title, monotonic() - started, error)
            yield Step("Database", StepState.WAITING)
            return
        yield Step("File", StepState.OK, f"{size:,} bytes, opened read-only", monotonic() - started)
        yield self._database()

    def _database(self) -> Step:
        started = monotonic()
        try:
            with self.open() as session:
                session.scopes(ScopeFilter())
                found = f"SQLite {session.server.version}, tables and views: {session.expected}"
        except errors.ConnectorError as error:
            return Step("Database", StepState.FAILED, error.detail or error.title, monotonic() - started, error)
        return Step("Database", StepState.OK, found, monotonic() - started)

    def _file(self) -> Path:
        path = self._reach.file(self._settings.path)
        try:
            is_file = path.is_file()
        except OSError:
            is_file = False
        if not is_file:
            raise errors.FileUnreadable(f"There is no file {self._settings.path}.", hint="Check the path.")
        return path
