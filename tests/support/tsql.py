"""Asking the stand-in for SQL Server in T-SQL, which sqlglot turns into DuckDB's SQL.

What T-SQL means stays unproven by it: it shows that our statements hang together, and that what they answer is understood.
"""

import re
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from tests.support.tds import Answer, Refused
from tests.support.tsql_catalog import TsqlCatalog
from tests.support.tsql_tables import ADMINISTRATOR, OF_NOBODY, OWNERS

_BINARY = {exp.DataType.Type.BINARY, exp.DataType.Type.VARBINARY}


Seen = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class CatalogSession:
    """A session of one user in one database."""

    catalog: TsqlCatalog
    user: str

    def answer(self, sql: str, parameters: dict[str, Any]) -> Answer:
        self.catalog.statements.append(sql)
        if sql.startswith("SET "):
            return Answer()
        facts = {
            "DB_ID": 7,
            "DB_NAME": self.catalog.name,
            "DATABASE_PRINCIPAL_ID": 9,
            "USER_NAME": self.user,
            "IS_MEMBER": int(self.user == ADMINISTRATOR),
            "IS_SRVROLEMEMBER": int(self.user == ADMINISTRATOR),
            **self.catalog.facts,
        }
        seen = self.catalog.seen_by(self.user) if self.user != ADMINISTRATOR else None
        return self._asked(_as_duckdb(sql, frozenset(parameters.items()), frozenset(facts.items()), seen))

    def _asked(self, sql: str) -> Answer:
        try:
            with self.catalog.lock, closing(self.catalog.connection.cursor()) as cursor:
                cursor.execute(sql)
                columns = [(name, _kind(kind)) for name, kind, *_ in cursor.description]
                return Answer(columns, cursor.fetchall())
        except duckdb.CatalogException as error:
            name = re.search(r"name (\S+) does not exist", str(error))
            raise Refused(208, f"Invalid object name '{name[1] if name else error}'.") from None


@lru_cache(maxsize=64)
def _as_duckdb(
    sql: str, parameters: frozenset[tuple[str, str]], facts: frozenset[tuple[str, Any]], seen: Seen | None
) -> str:
    (statement,) = sqlglot.parse(sql, read="tsql")
    assert isinstance(statement, exp.Query), f"Nothing but questions: {sql}"
    if seen is not None:
        for table in [each for each in statement.find_all(exp.Table) if each.db == "sys"]:
            _narrow(table, *seen)
    for each in list(statement.find_all(exp.Collate)):
        each.replace(each.this)
    for cast in list(statement.find_all(exp.Cast)):
        if cast.to.this in _BINARY:
            cast.replace(cast.this)
        elif cast.to.this in exp.DataType.TEXT_TYPES:
            cast.set("to", exp.DataType.build("text"))
    for hashed in list(statement.find_all(exp.SHA2)):
        hashed.replace(exp.Anonymous(this="tsql_hash", expressions=[hashed.this]))
    values = dict(parameters)
    for parameter in list(statement.find_all(exp.Parameter)):
        parameter.replace(exp.convert(values[parameter.name]))
    for function in list(statement.find_all(exp.Anonymous)):
        function.replace(_function(function, dict(facts)))
    return statement.sql("duckdb")


def _narrow(table: exp.Table, objects: tuple[int, ...], schemas: tuple[int, ...]) -> None:
    """Only the rows that a user who is no administrator gets to see."""
    if table.name in OF_NOBODY - {"schemas"}:
        return
    owner = "schema_id" if table.name == "schemas" else OWNERS.get(table.name, "object_id")
    ids = ", ".join(map(str, (-1, *(schemas if table.name == "schemas" else objects))))
    spelled = f'SELECT * FROM (SELECT * FROM sys."{table.name}" WHERE {owner} IN ({ids})) AS "{table.alias}"'
    found = sqlglot.parse_one(spelled, read="duckdb").find(exp.Subquery)
    assert found
    table.replace(found)


def _function(node: exp.Anonymous, facts: dict[str, Any]) -> exp.Expression:
    name = node.name.upper()
    if name == "SERVERPROPERTY":
        return exp.convert(facts[node.expressions[0].name])
    if name == "HAS_PERMS_BY_NAME":
        return exp.Anonymous(this="has_perms", expressions=[exp.convert(facts["USER_NAME"]), *node.expressions])
    return exp.convert(facts[name]) if name in facts else node


def _kind(kind: Any) -> type:
    text = str(kind)
    if text == "BOOLEAN":
        return bool
    return int if "INT" in text or text == "NULL" else str
