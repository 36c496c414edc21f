"""Reading how DuckDB spells types, views and indexes, by sqlglot's tokens. What cannot be read costs its details only."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET}
_QUOTED = {TokenType.IDENTIFIER, TokenType.STRING}


class Part(NamedTuple):
    """A field of a struct or the like: its name, and the spelling of its type."""

    name: str
    type: str


class Shape(NamedTuple):
    """A type taken apart: its first word (``STRUCT``), whether it is a list of that, what stands in its parentheses."""

    word: str = ""
    is_list: bool = False
    items: tuple[str, ...] = ()


def shape_of(spelling: str) -> Shape:
    """Of ``DECIMAL(12,2)[]``: ``DECIMAL``, a list, ``12`` and ``2``."""
    tokens = _tokens(spelling)
    if not tokens:
        return Shape()
    is_list = tokens[-1].token_type is TokenType.R_BRACKET
    opened = next((place for place, each in enumerate(tokens) if each.token_type is TokenType.L_PAREN), None)
    bracket = next((place for place, each in _level(tokens) if each.token_type is TokenType.L_BRACKET), len(tokens))
    word = _text(spelling, tokens[: min(bracket, len(tokens) if opened is None else opened)])
    items = tuple(_text(spelling, item) for item in _items(_inside(tokens, opened))) if opened is not None else ()
    return Shape(word.upper(), is_list, items)


def fields_of(shape: Shape) -> tuple[Part, ...]:
    """What can be asked for by name in a value of this type, or in each value of a list of it."""
    if shape.word in {"STRUCT", "UNION"}:
        return tuple(part for item in shape.items if (part := _part(item)))
    if shape.word == "MAP" and len(shape.items) == len(_MAP):
        return tuple(Part(name, item) for name, item in zip(_MAP, shape.items, strict=True))
    return ()


_MAP = ("key", "value")


def values_of(shape: Shape) -> list[str]:
    """The values of an enum."""
    return [item[1:-1].replace("''", "'") for item in shape.items]


def query_of(sql: str) -> str:
    """The query of ``CREATE VIEW … AS query;``."""
    tokens = _tokens(sql)
    start = next((place for place, token in _level(tokens) if _word(token) == "AS"), None)
    return _text(sql, tokens[start + 1 :]).removesuffix(";") if start is not None else sql


def index_of(sql: str) -> tuple[tuple[str, ...], str | None]:
    """The keys and the definition of ``CREATE INDEX name ON table(keys) …;``, its name and its table's left out."""
    tokens = _tokens(sql)
    opened = next((place for place, each in enumerate(tokens) if each.token_type is TokenType.L_PAREN), None)
    if opened is None:
        return (), None
    keys = tuple(_key(sql, item) for item in _items(_inside(tokens, opened)))
    return keys, _text(sql, tokens[opened:]).removesuffix(";")


def _key(sql: str, item: Sequence[Token]) -> str:
    """A column by its name; an expression as it is written, without parentheses around the whole."""
    if len(item) == 1:
        return item[0].text
    while item and item[0].token_type is TokenType.L_PAREN and len(_inside(item, 0)) == len(item) - 2:
        item = item[1:-1]
    return _text(sql, item)


def _part(spelling: str) -> Part | None:
    tokens = _tokens(spelling)
    return Part(tokens[0].text, spelling[tokens[0].end + 1 :].strip()) if len(tokens) > 1 else None


def _tokens(text: str) -> Sequence[Token]:
    try:
        return sqlglot.tokenize(text, read="duckdb")
    except SqlglotError:
        return ()


def _word(token: Token) -> str:
    return "" if token.token_type in _QUOTED else token.text.upper()


def _level(tokens: Sequence[Token]) -> Iterator[tuple[int, Token]]:
    """The tokens outside every parenthesis and bracket, these themselves included, with their places."""
    depth = 0
    for place, token in enumerate(tokens):
        depth -= token.token_type in _CLOSING
        if depth == 0:
            yield place, token
        depth += token.token_type in _OPENING


def _inside(tokens: Sequence[Token], opened: int) -> Sequence[Token]:
    """What stands between the parenthesis at this place and the one that closes it."""
    closed = next((p for p, each in _level(tokens[opened:]) if p and each.token_type is TokenType.R_PAREN), 1)
    return tokens[opened + 1 : opened + closed]


def _items(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """What commas separate."""
    commas = [place for place, token in _level(tokens) if token.token_type is TokenType.COMMA]
    start = 0
    for end in (*commas, len(tokens)):
        if end > start:
            yield tokens[start:end]
        start = end + 1


def _text(text: str, tokens: Sequence[Token]) -> str:
    """The text as it was written."""
    return text[tokens[0].start : tokens[-1].end + 1] if tokens else ""
