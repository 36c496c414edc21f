"""The calls that this engine makes, bounded in number at a time, slower when BigQuery asks for it, and stoppable.

A list of tables tells little of each table, so every table takes a call of its own (the reference of the interface is
https://cloud.google.com/bigquery/docs/reference/rest). What is recorded for a run is one entry for each kind of call,
not for each call: ``rows`` counts what was answered.
"""

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any, TypeVar

from google.cloud.bigquery import Client, DatasetReference, TableReference

from metamapper.connectors import errors
from metamapper.connectors.base import Statement
from metamapper.connectors.engines.bigquery.errors import RAISED, translated
from metamapper.connectors.engines.bigquery.settings import BigquerySettings
from metamapper.connectors.engines.bigquery.told import Dataset, ListedDataset, ListedTable, TablePage, Told, told
from metamapper.connectors.engines.bigquery.transport import Wire
from metamapper.connectors.sql.statements import StatementLog

Resource = dict[str, Any]
S = TypeVar("S", bound=Told)
T = TypeVar("T")
R = TypeVar("R")

PAGE = 1000
"""Tables or datasets that one page of a list holds."""
AHEAD = 2
"""Calls that are made ahead of the reader, for each that runs at a time: enough to keep all of them busy."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 32.0
"""Seconds; doubled from one attempt to the next, as BigQuery's terms of service ask for."""
PATIENCE: Mapping[type[errors.ConnectorError], int] = {
    errors.Throttled: 8,
    errors.ServerUnavailable: 8,
    errors.ConnectionLost: 3,
}
"""How often a call is made in all before its failure counts; a failure that is not named counts at once."""

CALLS = {
    "project": "GET /bigquery/v2/projects/{project}/datasets?maxResults=1",
    "datasets": "GET /bigquery/v2/projects/{project}/datasets",
    "dataset": "GET /bigquery/v2/projects/{project}/datasets/*",
    "tables": "GET /bigquery/v2/projects/{project}/datasets/*/tables",
    "table": "GET /bigquery/v2/projects/{project}/datasets/*/tables/*",
    "rights": "POST /bigquery/v2/projects/{project}/datasets/*/tables/*:testIamPermissions",
}


class Calls:
    def __init__(self, client: Client, settings: BigquerySettings, wire: Wire, pool: ThreadPoolExecutor) -> None:
        self._client = client
        self._settings = settings
        self._wire = wire
        self._pool = pool
        self._stopped = Event()
        # No retries of the client's own: they could not be stopped.
        self._plain: dict[str, Any] = {
            "retry": None,
            "timeout": (settings.connect_timeout, settings.call_timeout),
        }
        self.statements = StatementLog()

    def stop(self) -> None:
        """End what is under way, and let nothing else begin."""
        self._stopped.set()
        self._wire.cut()

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    # --- The calls ---------------------------------------------------------------------------------------------------

    def project(self) -> None:
        """One cheap call that fails where the project cannot be read at all."""
        with self.recorded("project"):
            self.patiently(lambda: list(self._client.list_datasets(max_results=1, **self._plain)))

    def datasets(self) -> list[str]:
        """The names of the datasets that the account may see."""
        with self.recorded("datasets") as statement:
            found = [each.name for each in self._listed(self._client.list_datasets, "datasets", ListedDataset)]
            statement.rows = len(found)
            return found

    def dataset(self, name: str) -> Dataset:
        reference = DatasetReference(self._settings.project, name)
        return told(self.patiently(lambda: self._client.get_dataset(reference, **self._plain).to_api_repr()), Dataset)

    def tables(self, dataset: str) -> list[str]:
        """The names of the tables of a dataset."""
        reference = DatasetReference(self._settings.project, dataset)
        listed = self._listed(lambda **options: self._client.list_tables(reference, **options), "tables", ListedTable)
        return [each.name for each in listed]

    def first_table(self, dataset: str) -> tuple[int, str | None]:
        """How many tables a dataset has, and the name of one of them."""
        reference = DatasetReference(self._settings.project, dataset)
        options: dict[str, Any] = {"page_size": 1, **self._plain}
        page = self.patiently(lambda: next(self._client.list_tables(reference, **options).pages, None))
        listed = told(page.raw_page if page is not None else {}, TablePage)
        return listed.total_items or len(listed.tables), listed.tables[0].name if listed.tables else None

    def table(self, dataset: str, name: str) -> Resource:
        reference = self._table(dataset, name)
        return self.patiently(lambda: dict(self._client.get_table(reference, **self._plain).to_api_repr()))

    def rights(self, dataset: str, table: str, wanted: Iterable[str]) -> list[str]:
        """Which of these permissions the account has on a table; for the connection test."""
        reference, asked = self._table(dataset, table), list(wanted)
        answer: Resource = self.patiently(lambda: self._client.test_iam_permissions(reference, asked, **self._plain))
        return list(answer.get("permissions", ()))

    # --- How they are made -------------------------------------------------------------------------------------------

    def each(self, act: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """What ``act`` returns for each item, in order; memory holds what is under way and no more."""
        waiting: deque[Future[R]] = deque()
        try:
            for item in items:
                waiting.append(self._pool.submit(act, item))
                if len(waiting) >= AHEAD * self._settings.parallel:
                    yield self._taken(waiting.popleft())
            while waiting:
                yield self._taken(waiting.popleft())
        finally:
            for future in waiting:
                future.cancel()

    def patiently(self, act: Callable[[], R]) -> R:
        """Make a call; where it may succeed later, again after a while that doubles. Raises a ``ConnectorError``."""
        attempt, wait = 1, FIRST_WAIT
        while True:
            try:
                return self._once(act)
            except errors.ConnectorError as error:
                if attempt >= PATIENCE.get(type(error), 0):
                    raise
            # A random part keeps calls that were refused together from coming back together.
            if self._stopped.wait(random.uniform(wait / 2, wait)):  # noqa: S311 - no secret
                raise errors.Cancelled
            attempt, wait = attempt + 1, min(wait * 2, LONGEST_WAIT)

    @contextmanager
    def recorded(self, label: str) -> Iterator[Statement]:
        """Note a kind of call for the run's page."""
        self._go_on()
        with self.statements.sent(label, CALLS[label].format(project=self._settings.project)) as statement:
            yield statement

    def _once(self, act: Callable[[], R]) -> R:
        self._go_on()
        try:
            return act()
        except RAISED as error:
            self._go_on()
            raise translated(error, self._settings) from None

    def _taken(self, future: Future[R]) -> R:
        self._go_on()
        return future.result()

    def _go_on(self) -> None:
        if self._stopped.is_set():
            raise errors.Cancelled

    def _listed(self, list_them: Callable[..., Any], key: str, kind: type[S]) -> Iterator[S]:
        """The items of all pages; each page is asked for by itself, so that one can be asked for again."""
        token: str | None = None
        before = set[str]()
        while True:
            options: dict[str, Any] = {"page_token": token, "page_size": PAGE, **self._plain}
            page = self.patiently(lambda: next(list_them(**options).pages, None))  # noqa: B023 - called at once
            raw: Resource = page.raw_page if page is not None else {}
            for item in raw.get(key, ()):
                yield told(item, kind)
            token = raw.get("nextPageToken")
            if not token:
                return
            if token in before:
                raise errors.ReadDisturbed("BigQuery gives the same page of a list again and again.")
            before.add(token)

    def _table(self, dataset: str, name: str) -> TableReference:
        return TableReference(DatasetReference(self._settings.project, dataset), name)
