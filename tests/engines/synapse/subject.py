"""Azure Synapse for the conformance suite: a stand-in for a dedicated pool that the real driver talks to."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from msgspec.structs import replace

from metamapper.connectors.base import EngineSettings
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.engines.synapse import ENGINE
from metamapper.connectors.engines.synapse.settings import SynapseSettings
from metamapper.connectors.reach import Reach
from metamapper.schema import AssetKind
from tests.support.tds import Hello, Refused, Session, TdsServer
from tests.support.tsql import CatalogSession
from tests.support.tsql_catalog import TYPES, TsqlCatalog, TsqlSpelling
from tests.support.tsql_tables import ADMINISTRATOR, SERVERLESS_TABLES, SYNAPSE_TABLES, SYNAPSE_VIEWS

PASSWORD = "correct horse, battery %41 staple"
READER = 'mm reader "1"'
DEDICATED = {"ProductVersion": "10.0.16003.0", "EngineEdition": 6, "Edition": "SQL Azure"}
SERVERLESS = {"ProductVersion": "12.0.2000.8", "EngineEdition": 11, "Edition": "SQL Azure"}


def dedicated() -> TsqlCatalog:
    return TsqlCatalog("pool", facts=DEDICATED, text=SYNAPSE_TABLES, views=SYNAPSE_VIEWS)


def serverless() -> TsqlCatalog:
    return TsqlCatalog("lake", facts=SERVERLESS, text=SERVERLESS_TABLES, views=SYNAPSE_VIEWS)


@dataclass
class SynapseSource:
    """A stand-in with one pool; whoever knows the password may sign in under any name."""

    catalog: TsqlCatalog = field(default_factory=dedicated)
    server: TdsServer = field(init=False)

    def __post_init__(self) -> None:
        self.server = TdsServer(self.sign_in)

    def sign_in(self, hello: Hello) -> Session:
        if hello.password != PASSWORD:
            raise Refused(18456, f"Login failed for user '{hello.user}'.")
        return CatalogSession(self.catalog, hello.user)

    @property
    def settings(self) -> SynapseSettings:
        return SynapseSettings(
            host="127.0.0.1",
            port=self.server.port,
            database=self.catalog.name,
            user=ADMINISTRATOR,
            password=PASSWORD,
            connect_timeout=5,
            statement_timeout=10,
        )

    @property
    def reader(self) -> SynapseSettings:
        return replace(self.settings, user=READER)

    @property
    def reach(self) -> Reach:
        return Reach()

    def perform(self, *operations: ops.Operation) -> None:
        self.catalog.perform(*operations)

    def revoke(self, schema: str) -> None:
        self.catalog.revoke(READER, "VIEW DEFINITION", TsqlSpelling().quote(TsqlSpelling.schemas[schema]))

    def paste(self, remedy: str) -> None:
        self.catalog.paste(remedy)

    def aimed_at(self, host: str, port: int) -> SynapseSettings:
        return replace(self.settings, host=host, port=port, connect_timeout=2, password="a planted secret")

    def cut(self) -> None:
        self.server.cut()


@contextmanager
def started(source: SynapseSource) -> Iterator[SynapseSource]:
    with closing(source.catalog), source.server.running():
        source.catalog.grant(READER, "VIEW DEFINITION", "[dbo]")
        yield source


@dataclass(frozen=True)
class SynapseSubject:
    engine = ENGINE
    schemas = TsqlSpelling.schemas
    shown = TYPES
    widest = 1024
    longest_name = 128
    most_statements = 6

    def allows(self, name: str, kind: AssetKind) -> bool:
        return True

    @contextmanager
    def fresh(self) -> Iterator[SynapseSource]:
        with started(SynapseSource()) as source:
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
                replace(source.settings, user="no such user", password="whatever it is"),
            ]


ELSEWHERE = "synapse://ana:pw@db.invalid:1434/shop"
"""A server that is nowhere, for what is asked for on the way to it."""
