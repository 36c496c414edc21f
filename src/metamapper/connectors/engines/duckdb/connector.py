"""Opening and testing a DuckDB file."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb

from metamapper.connectors import errors
from metamapper.connectors.base import Step
from metamapper.connectors.diagnosis import Finding, run_checks
from metamapper.connectors.engines.duckdb.errors import translated
from metamapper.connectors.engines.duckdb.session import DuckdbSession
from metamapper.connectors.engines.duckdb.settings import DuckdbSettings
from metamapper.connectors.reach import Reach

SEALED: Mapping[str, Any] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "memory_limit": "512MB",
    "threads": "1",
    "lock_configuration": "true",
}
"""A file may come from anybody, and its views may name other files, hosts or variables: nothing but the file is opened,
no extension is loaded, nothing is written, and no statement can change this.
See https://duckdb.org/docs/current/operations_manual/securing_duckdb/overview."""


class DuckdbConnector:
    def __init__(self, settings: DuckdbSettings, reach: Reach) -> None:
        self._settings = settings
        self._reach = reach

    @contextmanager
    def open(self) -> Iterator[DuckdbSession]:
        """A read-only session; while it lasts no other program can write the file. Raises a ``ConnectorError``."""
        path = self._file()
        try:
            # The real path is absolute, so that no prefix of it (md:, s3:) can mean anything.
            connection = duckdb.connect(str(path), read_only=True, config=dict(SEALED))
        except duckdb.Error as error:
            raise translated(error) from None
        with closing(connection):
            yield DuckdbSession(connection)

    def test(self) -> Iterator[Step]:
        """The connection test, step by step; raises nothing."""
        return run_checks(
            (("File", self._check_file), ("Database", self._check_database), ("Rights to write", self._check_writing))
        )

    def _check_file(self) -> Finding:
        return Finding(f"{self._file().stat().st_size:,} bytes, opened read-only")

    def _check_database(self) -> Finding:
        with self.open() as session:
            return Finding(f"DuckDB {session.server.version}, with {session.expected} tables and views")

    def _check_writing(self) -> Finding:
        return Finding("None: DuckDB itself refuses to write to a file that was opened so")

    def _file(self) -> Path:
        path = self._reach.file(self._settings.path)
        try:
            is_file = path.is_file()
        except OSError:
            is_file = False
        if not is_file:
            raise errors.FileUnreadable(f"There is no file {self._settings.path}.", hint="Check the path.")
        return path
