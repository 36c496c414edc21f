"""How the command line speaks: results on standard output, everything else on standard error, never a secret.

What goes wrong is one line and the next step, with exit code 2. Names that come from a datastore are data: no control
character of theirs reaches the terminal.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from metamapper.connectors.base import Progress
from metamapper.connectors.errors import ConnectorError
from metamapper.lib.masking import masked
from metamapper.lib.printable import printable

FAILED = 2


class Failed(click.ClickException):
    """Something could not be done: what, and the next step. Ends the command with exit code 2."""

    exit_code = FAILED

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(masked(message) + (f"\n{masked(hint)}" if hint else ""))


def shown(text: str) -> str:
    """A name from outside, fit for a terminal: control and direction characters are spelled out."""
    return printable(text)


@contextmanager
def told(subject: str) -> Iterator[None]:
    """Turn what went wrong with a datastore into ``Failed``; ``subject`` says which, in words that may be shown."""
    try:
        yield
    except ConnectorError as error:
        raise failure(error, subject) from error


def failure(error: ConnectorError, subject: str) -> Failed:
    """The error in words: what is so, what the server said, what to do, what to paste."""
    detail = f" {error.detail}" if error.detail and error.detail != error.title else ""
    said = f" The server said: {error.server_said}" if error.server_said else ""
    hint = "\n".join(line for line in (error.hint, error.remedy) if line)
    return Failed(f"{subject}: {error.title}.{detail}{said}", hint=hint)


def warn(text: str) -> None:
    click.echo(masked(text), err=True)


@contextmanager
def progress(label: str) -> Iterator[Callable[[Progress], None]]:
    """Takes reports of how far a read has come and shows them as a bar, where standard error is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _report: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    look: list[ProgressColumn] = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    ]
    with Bars(*look, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(label, total=None)
        yield lambda report: bars.update(task, completed=report.done, total=report.total)


def write(text: str, path: Path | None) -> None:
    """To the file, or to standard output."""
    if path is None:
        click.echo(text)
        return
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise Failed(f"{path} cannot be written: {error.strerror}.", hint="Name another file with --output.") from error


def url_given(text: str) -> str:
    """The URL of an argument; ``-`` reads it from standard input, so that no password shows in the list of processes."""
    if text != "-":
        return text
    line = sys.stdin.readline().strip()
    if not line:
        raise Failed(
            "No URL came from standard input.", hint="Give it as the argument, or as a line on standard input."
        )
    return line
