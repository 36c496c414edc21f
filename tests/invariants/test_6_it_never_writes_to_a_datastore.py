"""6. A datastore is never written to, and no row of it is read: shown by the server's own log, and by what is stored."""

import re
from collections.abc import Iterator

import psycopg
import pytest

from metamapper.connectors.registry import from_url
from metamapper.datastores.models import Datastore
from metamapper.datastores.services import create_datastore
from metamapper.inspection.services import execute
from metamapper.runs.models import Run, State, Trigger
from metamapper.runs.services import request_run, set_schedule
from tests.cast import Cast
from tests.invariants.storage import everything_stored
from tests.support import servers
from tests.support.databases import run_sql

PLANTED = "planted-row-value-7c1f"
SPOKEN = re.compile(r"LOG:  (?:statement|execute \S+): (.*?)(?=\n\d{4}-|\Z)", re.DOTALL)
READS = re.compile(
    r"^\s*(?:SELECT|WITH|SHOW|SET|BEGIN|COMMIT|ROLLBACK|DECLARE|FETCH|CLOSE|START|COPY\s*\(\s*(?:SELECT|WITH))\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def talkative() -> Iterator[servers.Server]:
    """A PostgreSQL of our own that writes down every statement."""
    try:
        with servers.started_postgresql(settings=["log_statement=all", "log_line_prefix=%m "]) as server:
            run_sql(
                server.url,
                "CREATE SCHEMA shop",
                "CREATE TABLE shop.orders (id int PRIMARY KEY, note text CHECK (note <> ''))",
                "CREATE VIEW shop.recent AS SELECT * FROM shop.orders",
                f"INSERT INTO shop.orders VALUES (1, '{PLANTED}')",
                "ANALYZE",
            )
            yield server
    except servers.Missing as missing:
        pytest.skip(f"Not to be had: {missing}")


@pytest.fixture
def inspected(talkative: servers.Server, cast: Cast) -> tuple[Run, list[str]]:
    """A run over that server, and every statement that the server was sent meanwhile."""
    assert talkative.log
    before = len(talkative.log.read_text(errors="replace"))
    run = look(connected(cast, talkative.url))
    return run, SPOKEN.findall(talkative.log.read_text(errors="replace")[before:])


def connected(cast: Cast, url: str) -> Datastore:
    engine, settings = from_url(url)
    datastore = create_datastore(
        cast.larkspur,
        name="shop",
        engine=engine.name,
        settings=settings,
        user=cast.ana,
        interval_seconds=3600,
        tested=True,
    )
    set_schedule(datastore, enabled=False)
    return datastore


def look(datastore: Datastore) -> Run:
    run = request_run(datastore, trigger=Trigger.MANUAL)
    execute(run.pk, owner="test/1")
    return Run.objects.get(pk=run.pk)


@pytest.mark.live
def test_every_statement_of_an_inspection_reads(inspected: tuple[Run, list[str]]) -> None:
    run, spoken = inspected
    assert run.state == State.SUCCEEDED, run.outcome
    assert spoken, "the server wrote nothing down"
    assert not [statement for statement in spoken if not READS.match(statement)]
    assert not [statement for statement in spoken if re.search(r"\bFROM\s+\"?shop\b", statement, re.IGNORECASE)]


@pytest.mark.live
def test_the_run_shows_what_it_sent(inspected: tuple[Run, list[str]]) -> None:
    """Each statement the run lists was heard by the server, and there are few of them."""
    run, spoken = inspected
    heard = " ".join(" ".join(spoken).split())
    assert 0 < len(run.statements) <= 15
    for statement in run.statements:
        words = " ".join(str(statement["sql"]).split())[:60]
        assert words.partition("%")[0] in heard, statement["label"]


@pytest.mark.live
@pytest.mark.django_db
def test_no_row_of_it_is_stored(inspected: tuple[Run, list[str]]) -> None:
    stored = everything_stored()
    assert "orders" in stored
    assert PLANTED not in stored


@pytest.mark.live
def test_the_server_itself_would_refuse_a_write(talkative: servers.Server) -> None:
    engine, settings = from_url(talkative.url)
    with engine.connect(settings).open() as session:
        connection = next(each for each in vars(session).values() if isinstance(each, psycopg.Connection))
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("INSERT INTO shop.orders VALUES (2, 'x')")
