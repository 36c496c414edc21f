from pathlib import Path

import pytest

from metamapper.connectors.conformance import ConformanceSuite, Subject
from tests.engines.duckdb.subject import DuckdbSubject


class TestDuckdbLive(ConformanceSuite):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        return DuckdbSubject(tmp_path)
