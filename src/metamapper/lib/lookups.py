"""Conditions that Django does not bring."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Lookup
from django.db.models.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    Condition = Lookup[bool]
else:  # The stubs' generic is not one when the program runs.
    Condition = Lookup


class AnyOf(Condition):
    """``filter(AnyOf("relation_id", ids))``: a UUID column is one of any number of ids, in one bound parameter.

    ``__in`` binds one parameter per id, of which SQLite takes 32,766 and PostgreSQL parses each.
    """

    lookup_name = "any_of"
    prepare_rhs = False

    def __init__(self, name: str, ids: Iterable[UUID]) -> None:
        super().__init__(F(name), list(ids))

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        left, parameters = self.process_lhs(compiler, connection)
        ids = ",".join(f'"{each.hex}"' for each in self.rhs)
        return left + " IN (SELECT value FROM json_each(%s))", (*parameters, f"[{ids}]")  # noqa: S608 - bound

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        left, parameters = self.process_lhs(compiler, connection)
        return left + " = ANY(%s::uuid[])", (*parameters, self.rhs)
