"""Snowflake's rules for names. See https://docs.snowflake.com/en/sql-reference/identifiers-syntax."""

import re

_PLAIN = re.compile(r"[A-Z_][A-Z0-9_$]*\Z")
_WRITTEN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*\Z")


def quoted(name: str) -> str:
    """A stored name as it is always right to write it."""
    return '"' + name.replace('"', '""') + '"'


def spelled(name: str) -> str:
    """A stored name as people write it: in quotes only where it must be."""
    return name if _PLAIN.match(name) else quoted(name)


def listed(names: tuple[str, ...]) -> str:
    return ", ".join(map(spelled, names))


def stored(written: str) -> str:
    """The stored name that a person means: without quotes it is in capitals, with them (or odd characters) as it is."""
    text = written.strip()
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        return text[1:-1].replace('""', '"')
    return text.upper() if _WRITTEN.match(text) else text


def schema_name(database: str, schema: str, *, alone: str | None) -> str:
    """How we call a schema: by its own name where one database is read (``alone``), else with its database's."""
    return schema if database == alone else f"{spelled(database)}.{spelled(schema)}"
