"""`python -m metamapper.cli` is the `metamapper` command."""

from metamapper.cli import main

main()
