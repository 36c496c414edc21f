"""Whole relations on demand, each fetched once: matching looks closely at a few of many."""

from collections.abc import Callable
from uuid import UUID

from metamapper.diffing.shape import Shape, columns_of, likeness, shape_of
from metamapper.diffing.values import KnownRelation
from metamapper.schema import Relation, RelationRecord


class Fetch:
    """Remembers what was fetched for as long as one matching takes.

    A known relation may cost its caller queries, so equal shapes spare it: then the seen one's columns are its own.
    """

    def __init__(self, relation_of: Callable[[int], Relation], record_of: Callable[[UUID], RelationRecord]) -> None:
        self._relation_of, self._record_of = relation_of, record_of
        self._known: dict[UUID, tuple[Shape, str | None]] = {}
        self._seen: dict[int, tuple[Shape, str | None, bytes]] = {}

    def seen(self, ordinal: int) -> tuple[Shape, str | None, bytes]:
        """The columns, the definition and the shape of a seen relation."""
        if ordinal not in self._seen:
            relation = self._relation_of(ordinal)
            self._seen[ordinal] = (columns_of(relation.columns), relation.definition, shape_of(relation))
        return self._seen[ordinal]

    def columns(self, owner: KnownRelation, ordinal: int) -> tuple[Shape, Shape]:
        """The columns of a known relation and of a seen one."""
        columns, _, shape = self.seen(ordinal)
        return (columns if owner.shape == shape else self._fetched(owner.id)[0]), columns

    def definition(self, owner: KnownRelation) -> str | None:
        return self._fetched(owner.id)[1]

    def likeness(self, owner: KnownRelation, ordinal: int) -> float:
        return likeness(*self.columns(owner, ordinal))

    def _fetched(self, relation_id: UUID) -> tuple[Shape, str | None]:
        if relation_id not in self._known:
            record = self._record_of(relation_id)
            columns = columns_of(child.value for child in record.columns)
            self._known[relation_id] = (columns, record.relation.definition)
        return self._known[relation_id]
