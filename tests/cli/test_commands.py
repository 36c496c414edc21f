"""The command group: every command is there, is described, and a wrong setting is told in its own words."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from django.conf import settings

from metamapper.cli.commands import COMMANDS, metamapper
from metamapper.cli.services import web


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


def run(tmp_path: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from metamapper.cli import main; main()", *command],
        env=os.environ | {"METAMAPPER_HOME": str(tmp_path), "METAMAPPER_DATABASE_URL": ""} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_metastore_without_tables_is_told_with_what_makes_them(tmp_path: Path) -> None:
    done = run(tmp_path, "datastore", "list")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: The metastore has no tables yet")
    assert "metamapper migrate" in done.stderr


def test_a_metastore_that_does_not_answer_is_told_without_its_password(tmp_path: Path) -> None:
    done = run(
        tmp_path, "datastore", "list", METAMAPPER_DATABASE_URL="postgresql://mapper:hunter2@127.0.0.1:1/metamapper"
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: The metastore does not answer: ")
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize("given", ["nonsense", "/no/such/file.json"])
def test_what_is_no_url_is_said_to_be_none(given: str) -> None:
    result = CliRunner().invoke(metamapper, ["inspect", given])
    assert result.exit_code == 2
    assert "This is not the URL of a datastore." in result.output
    assert "“”" not in result.output


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Make `metamapper make-key` fail in a way that nobody foresaw."""

    def fail_with(error: BaseException) -> None:
        def fail() -> None:
            raise error

        monkeypatch.setattr("metamapper.cli.keys.make_key.callback", fail)

    return fail_with


def test_a_fault_of_ours_is_a_line_without_a_secret(failing: Callable[[BaseException], None]) -> None:
    failing(LookupError("no answer from postgresql://ana:hunter2@host/db"))
    result = CliRunner().invoke(metamapper, ["make-key"])
    assert result.exit_code == 2
    assert result.output.startswith("Error: LookupError: no answer from postgresql://ana:***@host/db\n")
    assert "Traceback" not in result.output


def test_debug_shows_where_it_happened(failing: Callable[[BaseException], None]) -> None:
    failing(LookupError("here"))
    assert isinstance(CliRunner().invoke(metamapper, ["--debug", "make-key"]).exception, LookupError)


def test_an_interrupted_command_is_no_answer(failing: Callable[[BaseException], None]) -> None:
    """1 would say "they differ"."""
    failing(KeyboardInterrupt())
    assert CliRunner().invoke(metamapper, ["make-key"]).exit_code == 130


@pytest.mark.parametrize("arguments", [["--help"], ["make-key"]])
def test_a_command_that_needs_no_django_does_not_import_it(arguments: list[str]) -> None:
    heavy = "[m for m in ('django', 'celery', 'psycopg') if m in sys.modules]"
    program = f"import sys, atexit; atexit.register(lambda: print('heavy:', {heavy})); from metamapper.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    assert "heavy: []" in done.stdout


@pytest.mark.parametrize(("arguments", "told"), [((), True), (("--quiet",), False)])
def test_the_web_server_says_what_is_in_force_before_it_begins(
    arguments: tuple[str, ...], told: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    became: list[tuple[str, ...]] = []
    monkeypatch.setattr("metamapper.cli.services._become", lambda *words: became.append(words))
    caplog.set_level("INFO")
    done = CliRunner().invoke(web, [*arguments, "--port", "5051", "--workers", "3"])
    assert done.exit_code == 0, done.output
    assert became[0][0] == "gunicorn"
    assert became[0][-2:] == ("--workers", "3")
    said = caplog.text + done.output
    assert ("METAMAPPER_FERNET_KEY" in said) == told
    assert not any(key in said for key in settings.METAMAPPER_FERNET_KEYS)
