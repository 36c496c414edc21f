from pathlib import Path

import pytest

from metamapper.connectors.conformance import ConformanceSuite, Subject
from tests.engines.sqlite.subject import SqliteSubject


class TestSqlite(ConformanceSuite):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        return SqliteSubject(tmp_path)
