"""The command group: every command is there, is described, and a wrong setting is told in its own words."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from metamapper.cli.commands import COMMANDS, metamapper


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_described(name: str) -> None:
    result = CliRunner().invoke(metamapper, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output


def test_the_group_lists_every_command() -> None:
    result = CliRunner().invoke(metamapper, ["--help"])
    assert result.exit_code == 0
    assert all(name in result.output for name in COMMANDS)


def test_an_unknown_command_is_refused() -> None:
    assert CliRunner().invoke(metamapper, ["inspct"]).exit_code == 2


def test_a_wrong_setting_is_named_without_a_traceback(tmp_path: Path) -> None:
    environment = os.environ | {"ENVIRONMENT": "prodution", "METAMAPPER_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", "from metamapper.cli import main; main()", "migrate"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ENVIRONMENT is “prodution”")
    assert "Traceback" not in done.stderr
