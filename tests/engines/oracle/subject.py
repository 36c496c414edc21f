"""Oracle for the conformance suite: answers recorded from the documentation, and no server."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from msgspec.structs import replace

from metamapper.connectors.base import EngineSettings
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.engines.oracle import ENGINE
from metamapper.connectors.engines.oracle.settings import OracleSettings, Tls
from metamapper.connectors.reach import Reach
from metamapper.schema import AssetKind, TypeFamily
from tests.support.oracle_ddl import SCHEMAS, Database
from tests.support.oracle_driver import Server, recorded

PASSWORDS = {"SYSTEM": "correct horse, battery", "READER": "staple p@ss:w/rd?#%41 é", "MAIN": "of the owner"}


@dataclass(frozen=True)
class OracleSource:
    server: Server

    @property
    def dictionary(self) -> Database:
        return self.server.dictionary

    @property
    def settings(self) -> OracleSettings:
        return self.as_user("SYSTEM")

    @property
    def reader(self) -> OracleSettings:
        return self.as_user("READER")

    def as_user(self, user: str) -> OracleSettings:
        return OracleSettings(
            host="127.0.0.1",
            port=self.server.port,
            service="MODEL",
            user=user,
            password=PASSWORDS[user],
            tls=Tls.OFF,
        )

    @property
    def reach(self) -> Reach:
        return Reach()

    def perform(self, *operations: ops.Operation) -> None:
        self.dictionary.perform(*operations)

    def revoke(self, schema: str) -> None:
        """What shows one schema shows them all: it is taken away as a whole."""
        self.dictionary.see_dictionary.discard("READER")

    def paste(self, remedy: str) -> None:
        granted = re.fullmatch(r'GRANT SELECT ANY DICTIONARY TO "(\w+)"', remedy)
        assert granted, remedy
        self.dictionary.see_dictionary.add(granted[1])

    def aimed_at(self, host: str, port: int) -> OracleSettings:
        return replace(self.settings, host=host, port=port, connect_timeout=2, password="a planted secret")

    def cut(self) -> None:
        for connection in self.server.connections:
            connection.dead.set()


class OracleSubject:
    engine = ENGINE
    schemas: Mapping[str, str] = SCHEMAS
    shown: Mapping[TypeFamily, str] = {
        TypeFamily.INTEGER: "NUMBER(10)",
        TypeFamily.STRING: "CLOB",
        TypeFamily.DECIMAL: "NUMBER(12,2)",
        TypeFamily.BOOLEAN: "BOOLEAN",
        TypeFamily.TIMESTAMP: "TIMESTAMP(6) WITH TIME ZONE",
        TypeFamily.DATE: "DATE",
        TypeFamily.FLOAT: "BINARY_DOUBLE",
        TypeFamily.BINARY: "BLOB",
    }
    widest = 1000
    longest_name = 128
    most_statements = 20

    def allows(self, name: str, kind: AssetKind) -> bool:
        """No name of Oracle's has a double quote in it."""
        return '"' not in name

    @contextmanager
    def fresh(self) -> Iterator[OracleSource]:
        with closing(Database()) as dictionary, recorded(dictionary, PASSWORDS) as server:
            dictionary.see_dictionary.add("READER")
            yield OracleSource(server)

    @contextmanager
    def right_password(self) -> Iterator[EngineSettings]:
        with self.fresh() as source:
            yield source.reader

    @contextmanager
    def wrong_passwords(self) -> Iterator[Sequence[EngineSettings]]:
        with self.fresh() as source:
            yield [
                replace(source.reader, password="not the right one"),
                replace(source.reader, password="p@ss:w/rd?#%41 é"),
                replace(source.reader, user="no such user", password="whatever it is"),
            ]


ELSEWHERE = "oracle://ana:pw@db.invalid:1522/ORCL"
"""A server that is nowhere, for what is asked for on the way to it."""
