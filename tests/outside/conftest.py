from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.outside.packages import importable, installed


@pytest.fixture(scope="session")
def avro_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package with the good engine is installed."""
    return installed("avro", tmp_path_factory.mktemp("avro"))


@pytest.fixture(scope="session")
def broken_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package with the broken ones is."""
    return installed("broken", tmp_path_factory.mktemp("broken"))


@pytest.fixture
def avro(avro_package: Path) -> Iterator[None]:
    with importable(avro_package):
        yield


@pytest.fixture
def broken(broken_package: Path) -> Iterator[None]:
    with importable(broken_package):
        yield
