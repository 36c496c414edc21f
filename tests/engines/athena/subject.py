"""Athena for the conformance suite: the lake is Glue's, and is read through Athena's calls."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from metamapper.connectors.base import Engine, EngineSettings
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.engines.athena import ENGINE
from metamapper.connectors.engines.athena.settings import AthenaSettings
from metamapper.schema import AssetKind, TypeFamily
from tests.engines.glue.subject import SCHEMAS, TYPES, Lake, LakeSource, reaching, refused
from tests.support.aws import Aws, People

LEAST = [
    {
        "Effect": "Allow",
        "Action": ["athena:ListDataCatalogs", "athena:ListDatabases", "athena:ListTableMetadata"],
        "Resource": "*",
    },
    {"Effect": "Allow", "Action": ["glue:GetDatabases", "glue:GetTables"], "Resource": "*"},
]
LISTS_ONLY = [LEAST[0], {"Effect": "Allow", "Action": "glue:GetDatabases", "Resource": "*"}]


class AthenaLake(Lake):
    def comment(self, told: Any, text: str) -> Any:
        """A table property, as Athena's own COMMENT makes it."""
        return {"Parameters": {**told.get("Parameters", {}), "comment": text}}


@dataclass(frozen=True)
class AthenaSubject:
    aws: Aws
    engine: ClassVar[Engine] = ENGINE
    schemas: ClassVar[Mapping[str, str]] = SCHEMAS
    shown: ClassVar[Mapping[TypeFamily, str]] = TYPES
    widest: ClassVar[int] = 2000
    longest_name: ClassVar[int] = 128
    most_statements: ClassVar[int] = 6

    def allows(self, name: str, kind: AssetKind) -> bool:
        """Names are on one line: https://docs.aws.amazon.com/athena/latest/APIReference/API_Column.html."""
        return "\n" not in name

    @contextmanager
    def fresh(self) -> Iterator[LakeSource]:
        self.aws.reset()
        lake = AthenaLake(self.aws.client("glue"))
        lake.perform(ops.CreateSchema("main"))
        people = People(self.aws, LEAST)
        self.aws.guard()
        try:
            yield LakeSource(self.aws, lake, people, settings_of(self.aws, people), LISTS_ONLY)
        finally:
            self.aws.reset()

    @contextmanager
    def right_password(self) -> Iterator[EngineSettings]:
        with self.fresh() as source:
            yield source.settings

    @contextmanager
    def wrong_passwords(self) -> Iterator[Sequence[EngineSettings]]:
        with self.fresh() as source:
            yield refused(source.settings)


def settings_of(aws: Aws, people: People, **others: Any) -> AthenaSettings:
    return AthenaSettings(**reaching(aws, people), **others)


ELSEWHERE = "athena://AKIAEXAMPLE:secret@eu-west-1/"
"""A server that is nowhere, for what is asked for on the way to it."""
FIRST_ASKED = ("athena.eu-west-1.amazonaws.com", 443)
