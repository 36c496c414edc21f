"""Frozen values that every layer shares: what an inspection of any datastore finds.

A value says nothing of identity: it is what an engine shows, at one moment. Identities are given by the catalog.
Names are kept exactly as the engine stores them. ``native_id`` is the engine's own id as text, or None where it has
none; native ids repeat between databases and mean something only within one datastore.

The small values opt out of cyclic garbage collection (``gc=False``): they are trees of JSON values, never cyclic, and there
are hundreds of thousands of them, whose traversal would cost more than making them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from metamapper.schema.kinds import (
    Completeness,
    ConstraintKind,
    Generated,
    Identity,
    RelationKind,
    TypeFamily,
)

Extras = Mapping[str, Any]
"""An engine's own facts (sort keys, storage format, location …): JSON values under short snake_case names."""


class Column(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One column, or one field of a nested column.

    ``type`` is the engine's full spelling (``numeric(12,2)``). ``default`` is the default's expression, or the
    generation expression where ``generated`` is set. ``length`` counts characters (bytes for binary types), None is
    unlimited. A nested field has the names of its parents in ``nested_in``, outermost first, and its own in ``name``.
    """

    name: str
    position: int
    type: str
    family: TypeFamily = TypeFamily.OTHER
    nullable: bool = True
    default: str | None = None
    generated: Generated | None = None
    identity: Identity | None = None
    comment: str | None = None
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    native_id: str | None = None
    nested_in: tuple[str, ...] = ()
    extras: Extras = {}

    @property
    def path(self) -> tuple[str, ...]:
        """The column's names from the outermost parent to itself: unique within its relation."""
        return (*self.nested_in, self.name)


class Index(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """``keys`` are column names or expressions in order; ``included`` are columns carried along but not ordered by."""

    name: str
    keys: tuple[str, ...] = ()
    unique: bool = False
    primary: bool = False
    kind: str = ""
    definition: str | None = None
    included: tuple[str, ...] = ()
    predicate: str | None = None
    comment: str | None = None
    native_id: str | None = None
    extras: Extras = {}


class Reference(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a foreign key points to, by the names at the moment of the read."""

    schema: str
    relation: str
    columns: tuple[str, ...] = ()


class Constraint(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    name: str
    kind: ConstraintKind
    columns: tuple[str, ...] = ()
    references: Reference | None = None
    definition: str | None = None
    comment: str | None = None
    native_id: str | None = None
    extras: Extras = {}


class Relation(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A table or anything that is read like one, with everything that belongs to it.

    ``definition`` is a view's query. ``row_estimate`` (rows) and ``size_bytes`` (bytes) come from the engine's own
    statistics; they move without anybody changing the schema, so no comparison looks at them.
    """

    schema: str
    name: str
    kind: RelationKind = RelationKind.TABLE
    columns: tuple[Column, ...] = ()
    indexes: tuple[Index, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    comment: str | None = None
    definition: str | None = None
    row_estimate: int | None = None
    size_bytes: int | None = None
    native_id: str | None = None
    extras: Extras = {}


class Scope(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A schema as one read saw it: how completely, and if not completely, why and what would mend it.

    ``reason`` is a sentence for people; ``remedy`` a statement to paste (``GRANT USAGE …``).
    """

    name: str
    completeness: Completeness = Completeness.COMPLETE
    reason: str | None = None
    remedy: str | None = None
    comment: str | None = None
    native_id: str | None = None
    extras: Extras = {}


class Snapshot(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Everything one read of one datastore found: the saved and printed form (workers stream instead).

    ``scopes_complete`` tells whether the list of schemas itself is proved whole: only then is a schema that is
    missing from it gone.
    """

    engine: str
    server_version: str = ""
    scopes: tuple[Scope, ...] = ()
    relations: tuple[Relation, ...] = ()
    scopes_complete: bool = True

    def relations_of(self, scope: str) -> Iterator[Relation]:
        return (relation for relation in self.relations if relation.schema == scope)


def columns_by_path(columns: Iterable[Column]) -> dict[tuple[str, ...], Column]:
    return {column.path: column for column in columns}
