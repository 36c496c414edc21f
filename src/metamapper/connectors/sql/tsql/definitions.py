"""Definitions of views, keys and indexes, as T-SQL spells them, without their own names and their table's."""

from collections.abc import Iterable, Iterator, Sequence

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from metamapper.connectors.sql.tsql.names import quoted
from metamapper.schema import ConstraintKind, Reference

_QUOTED = {TokenType.IDENTIFIER, TokenType.STRING}

INDEX_KINDS = {
    1: "clustered",
    2: "nonclustered",
    3: "xml",
    4: "spatial",
    5: "clustered columnstore",
    6: "nonclustered columnstore",
    7: "nonclustered hash",
    8: "json",
    9: "vector",
}
"""sys.indexes.type; 0 is a heap, which is no index."""

_ACTIONS = {1: "CASCADE", 2: "SET NULL", 3: "SET DEFAULT"}


def query_of(text: str) -> str:
    """The query of ``CREATE VIEW … AS query`` as somebody wrote it; the whole text where it is not to be found."""
    try:
        tokens = sqlglot.tokenize(text, read="tsql")
    except SqlglotError:
        return text
    words = iter(_outside(tokens))
    found_view = any(_word(token) == "VIEW" for _, token in words)
    start = next((place for place, token in words if _word(token) == "AS"), None) if found_view else None
    return text[tokens[start].end + 1 :].strip() if start is not None else text


def _outside(tokens: Sequence[Token]) -> Iterator[tuple[int, Token]]:
    """The tokens outside every parenthesis, with their places."""
    depth = 0
    for place, token in enumerate(tokens):
        depth -= token.token_type is TokenType.R_PAREN
        if depth == 0:
            yield place, token
        depth += token.token_type is TokenType.L_PAREN


def _word(token: Token) -> str:
    return "" if token.token_type in _QUOTED else token.text.upper()


def listed(names: Iterable[str]) -> str:
    return ", ".join(map(quoted, names))


def index_definition(
    kind: str, keys: Sequence[tuple[str, bool]], included: Sequence[str], predicate: str | None
) -> str:
    """``nonclustered ([a], [b] DESC) INCLUDE ([c]) WHERE …``; keys are columns, each with whether it descends."""
    parts = ", ".join(quoted(name) + (" DESC" if descends else "") for name, descends in keys)
    text = f"{kind} ({parts})" if parts else kind
    text += f" INCLUDE ({listed(included)})" if included else ""
    return text + (f" WHERE {predicate}" if predicate else "")


def key_definition(kind: ConstraintKind, columns: Sequence[str], *, enforced: bool = True) -> str:
    return f"{kind.upper()} ({listed(columns)})" + ("" if enforced else " NOT ENFORCED")


def foreign_key_definition(columns: Sequence[str], reference: Reference, on_update: int, on_delete: int) -> str:
    target = f"{quoted(reference.schema)}.{quoted(reference.relation)} ({listed(reference.columns)})"
    text = f"FOREIGN KEY ({listed(columns)}) REFERENCES {target}"
    text += f" ON UPDATE {_ACTIONS[on_update]}" if on_update in _ACTIONS else ""
    return text + (f" ON DELETE {_ACTIONS[on_delete]}" if on_delete in _ACTIONS else "")
