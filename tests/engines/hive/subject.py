"""Hive metastores for the conformance suite: made by hand in the databases of three servers, behind a stand-in for the
service, and a real one.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from msgspec.structs import replace

from metamapper.connectors.base import Engine, EngineSettings
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.engines.hive import ENGINE, THROUGH_THE_SERVICE
from metamapper.connectors.engines.hive.settings import HiveSettings
from metamapper.connectors.reach import Reach
from metamapper.schema import AssetKind
from tests.support.hive_model import TYPES, Model
from tests.support.hive_service import ServiceKeeper
from tests.support.hive_stores import Store
from tests.support.hive_tables import rows_of

SERVICE = dataclasses.replace(
    ENGINE, capabilities={**ENGINE.capabilities, **THROUGH_THE_SERVICE}, stable_ids=frozenset()
)
"""The engine as far as its service goes."""

Opened = Callable[[], AbstractContextManager[Store]]


@dataclass
class ModelSource:
    """A metastore made by hand. What tests change in ``model`` is there after ``put``."""

    store: Store
    version: str
    model: Model = field(default_factory=Model)

    @property
    def settings(self) -> HiveSettings:
        return self.store.settings

    @property
    def reach(self) -> Reach:
        return Reach()

    def perform(self, *operations: ops.Operation) -> None:
        self.model.perform(*operations)
        self.put()

    def put(self) -> None:
        self.store.put(rows_of(self.model, self.version))

    def aimed_at(self, host: str, port: int) -> HiveSettings:
        return replace(self.settings, host=host, port=port, connect_timeout=2, password="a planted secret")

    def cut(self) -> None:
        self.store.cut()


@dataclass(frozen=True)
class ModelSubject:
    opened: Opened
    version: str
    is_latin: bool = False
    """Whether names are kept in latin1, as Hive's scripts for MySQL have it."""
    engine: Engine = ENGINE
    schemas = Model().places
    shown = TYPES
    widest = 2_000
    longest_name = 256
    most_statements = 15

    def allows(self, name: str, kind: AssetKind) -> bool:
        return not self.is_latin or all(ord(character) < 256 for character in name)

    @contextmanager
    def fresh(self) -> Iterator[ModelSource]:
        with self.opened() as store:
            model = store.handler.model if isinstance(store, ServiceKeeper) else Model()
            source = ModelSource(store, self.version, model)
            source.put()
            yield source

    @contextmanager
    def right_password(self) -> Iterator[EngineSettings]:
        with self.fresh() as source:
            yield source.settings

    @contextmanager
    def wrong_passwords(self) -> Iterator[Sequence[EngineSettings]]:
        with self.fresh() as source:
            yield [
                replace(source.settings, password="not the right one"),
                replace(source.settings, password="p@ss:w/rd?#%41 é"),
                replace(source.settings, user="no such user", password="whatever it is"),
            ]


ELSEWHERE = "thrift://db.invalid:9084"
"""A server that is nowhere, for what is asked for on the way to it."""
