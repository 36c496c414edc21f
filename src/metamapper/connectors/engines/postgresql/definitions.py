"""Definitions of ordinary indexes and keys, spelled as the server's pg_get_indexdef and pg_get_constraintdef do.

Asking the server is the dearest part of a read, so it is asked only for what has expressions, predicates or options.
A definition leaves out its own name and its relation's: renaming either does not change it.
"""

from collections.abc import Sequence

from metamapper.connectors.sql.postgresql.names import listed, quoted
from metamapper.schema import ConstraintKind, Reference

DESCENDING, NULLS_FIRST = 1, 2
"""The bits of pg_index.indoption."""

_ACTIONS = {"r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


def index_definition(
    method: str, keys: Sequence[str], order: Sequence[int], included: Sequence[str], collated: Sequence[bool]
) -> str:
    """``btree (a, b DESC) INCLUDE (c)``. ``collated`` tells which keys' columns have a collation of their own."""
    parts = ", ".join(
        quoted(key) + (' COLLATE "default"' if odd else "") + _ordered(option)
        for key, option, odd in zip(keys, order, collated, strict=False)
    )
    tail = f" INCLUDE ({listed(included)})" if included else ""
    return f"{method} ({parts}){tail}"


def _ordered(option: int) -> str:
    if option & DESCENDING:
        return " DESC" if option & NULLS_FIRST else " DESC NULLS LAST"
    return " NULLS FIRST" if option & NULLS_FIRST else ""


def constraint_definition(
    kind: ConstraintKind, columns: Sequence[str], reference: Reference | None, on_update: str, on_delete: str
) -> str:
    """``PRIMARY KEY (id)``, ``FOREIGN KEY (a) REFERENCES s.t(id) ON DELETE CASCADE``."""
    text = f"{kind.upper()} ({listed(columns)})"
    if reference is None:
        return text
    text += f" REFERENCES {quoted(reference.schema)}.{quoted(reference.relation)}({listed(reference.columns)})"
    if on_update in _ACTIONS:
        text += f" ON UPDATE {_ACTIONS[on_update]}"
    if on_delete in _ACTIONS:
        text += f" ON DELETE {_ACTIONS[on_delete]}"
    return text
