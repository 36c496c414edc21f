"""`metamapper make-key` and `metamapper rotate-keys`: the keys under which secrets are stored."""

import click

from metamapper.cli.framework import start_django
from metamapper.cli.telling import Failed


@click.command("make-key")
def make_key() -> None:
    """Print a new key for METAMAPPER_FERNET_KEY. Put it first in the list; older ones keep decrypting."""
    from cryptography.fernet import Fernet

    click.echo(Fernet.generate_key().decode())


@click.command("rotate-keys")
def rotate_keys() -> None:
    """Seal every stored secret anew under the first key of METAMAPPER_FERNET_KEY.

    Put a new key first, restart everything, run this, and take the old key away. It can be stopped and run again at any
    time; where a key is missing it changes nothing and says so.
    """
    start_django()
    from metamapper.datastores.vault import rotate
    from metamapper.lib.crypto import WrongKey

    try:
        changed = rotate()
    except WrongKey as error:
        raise Failed(
            str(error), hint="Add the key that is missing to the end of the list. Nothing was changed."
        ) from error
    click.echo(f"{changed} stored secrets are sealed anew; all are under the first key.")
