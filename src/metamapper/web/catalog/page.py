"""One relation's page, of the present or of the past, from one record and what is known around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from uuid import UUID

from django.utils import timezone

from metamapper.accounts.models import User
from metamapper.annotations.selectors import descriptions
from metamapper.catalog.models import Relation
from metamapper.history import about
from metamapper.history.feed import Asked
from metamapper.history.selectors import Referring, RelationState, referring, relation_at, resolve
from metamapper.runs.models import Run
from metamapper.schema import Column, Constraint, Identified, Index, RelationRecord
from metamapper.web import marks, moments
from metamapper.web.catalog import columns, wording

LATELY = timedelta(days=7)


@dataclass
class RelationView:
    """What the page of a relation says. Each part costs a constant number of queries, and only if it is shown."""

    user: User
    relation: Relation
    state: RelationState
    as_of: datetime | None

    @property
    def record(self) -> RelationRecord:
        return self.state.record

    @property
    def name(self) -> str:
        return self.record.relation.name

    @property
    def schema(self) -> str:
        return self.record.relation.schema

    @cached_property
    def texts(self) -> Mapping[UUID, str]:
        """What people wrote about the relation and everything in it."""
        children: Sequence[Identified[Column] | Identified[Index] | Identified[Constraint]] = [
            *self.record.columns,
            *self.record.indexes,
            *self.record.constraints,
        ]
        return descriptions(self.user, [self.record.id, *(child.id for child in children)], self.as_of)

    @property
    def mark(self) -> str:
        return marks.mark(self.relation.datastore.engine)

    @property
    def before_retirement(self) -> str:
        """The last moment at which it was there."""
        return (self.state.retired_at - timedelta(microseconds=1)).isoformat() if self.state.retired_at else ""

    @property
    def text(self) -> str:
        return self.texts.get(self.record.id, "")

    @cached_property
    def lines(self) -> Sequence[columns.Line]:
        now = self.as_of or timezone.now()
        changes = about.lately(self.user, self.record.id, now - LATELY, self.as_of)
        return columns.lines(self.record, self.texts, changes)

    @cached_property
    def targets(self) -> Mapping[tuple[str, str], UUID]:
        """The relations that this one's foreign keys point to, by (schema, relation)."""
        names = [(each.schema, each.relation) for child in self.foreign_keys if (each := child.value.references)]
        return resolve(self.user, self.relation.datastore, names, self.as_of)

    @property
    def foreign_keys(self) -> Sequence[Identified[Constraint]]:
        return [each for each in self.record.constraints if each.value.references is not None]

    @property
    def other_constraints(self) -> Sequence[Identified[Constraint]]:
        return [each for each in self.record.constraints if each.value.references is None]

    @cached_property
    def readers(self) -> Sequence[Referring]:
        return referring(self.user, self.state, self.as_of)

    @cached_property
    def readers_by_relation(self) -> Sequence[Referring]:
        """One key of each relation that refers here."""
        return list({each.relation_id: each for each in self.readers}.values())

    @property
    def related(self) -> int:
        return len(self.foreign_keys) + len(self.readers)

    @cached_property
    def former_names(self) -> Sequence[about.FormerName]:
        return about.former_names(self.user, self.relation, self.as_of)

    @property
    def named_since(self) -> datetime | None:
        return self.former_names[0].until if self.former_names else None

    @cached_property
    def last_look(self) -> Run | None:
        """The latest run that saw it; what is retired was last seen before that."""
        retired_at = self.state.retired_at
        until = retired_at - timedelta(microseconds=1) if retired_at else self.as_of
        return about.last_look(self.user, self.relation.datastore, until)

    @cached_property
    def changes(self) -> int:
        """How many changes of it and of what belongs to it are recorded."""
        return sum(about.counts_since(self.user, self._asked(until=self.as_of)).values())

    @property
    def told_since(self) -> str:
        """What has changed between the moment that is shown and now."""
        return wording.told_since(about.counts_since(self.user, self._asked(after=self.as_of)))

    def _asked(self, *, after: datetime | None = None, until: datetime | None = None) -> Asked:
        datastore = self.relation.datastore
        return Asked(datastore.workspace, datastore, self.relation.id, after=after, until=until)

    @property
    def estimate(self) -> str:
        rows = self.record.relation.row_estimate
        return "" if rows is None else moments.number(rows)

    @property
    def size(self) -> str:
        """``612 MB``"""
        return size_in_words(self.record.relation.size_bytes)


def size_in_words(size: int | None) -> str:
    """Bytes as people say them, in decimal units; blank where it is not known."""
    if size is None:
        return ""
    amount, unit = float(size), "B"
    for each in ("kB", "MB", "GB", "TB", "PB"):
        if amount < 1000:  # noqa: PLR2004 - the step of decimal units
            break
        amount, unit = amount / 1000, each
    shown = f"{amount:.0f}" if amount >= 100 or unit == "B" else f"{amount:.1f}".removesuffix(".0")  # noqa: PLR2004
    return f"{shown}\u00a0{unit}"


def relation_page(user: User, relation: Relation, as_of: datetime | None = None) -> RelationView | None:
    """The page of a relation that has passed the gate; None where it was not known yet."""
    state = relation_at(user, relation, as_of)
    return None if state is None else RelationView(user, relation, state, as_of)
