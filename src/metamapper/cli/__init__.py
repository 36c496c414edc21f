"""The `metamapper` command."""


def main() -> None:
    """Entry point of the console script."""
    from metamapper.cli.commands import metamapper

    metamapper()
