"""`metamapper alive`: whether the worker or scheduler of this machine goes on, by the age of its file."""

from pathlib import Path

import click

from metamapper.lib.alive import age

VARIABLE = "METAMAPPER_ALIVE_FILE"


@click.command()
@click.option(
    "--file", "path", envvar=VARIABLE, type=click.Path(path_type=Path), help=f"The file; {VARIABLE} by default."
)
@click.option(
    "--within", default=120, show_default=True, type=click.IntRange(1), help="How many seconds old it may be."
)
def alive(*, path: Path | None, within: int) -> None:
    """Tell by a file's age whether a worker or scheduler lives: a probe for orchestrators.

    It touches the file every few seconds. No server is asked, nothing is loaded: it answers at once.

    The exit code is 0 if it lives, 1 if it does not, 2 if no file is named.
    """
    if path is None:
        raise click.UsageError(f"No file is named. Set {VARIABLE} for the worker and for this command alike.")
    seconds = age(path)
    if seconds is None:
        click.echo(f"{path} is not there: nothing has started yet, or it runs with another {VARIABLE}.")
        raise SystemExit(1)
    click.echo(f"Touched {seconds:.0f} seconds ago")
    raise SystemExit(0 if seconds <= within else 1)
