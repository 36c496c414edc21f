"""What the command line says never holds a secret, nor a control character from outside."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from metamapper.cli.commands import metamapper
from metamapper.cli.telling import Failed, failure, shown, write
from metamapper.connectors.errors import SignInFailed
from metamapper.lib.masking import masked

PASSWORDS = ["hunter2", "p@ss", "a:b@c", "with/slash", "%40quoted", "ünïcode"]


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_url_shows_no_password(password: str) -> None:
    text = masked(f"could not connect to postgresql://ana:{password}@db.invalid:5432/shop?sslmode=require")
    assert password not in text
    assert "postgresql://ana:***@db.invalid:5432/shop?sslmode=require" in text


@pytest.mark.parametrize("name", ["password", "sslpassword", "private_key", "TOKEN", "client_secret"])
def test_a_parameter_shows_no_secret(name: str) -> None:
    assert masked(f"x://host/db?{name}=hunter2&a=b") == f"x://host/db?{name}=***&a=b"


def test_a_url_without_a_password_is_left_as_it_is() -> None:
    for url in ("postgresql://ana@host/shop", "sqlite:///tmp/a.db", "see https://example.invalid/a?b=c"):
        assert masked(url) == url


def test_a_failure_says_what_the_server_said_and_the_next_step() -> None:
    error = SignInFailed(
        server_said="password authentication failed", hint="Check the password.", remedy="ALTER ROLE a;"
    )
    message = failure(error, "postgresql://ana:***@host/db").format_message()
    assert message.splitlines() == [
        (
            "postgresql://ana:***@host/db: The server refused this user with this password. "
            "The server said: password authentication failed"
        ),
        "Check the password.",
        "ALTER ROLE a;",
    ]


@given(st.text())
def test_what_is_shown_is_printable(name: str) -> None:
    assert shown(name).isprintable()


def test_a_terminal_escape_in_a_name_is_spelled_out() -> None:
    assert shown("a\x1b[2Jb\u202ec") == "a\\x1b[2Jb\\u202ec"


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="cannot be written"):
        write("x", tmp_path / "no" / "such" / "folder")


def test_make_key_prints_a_key() -> None:
    result = CliRunner().invoke(metamapper, ["make-key"])
    assert result.exit_code == 0
    Fernet(result.output.strip())
