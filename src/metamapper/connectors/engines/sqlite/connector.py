"""Opening and testing a SQLite file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from metamapper.connectors import errors
from metamapper.connectors.base import Step
from metamapper.connectors.diagnosis import Finding, run_checks
from metamapper.connectors.engines.sqlite.errors import translated
from metamapper.connectors.engines.sqlite.session import SqliteSession
from metamapper.connectors.engines.sqlite.settings import SqliteSettings
from metamapper.connectors.reach import Reach

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
        """The connection test, step by step; raises nothing."""
        return run_checks(
            (("File", self._check_file), ("Database", self._check_database), ("Rights to write", self._check_writing))
        )

    def _check_file(self) -> Finding:
        return Finding(f"{self._file().stat().st_size:,} bytes, opened read-only")

    def _check_database(self) -> Finding:
        with self.open() as session:
            return Finding(f"SQLite {session.server.version}, with {session.expected} tables and views")

    def _check_writing(self) -> Finding:
        return Finding("None: SQLite itself refuses to write to a file that was opened so")

    def _file(self) -> Path:
        path = self._reach.file(self._settings.path)
        try:
            is_file = path.is_file()
        except OSError:
            is_file = False
        if not is_file:
            raise errors.FileUnreadable(f"There is no file {self._settings.path}.", hint="Check the path.")
        return path
