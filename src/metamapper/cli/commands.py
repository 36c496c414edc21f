"""The `metamapper` group. A command's module is imported when the command is called: `inspect` never waits for Django."""

import importlib
import sys
from typing import Any

import click

from metamapper.lib.errors import ConfigurationError
from metamapper.lib.masking import masked

COMMANDS: dict[str, str] = {
    "alive": "metamapper.cli.alive",
    "changes": "metamapper.cli.changes",
    "check": "metamapper.cli.check",
    "inspect": "metamapper.cli.inspect",
    "datastore": "metamapper.cli.datastore",
    "diff": "metamapper.cli.diff",
    "doctor": "metamapper.cli.doctor",
    "make-key": "metamapper.cli.keys",
    "migrate": "metamapper.cli.services",
    "reindex": "metamapper.cli.reindex",
    "rotate-keys": "metamapper.cli.keys",
    "scheduler": "metamapper.cli.services",
    "up": "metamapper.cli.up",
    "web": "metamapper.cli.services",
    "worker": "metamapper.cli.services",
}
"""Each command by name, with the module that holds it under that name (``-`` written as ``_``)."""


INTERRUPTED = 130
"""What shells report for a command that Ctrl-C ended."""


class NotConfigured(click.ClickException):
    """A wrong setting, told in its own words."""

    exit_code = 2


class Broken(click.ClickException):
    """What nobody foresaw: a fault of ours, or a metastore that went away."""

    exit_code = 2

    def format_message(self) -> str:
        return f"{self.message}\n`metamapper check` tells whether the configuration is at fault, --debug shows where it happened."


class NoMetastore(click.ClickException):
    """The metastore does not answer, or nobody has made its tables."""

    exit_code = 2


def _trouble_of(error: Exception) -> click.ClickException:
    """What went wrong, in words where it is the metastore. Django is looked at only where a command has loaded it."""
    django = sys.modules.get("django.db")
    if django is None or not isinstance(error, (django.OperationalError, django.ProgrammingError)):
        return Broken(masked(f"{type(error).__name__}: {error}"))
    said = masked(str(error)).strip()
    if "no such table" in said or ("relation" in said and "does not exist" in said):
        return NoMetastore(
            "The metastore has no tables yet, or not all.\n`metamapper migrate` or `metamapper up` makes them."
        )
    return NoMetastore(f"The metastore does not answer: {said}\n`metamapper check` shows where it is looked for.")


class Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name]), cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)  # noqa: S101 - the table above is ours
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what goes wrong is told in words, with exit code 2, and an interruption has a code of its own."""
        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            raise NotConfigured(str(error)) from error
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except Exception as error:
            if ctx.params["debug"]:
                raise
            raise _trouble_of(error) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="metamapper", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show where an unexpected error happened.")
def metamapper(*, debug: bool) -> None:
    """Metamapper: what is in your databases, what changed, and what people know about it."""
