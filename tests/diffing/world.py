"""A datastore that knows the truth: every object keeps a number of its own, whatever it is called and however it looks."""

from dataclasses import dataclass, field
from itertools import count

from metamapper.schema import (
    Column,
    Completeness,
    Constraint,
    ConstraintKind,
    Index,
    Reference,
    Relation,
    RelationKind,
    Scope,
    Snapshot,
)


@dataclass(eq=False)
class Col:
    """``number`` is the engine's, never used twice within one object."""

    name: str
    type: str
    nullable: bool
    number: int
    comment: str | None = None


@dataclass(eq=False)
class Table:
    """``oid`` is the engine's id of the object; ``last`` the greatest column number it has given."""

    oid: int
    schema: "Space"
    name: str
    kind: RelationKind = RelationKind.TABLE
    cols: list[Col] = field(default_factory=list)
    last: int = 0
    indexes: dict[int, tuple[str, Col]] = field(default_factory=dict)
    target: "Table | None" = None
    comment: str | None = None

    def add(self, name: str, type_: str, *, nullable: bool = True, at: int | None = None) -> Col:
        self.last += 1
        col = Col(name, type_, nullable, self.last)
        self.cols.insert(len(self.cols) if at is None else at, col)
        return col

    def drop(self, col: Col) -> None:
        self.cols.remove(col)
        self.indexes = {oid: entry for oid, entry in self.indexes.items() if entry[1] is not col}


@dataclass(eq=False)
class Space:
    oid: int
    name: str
    comment: str | None = None


class World:
    """DDL in, snapshots out. With ``ids`` the engine shows its ids and keeps them, without it has none."""

    def __init__(self, *, ids: bool) -> None:
        self.ids = ids
        self.oids = count(1)
        self.spaces: list[Space] = []
        self.tables: list[Table] = []

    def create_space(self, name: str) -> Space:
        space = Space(next(self.oids), name)
        self.spaces.append(space)
        return space

    def create(self, space: Space, name: str, cols: list[tuple[str, str]]) -> Table:
        table = Table(next(self.oids), space, name)
        for column_name, type_ in cols:
            table.add(column_name, type_)
        self.tables.append(table)
        return table

    def drop_space(self, space: Space) -> None:
        self.spaces.remove(space)
        for table in [table for table in self.tables if table.schema is space]:
            self.drop(table)

    def drop(self, table: Table) -> None:
        self.tables.remove(table)
        for other in self.tables:
            other.target = None if other.target is table else other.target

    def rebuild(self, table: Table) -> None:
        """Drop and create again: new ids, columns counted from 1."""
        table.oid = next(self.oids)
        for number, col in enumerate(table.cols, 1):
            col.number = number
        table.last = len(table.cols)
        table.indexes = {next(self.oids): entry for entry in table.indexes.values()}

    def copy(self, table: Table, name: str) -> Table:
        other = self.create(table.schema, name, [(col.name, col.type) for col in table.cols])
        for col, source in zip(other.cols, table.cols, strict=True):
            col.nullable = source.nullable
        return other

    def index(self, table: Table, name: str, col: Col) -> None:
        table.indexes[next(self.oids)] = (name, col)

    def is_free(self, space: Space, name: str) -> bool:
        return not any(table.schema is space and table.name == name for table in self.tables)

    def snapshot(
        self,
        *,
        states: dict[Space, Completeness] | None = None,
        unlisted: frozenset[Table] = frozenset(),
        hidden: frozenset[Space] = frozenset(),
    ) -> Snapshot:
        """What a read shows. An unreadable schema shows nothing, a partial one leaves out ``unlisted``; ``hidden``
        schemas are not even listed, and the list says that it is not whole.
        """
        states = states or {}
        complete = Completeness.COMPLETE
        shown = [space for space in self.spaces if space not in hidden]
        return Snapshot(
            engine="test",
            scopes=tuple(self._scope(space, states.get(space, complete)) for space in shown),
            relations=tuple(
                self.relation(table)
                for table in self.tables
                if table.schema in shown
                and (state := states.get(table.schema, complete)) is not Completeness.UNREADABLE
                and (state is complete or table not in unlisted)
            ),
            scopes_complete=not hidden,
        )

    def _scope(self, space: Space, state: Completeness) -> Scope:
        unread = state is Completeness.UNREADABLE
        return Scope(
            name=space.name,
            completeness=state,
            reason="no rights" if unread else None,
            comment=None if unread else space.comment,
            native_id=self._id(space.oid),
        )

    def relation(self, table: Table) -> Relation:
        return Relation(
            schema=table.schema.name,
            name=table.name,
            kind=table.kind,
            comment=table.comment,
            native_id=self._id(table.oid),
            columns=tuple(self._column(col, place) for place, col in enumerate(table.cols, 1)),
            indexes=tuple(
                Index(
                    name=name,
                    keys=(col.name,),
                    definition=f'CREATE INDEX {name} ON "{table.schema.name}"."{table.name}" ("{col.name}")',
                    native_id=self._id(oid),
                )
                for oid, (name, col) in table.indexes.items()
            ),
            constraints=self._constraints(table),
        )

    def _column(self, col: Col, place: int) -> Column:
        return Column(
            name=col.name,
            position=place,
            type=col.type,
            nullable=col.nullable,
            comment=col.comment,
            native_id=self._id(col.number),
        )

    def _constraints(self, table: Table) -> tuple[Constraint, ...]:
        if table.target is None or not table.cols:
            return ()
        target = Reference(table.target.schema.name, table.target.name)
        return (
            Constraint(name="fk", kind=ConstraintKind.FOREIGN_KEY, columns=(table.cols[0].name,), references=target),
        )

    def _id(self, oid: int) -> str | None:
        return str(oid) if self.ids else None
