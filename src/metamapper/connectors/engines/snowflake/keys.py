"""Keys, which SHOW tells column by column, gathered by relation."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from metamapper.connectors.engines.snowflake.names import schema_name
from metamapper.connectors.engines.snowflake.payload import RawKey
from metamapper.schema import ConstraintKind

Shown = Mapping[str, Any]
"""A row of SHOW under the names that it gives to its columns."""
Keys = dict[tuple[str, str], list[RawKey]]
"""By schema and relation, as they are stored."""

LIMIT = 10_000
"""Rows that SHOW tells at most: see https://docs.snowflake.com/en/sql-reference/sql/show-primary-keys."""

KINDS = {
    "primary_keys": ConstraintKind.PRIMARY_KEY,
    "unique_keys": ConstraintKind.UNIQUE,
    "imported_keys": ConstraintKind.FOREIGN_KEY,
}


def gathered(kind: ConstraintKind, rows: Iterable[Shown], *, alone: str | None) -> Keys:
    """The keys of a kind; ``alone`` is the database that is read alone, if one is."""
    found: Keys = {}
    foreign = kind is ConstraintKind.FOREIGN_KEY
    for place, group in groupby(
        sorted(rows, key=_foreign_place if foreign else _place), _foreign_key if foreign else _key
    ):
        parts = list(group)
        key = _imported(parts, alone) if foreign else _own(kind, parts)
        found.setdefault((place[0], place[1]), []).append(key)
    return found


def _own(kind: ConstraintKind, parts: list[Shown]) -> RawKey:
    first = parts[0]
    columns = tuple(str(part["column_name"]) for part in parts)
    return RawKey(kind, str(first["constraint_name"]), columns, None, None, first["comment"] or None)


def _imported(parts: list[Shown], alone: str | None) -> RawKey:
    first = parts[0]
    schema = schema_name(str(first["pk_database_name"]), str(first["pk_schema_name"]), alone=alone)
    target = tuple(str(part["pk_column_name"]) for part in parts)
    return RawKey(
        ConstraintKind.FOREIGN_KEY,
        str(first["fk_name"]),
        tuple(str(part["fk_column_name"]) for part in parts),
        (schema, str(first["pk_table_name"]), target),
        (str(first["update_rule"]), str(first["delete_rule"])),
        first["comment"] or None,
    )


def _key(row: Shown) -> tuple[str, str, str]:
    return str(row["schema_name"]), str(row["table_name"]), str(row["constraint_name"])


def _foreign_key(row: Shown) -> tuple[str, str, str]:
    return str(row["fk_schema_name"]), str(row["fk_table_name"]), str(row["fk_name"])


def _place(row: Shown) -> tuple[tuple[str, str, str], int]:
    return _key(row), int(row["key_sequence"])


def _foreign_place(row: Shown) -> tuple[tuple[str, str, str], int]:
    return _foreign_key(row), int(row["key_sequence"])
