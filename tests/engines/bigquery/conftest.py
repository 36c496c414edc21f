from collections.abc import Iterator

import pytest

from tests.engines.bigquery.subject import BigquerySource, BigquerySubject


@pytest.fixture
def source() -> Iterator[BigquerySource]:
    """A project of the stand-in with one empty dataset, shop."""
    with BigquerySubject().fresh() as source:
        yield source


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts that a test can sit out."""
    monkeypatch.setattr("metamapper.connectors.engines.bigquery.calls.FIRST_WAIT", 0.01)
