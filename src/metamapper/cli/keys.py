"""`metamapper make-key`."""

import click


@click.command("make-key")
def make_key() -> None:
    """Print a new key for METAMAPPER_FERNET_KEY. Put it first in the list; older ones keep decrypting."""
    from cryptography.fernet import Fernet

    click.echo(Fernet.generate_key().decode())
