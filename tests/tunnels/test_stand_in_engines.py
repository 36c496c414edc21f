"""Stand-ins behind a way of which their settings know nothing: the port they name is nobody's, and all is read all the same.

Whatever connected to the host and port of the settings, and not to where the way begins, would find nobody.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

from metamapper.connectors.base import Engine, EngineSettings, StepState
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.reach import Reach
from metamapper.connectors.scope import ScopeFilter
from tests.engines.bigquery.subject import BigquerySubject
from tests.engines.glue.subject import GlueSubject
from tests.engines.redshift.subject import RedshiftSubject
from tests.engines.sqlserver.subject import SqlserverSubject
from tests.support.aws import Aws
from tests.support.ways import Straight

NOBODY = 1
TABLE = ops.CreateTable(ops.Table("orders"), (ops.NewColumn("id"),))


def is_read(engine: Engine, settings: EngineSettings, port: int, expected: str = "orders") -> None:
    reach = Reach(way=Straight(port))
    steps = list(engine.connect(settings, reach).test())
    assert not [(step.name, step.detail) for step in steps if step.state is StepState.FAILED]
    with engine.connect(settings, reach).open() as session:
        session.scopes(ScopeFilter())
        assert expected in {found.name for found in session.relations(ScopeFilter())}
        session.cancel()


def port_of(settings: EngineSettings) -> int:
    port: int = getattr(settings, "port")  # noqa: B009 - these engines have one
    return port


def elsewhere(settings: EngineSettings, **changes: Any) -> EngineSettings:
    return replace(settings, **changes)


def test_sql_server() -> None:
    with SqlserverSubject().fresh() as source:
        source.perform(TABLE)
        is_read(SqlserverSubject.engine, elsewhere(source.settings, port=NOBODY), port_of(source.settings))


@pytest.mark.live
def test_redshift(postgresql_server: str) -> None:
    subject = RedshiftSubject(postgresql_server)
    with subject.fresh() as source:
        source.perform(TABLE)
        is_read(subject.engine, elsewhere(source.settings, port=NOBODY), port_of(source.settings))


def test_bigquery() -> None:
    subject = BigquerySubject()
    with subject.fresh() as source:
        source.perform(TABLE)
        real, place = source.settings.endpoint, f"http://localhost:{NOBODY}"
        settings = replace(source.settings, endpoint=place, key=source.settings.key.replace(real, place))
        is_read(subject.engine, settings, urlsplit(real).port or 0)


def test_glue(aws: Aws) -> None:
    subject = GlueSubject(aws)
    with subject.fresh() as source:
        source.perform(TABLE)
        place: Mapping[str, str] = dict.fromkeys(("endpoint_url", "sts_endpoint_url"), f"http://localhost:{NOBODY}")
        is_read(subject.engine, replace(source.settings, **place), urlsplit(source.settings.endpoint_url).port or 0)
