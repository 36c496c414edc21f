"""The built-in example: a small shop's database that has lived through three weeks of changes."""
