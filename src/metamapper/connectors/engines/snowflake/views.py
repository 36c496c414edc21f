"""The query of a view, out of the statement that made it: that statement spells the view's own name."""

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

_OPEN, _CLOSE = TokenType.L_PAREN, TokenType.R_PAREN


def query_of(statement: str) -> str:
    """``CREATE VIEW v (a) COMMENT = 'x' AS query`` without what stands before the query; the whole text if there is no AS."""
    try:
        tokens = sqlglot.tokenize(statement, read="snowflake")
    except SqlglotError:
        return statement
    depth = 0
    for token in tokens:
        depth += (token.token_type is _OPEN) - (token.token_type is _CLOSE)
        if depth == 0 and token.token_type is TokenType.ALIAS:
            return statement[token.end + 1 :].strip().rstrip(";").rstrip()
    return statement
