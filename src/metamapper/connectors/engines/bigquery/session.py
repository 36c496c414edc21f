"""One read of a BigQuery project: lists of datasets and tables, then a call for each table, several at a time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from metamapper.connectors import errors
from metamapper.connectors.base import Observation, Server, Statement
from metamapper.connectors.engines.bigquery.calls import Calls
from metamapper.connectors.engines.bigquery.errors import grant_on_dataset
from metamapper.connectors.engines.bigquery.keys import Account
from metamapper.connectors.engines.bigquery.payload import decode, encoded, table
from metamapper.connectors.engines.bigquery.settings import BigquerySettings
from metamapper.connectors.engines.bigquery.told import WITHOUT_STATISTICS, Table
from metamapper.connectors.scope import ScopeFilter
from metamapper.schema import Completeness, Extras, Relation, Scope

READER = b"bigquery-1"
"""Part of every fingerprint: a reader that sees more must not find everything unchanged."""

NOBODY = "metamapper_asks_whether_it_sees_all"
"""The name of a dataset that is not there. Asked for it, BigQuery says *not found* to whoever may see every dataset of
the project, and *access denied (or it may not exist)* to whoever may see some: only the former's list is whole."""


@dataclass(frozen=True, slots=True)
class _Dataset:
    """What is known of a dataset. ``denied`` is what BigQuery said where its tables may not be listed."""

    name: str
    comment: str | None
    facts: Extras
    tables: int
    denied: str | None


class BigquerySession:
    def __init__(self, calls: Calls, settings: BigquerySettings, account: Account) -> None:
        self._calls = calls
        self._settings = settings
        self._account = account
        self._known: dict[str, _Dataset] = {}
        self._listed_whole = True
        """Whether every dataset could be seen, each time that they were listed."""
        self._read: set[str] | None = None
        """The datasets whose tables were read; None before the read."""
        self._closed: Counter[str] = Counter()
        """Tables by dataset that may not be looked at."""
        self._seen: Counter[str] = Counter()
        self.server = Server("REST v2", {"account": account.name or "the workers'", "project": settings.project})
        self.expected: int | None = None

    @property
    def statements(self) -> Sequence[Statement]:
        return self._calls.statements

    def probe(self, within: ScopeFilter) -> str | None:  # noqa: ARG002 - the protocol's
        """None is known: no list says when a table was changed."""
        return None

    def scopes(self, within: ScopeFilter) -> tuple[Sequence[Scope], bool]:
        """The datasets in scope. The list is whole only where the account may see every dataset of the project."""
        names = [name for name in self._calls.datasets() if within.allows_schema(name)]
        self._listed_whole &= self._sees_every_dataset()
        new = [name for name in names if name not in self._known]
        if new:
            with self._calls.recorded("dataset") as statement:
                statement.rows = len(new)
                self._known |= {each.name: each for each in self._calls.each(self._looked_at, new)}
        found = [self._known[name] for name in names]
        self.expected = sum(each.tables for each in found)
        return [self._scope(each) for each in found], self._listed_whole

    def relations(self, within: ScopeFilter) -> Iterator[Observation]:
        if self.expected is None:
            self.scopes(within)
        readable = [each.name for each in self._known.values() if not each.denied and within.allows_schema(each.name)]
        self._read = set(readable)
        with self._calls.recorded("tables") as lists, self._calls.recorded("table") as tables:
            lists.rows, tables.rows = 0, 0
            named = self._named(readable, within, lists)
            for dataset, found in self._calls.each(self._observed, named):
                tables.rows += 1
                if isinstance(found, Observation):
                    self._seen[dataset] += 1
                    yield found
                elif found is not None:
                    self._closed[dataset] += 1

    def decode(self, payload: bytes) -> Relation:
        return decode(payload)

    def cancel(self) -> None:
        """End the calls that are under way, and let no other begin."""
        self._calls.stop()

    def _sees_every_dataset(self) -> bool:
        try:
            self._calls.dataset(NOBODY)
        except errors.DatabaseUnknown:
            return True
        except errors.PermissionMissing:
            return False
        return False

    def _looked_at(self, name: str) -> _Dataset:
        """A dataset's own facts, and whether its tables may be listed."""
        try:
            told = self._calls.dataset(name)
            tables, _ = self._calls.first_table(name)
        except errors.PermissionMissing as error:
            return _Dataset(name, None, {}, 0, error.server_said or error.title)
        except errors.DatabaseUnknown:
            raise errors.ReadDisturbed(f"The dataset {name} was deleted in mid-read.", hint=_AGAIN) from None
        return _Dataset(name, told.description or None, told.facts, tables, None)

    def _named(self, datasets: Sequence[str], within: ScopeFilter, lists: Statement) -> Iterator[tuple[str, str]]:
        """The tables in scope, as (dataset, name)."""
        for dataset, names in self._calls.each(self._listed, datasets):
            if isinstance(names, errors.PermissionMissing):
                self._known[dataset] = replace(self._known[dataset], denied=names.server_said)
                continue
            lists.rows = (lists.rows or 0) + len(names)
            for name in names:
                if within.allows_table(dataset, name):
                    yield dataset, name

    def _listed(self, dataset: str) -> tuple[str, list[str] | errors.PermissionMissing]:
        try:
            return dataset, self._calls.tables(dataset)
        except errors.PermissionMissing as error:
            return dataset, error
        except errors.DatabaseUnknown:
            raise errors.ReadDisturbed(f"The dataset {dataset} was deleted in mid-read.", hint=_AGAIN) from None

    def _observed(self, place: tuple[str, str]) -> tuple[str, Observation | errors.PermissionMissing | None]:
        """A table as it is now; None where it was dropped since it was listed, the error where it may not be seen."""
        dataset, name = place
        try:
            return dataset, _observation(table(self._calls.table(dataset, name), dataset, name))
        except errors.DatabaseUnknown:
            return dataset, None
        except errors.PermissionMissing as error:
            return dataset, error

    def _scope(self, dataset: _Dataset) -> Scope:
        completeness, reason = self._completeness(dataset)
        open_it = grant_on_dataset(self._settings.project, dataset.name, self._account.member)
        return Scope(
            name=dataset.name,
            completeness=completeness,
            reason=reason,
            remedy=open_it if self._is_closed(dataset) else None,
            comment=dataset.comment,
            extras=dataset.facts,
        )

    def _is_closed(self, dataset: _Dataset) -> bool:
        return dataset.denied is not None or bool(self._closed[dataset.name])

    def _completeness(self, dataset: _Dataset) -> tuple[Completeness, str | None]:
        if dataset.denied is not None:
            return Completeness.UNREADABLE, f"Its tables may not be listed: {dataset.denied}"
        closed, seen = self._closed[dataset.name], self._seen[dataset.name]
        if closed:
            reason = f"{closed} of its tables may not be looked at: bigquery.tables.get is missing."
            return (Completeness.PARTIAL if seen else Completeness.UNREADABLE), reason
        if self._read is not None and dataset.name not in self._read:
            return Completeness.PARTIAL, "It appeared while the read was under way; the next run reads it."
        return Completeness.COMPLETE, None


_AGAIN = "The next attempt will see what is there then."


def _observation(found: Table) -> Observation:
    payload = encoded(found)
    counted = found.kind not in WITHOUT_STATISTICS
    return Observation(
        schema=found.dataset,
        name=found.name,
        kind=found.kind,
        fingerprint=blake2b(payload, digest_size=16, person=READER).digest(),
        payload=payload,
        row_estimate=found.num_rows if counted else None,
        size_bytes=found.num_bytes if counted else None,
    )
