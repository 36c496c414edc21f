"""Whole relations out of the catalog's rows: a constant number of queries for any number of relations."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from django.db.models import QuerySet

from metamapper.catalog import rows
from metamapper.catalog.models import Column, Constraint, Index, Relation
from metamapper.lib.lookups import AnyOf
from metamapper.schema import Column as ColumnValue
from metamapper.schema import Constraint as ConstraintValue
from metamapper.schema import Identified, RelationRecord, RetiredChildren
from metamapper.schema import Index as IndexValue

T = TypeVar("T", ColumnValue, IndexValue, ConstraintValue)
Family = defaultdict[UUID, list[Identified[T]]]
_PARENT = rows.COLUMN_COLUMNS.index("relation_id")
"""Where a child's row names its relation: the same place for each kind."""


def load_records(relation_ids: Iterable[UUID]) -> dict[UUID, RelationRecord]:
    """The relations as the catalog has them, retired ones too, without their retired children. Four queries.

    Columns come by position, indexes and constraints by name. An id that is not known is left out.
    """
    ids = list(relation_ids)
    mine = AnyOf("relation_id", ids)
    columns = _columns(Column.objects.filter(mine, retired_at=None).order_by("position", "id"))
    indexes = _indexes(Index.objects.filter(mine, retired_at=None).order_by("name", "id"))
    constraints = _constraints(Constraint.objects.filter(mine, retired_at=None).order_by("name", "id"))
    found = Relation.objects.filter(AnyOf("id", ids)).values_list(*rows.RELATION_COLUMNS, "schema__name")
    return {
        row[0]: msgspec.structs.replace(
            rows.read_relation(row, row[-1]),
            columns=tuple(columns[row[0]]),
            indexes=tuple(indexes[row[0]]),
            constraints=tuple(constraints[row[0]]),
        )
        for row in found.iterator(2000)
    }


def load_retired_children(relation_ids: Iterable[UUID]) -> dict[UUID, RetiredChildren]:
    """What each relation once had and has no more. Three queries; relations without any are left out."""
    mine = AnyOf("relation_id", relation_ids)
    latest = ("-retired_at", "id")
    columns = _columns(Column.objects.filter(mine, retired_at__isnull=False).order_by(*latest))
    indexes = _indexes(Index.objects.filter(mine, retired_at__isnull=False).order_by(*latest))
    constraints = _constraints(Constraint.objects.filter(mine, retired_at__isnull=False).order_by(*latest))
    return {
        each: RetiredChildren(tuple(columns[each]), tuple(indexes[each]), tuple(constraints[each]))
        for each in columns.keys() | indexes.keys() | constraints.keys()
    }


def _columns(found: QuerySet[Column]) -> Family[ColumnValue]:
    return _family(found.values_list(*rows.COLUMN_COLUMNS), rows.read_column)


def _indexes(found: QuerySet[Index]) -> Family[IndexValue]:
    return _family(found.values_list(*rows.INDEX_COLUMNS), rows.read_index)


def _constraints(found: QuerySet[Constraint]) -> Family[ConstraintValue]:
    return _family(found.values_list(*rows.CONSTRAINT_COLUMNS), rows.read_constraint)


def _family(found: QuerySet[Any, Any], read: Callable[[rows.Row], Identified[T]]) -> Family[T]:
    family: Family[T] = defaultdict(list)
    for row in found.iterator(2000):
        family[row[_PARENT]].append(read(row))
    return family
