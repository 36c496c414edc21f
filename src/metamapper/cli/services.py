"""Commands that run Metamapper."""

import click

from metamapper.cli.framework import start_django


@click.command()
def migrate() -> None:
    """Bring the metastore's tables up to date."""
    start_django()
    from django.core.management import call_command

    call_command("migrate", interactive=False)
