"""`metamapper alive` tells by a file's age, and says what to do where there is none."""

import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from metamapper.cli.commands import metamapper
from metamapper.lib.alive import AliveFile


@pytest.mark.parametrize(("age", "options", "code"), [(5, (), 0), (200, (), 1), (200, ("--within", "300"), 0)])
def test_its_age_decides(tmp_path: Path, age: int, options: tuple[str, ...], code: int) -> None:
    path = tmp_path / "alive"
    AliveFile(str(path)).touch()
    os.utime(path, (time.time() - age, time.time() - age))
    result = CliRunner().invoke(metamapper, ["alive", "--file", str(path), *options])
    assert result.exit_code == code
    assert f"{age} seconds ago" in result.output


def test_none_is_there(tmp_path: Path) -> None:
    result = CliRunner().invoke(metamapper, ["alive"], env={"METAMAPPER_ALIVE_FILE": str(tmp_path / "none")})
    assert result.exit_code == 1
    assert "is not there" in result.output


def test_none_is_named() -> None:
    result = CliRunner().invoke(metamapper, ["alive"], env={"METAMAPPER_ALIVE_FILE": ""})
    assert result.exit_code == 2
    assert "METAMAPPER_ALIVE_FILE" in result.output


def test_one_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    file = AliveFile(str(tmp_path / "no" / "folder"))
    file.touch()
    file.touch()
