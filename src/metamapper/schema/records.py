"""Observations that have been given their identities."""

from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from metamapper.schema.values import Column, Constraint, Index, Relation, Scope

Child = Column | Index | Constraint
T = TypeVar("T", Column, Index, Constraint)


class Identified(msgspec.Struct, Generic[T], frozen=True, omit_defaults=True, gc=False):
    """A child of a relation under its permanent identity."""

    id: UUID
    value: T


class RelationRecord(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A relation under its permanent identity, with its children under theirs.

    ``relation`` carries the relation's own facts; its ``columns``, ``indexes`` and ``constraints`` are empty, for they
    stand here with their ids.
    """

    id: UUID
    schema_id: UUID
    relation: Relation
    columns: tuple[Identified[Column], ...] = ()
    indexes: tuple[Identified[Index], ...] = ()
    constraints: tuple[Identified[Constraint], ...] = ()

    def observed(self) -> Relation:
        """The relation as an engine would show it, without identities."""
        return msgspec.structs.replace(
            self.relation,
            columns=tuple(child.value for child in self.columns),
            indexes=tuple(child.value for child in self.indexes),
            constraints=tuple(child.value for child in self.constraints),
        )


class RetiredChildren(msgspec.Struct, frozen=True):
    """Children that a relation once had and has no more, the latest retired first."""

    columns: tuple[Identified[Column], ...] = ()
    indexes: tuple[Identified[Index], ...] = ()
    constraints: tuple[Identified[Constraint], ...] = ()


class ScopeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A schema under its permanent identity."""

    id: UUID
    scope: Scope
