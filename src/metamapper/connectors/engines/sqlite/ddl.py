"""What only the text of a definition tells: names of constraints, checks, expressions. Read by sqlglot's tokens.

Everything else comes from SQLite itself; a text that cannot be read costs these details and nothing more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

Tokens = Sequence[Token]

_OPEN, _CLOSE = TokenType.L_PAREN, TokenType.R_PAREN
_LITERAL = {TokenType.IDENTIFIER, TokenType.STRING}


@dataclass(frozen=True, slots=True)
class Clause:
    """One constraint as it is written: its word, its own name, the columns it names, the text in its parentheses."""

    word: str
    name: str | None
    columns: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class TableText:
    clauses: tuple[Clause, ...] = ()
    generated: dict[str, str] = field(default_factory=dict)
    """The expressions of generated columns by column."""

    def name_of(self, word: str, columns: Sequence[str]) -> str | None:
        """The name that was given to the key over these columns."""
        wanted = [column.lower() for column in columns]
        return next(
            (each.name for each in self.clauses if each.word == word and [c.lower() for c in each.columns] == wanted),
            None,
        )


@dataclass(frozen=True, slots=True)
class IndexText:
    keys: tuple[str, ...] = ()
    predicate: str | None = None
    definition: str | None = None


_WORDS = {"CHECK", "UNIQUE", "PRIMARY KEY", "FOREIGN KEY", "REFERENCES"}


def read_table(sql: str) -> TableText:
    tokens = _tokens(sql)
    body = _parentheses(tokens, 0)
    if body is None:
        return TableText()
    clauses: list[Clause] = []
    generated: dict[str, str] = {}
    for item in _items(body):
        clauses.extend(_clauses(sql, item))
        expression = _generated(sql, item)
        if expression is not None:
            generated[item[0].text] = expression
    return TableText(tuple(clauses), generated)


def read_index(sql: str) -> IndexText:
    tokens = _tokens(sql)
    body = _parentheses(tokens, 0)
    if body is None:
        return IndexText()
    keys = tuple(_text(sql, _without_order(item)) for item in _items(body))
    where = next((place for place, token in _level(tokens) if _word(token) == "WHERE"), None)
    predicate = _text(sql, tokens[where + 1 :]) if where is not None else None
    return IndexText(keys, predicate, sql[body[0].start - 1 :].lstrip() if body else None)


def read_view(sql: str) -> str | None:
    """The query of ``CREATE VIEW … AS query``."""
    tokens = _tokens(sql)
    start = next((place for place, token in _level(tokens) if _word(token) == "AS"), None)
    return _text(sql, tokens[start + 1 :]) if start is not None else None


def _tokens(sql: str) -> Tokens:
    try:
        return sqlglot.tokenize(sql, read="sqlite")
    except SqlglotError:
        return ()


def _word(token: Token) -> str:
    """A keyword in capitals, with one space between its words; nothing for what is quoted."""
    return "" if token.token_type in _LITERAL else " ".join(token.text.upper().split())


def _level(tokens: Tokens) -> Iterator[tuple[int, Token]]:
    """The tokens outside every parenthesis, with their places."""
    depth = 0
    for place, token in enumerate(tokens):
        depth -= token.token_type is _CLOSE
        if depth == 0:
            yield place, token
        depth += token.token_type is _OPEN


def _parentheses(tokens: Tokens, start: int) -> Tokens | None:
    """What stands in the first parentheses from ``start`` on."""
    depth, opened = 0, 0
    for place in range(start, len(tokens)):
        kind = tokens[place].token_type
        if kind is _OPEN:
            opened = opened if depth else place
            depth += 1
        elif kind is _CLOSE:
            depth -= 1
            if depth == 0:
                return tokens[opened + 1 : place]
    return None


def _items(body: Tokens) -> Iterator[Tokens]:
    """What commas separate."""
    start = 0
    commas = [place for place, token in _level(body) if token.token_type is TokenType.COMMA]
    for end in (*commas, len(body)):
        if end > start:
            yield body[start:end]
        start = end + 1


def _clauses(sql: str, item: Tokens) -> Iterator[Clause]:
    """The constraints of one column or of the table."""
    is_column = _word(item[0]) not in _WORDS | {"CONSTRAINT"}
    name: str | None = None
    in_key = False
    for place, token in _level(item):
        word = _word(token)
        if place == 0 and is_column:
            continue
        if word == "CONSTRAINT" and place + 1 < len(item):
            name = item[place + 1].text
        elif word in _WORDS and not (word == "REFERENCES" and in_key):
            inside = _parentheses(item, place + 1) or ()
            columns = (item[0].text,) if is_column else _names(inside)
            yield Clause("FOREIGN KEY" if word == "REFERENCES" else word, name, columns, _text(sql, inside))
            name, in_key = None, word == "FOREIGN KEY"


def _generated(sql: str, item: Tokens) -> str | None:
    for place, token in _level(item):
        if place and _word(token) == "AS":
            inside = _parentheses(item, place + 1)
            return _text(sql, inside) if inside else None
    return None


def _names(inside: Tokens) -> tuple[str, ...]:
    return tuple(item[0].text for item in _items(inside))


def _without_order(item: Tokens) -> Tokens:
    return item[:-1] if len(item) > 1 and _word(item[-1]) in {"ASC", "DESC"} else item


def _text(sql: str, tokens: Tokens) -> str:
    """The text as it was written."""
    return sql[tokens[0].start : tokens[-1].end + 1] if tokens else ""
