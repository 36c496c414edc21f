"""An engine of another package passes the suite that ours pass."""

from pathlib import Path

import pytest

from metamapper.connectors.conformance import ConformanceSuite, Subject
from tests.outside.subject import AvroSubject


class TestAvro(ConformanceSuite):
    @pytest.fixture
    def subject(self, avro: None, tmp_path: Path) -> Subject:
        return AvroSubject(tmp_path)
