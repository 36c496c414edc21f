"""Recordings: the same answers again, offline; nothing secret in them; a file that is not whole is one clear line."""

import gzip
import os
import stat
import subprocess
import sys
import tracemalloc
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from metamapper.cli.commands import metamapper
from metamapper.connectors import errors
from metamapper.connectors.base import Engine, Observation, Server, Statement
from metamapper.connectors.conformance.recordings import record, replay, spellings, text_of
from metamapper.connectors.engines.sqlite import ENGINE as SQLITE
from metamapper.connectors.engines.sqlite.session import SqliteSession
from metamapper.connectors.engines.sqlite.settings import SqliteSettings
from metamapper.connectors.reading import read_snapshot, snapshot_of
from metamapper.connectors.recording import NotRecorded, recorded, replayed
from metamapper.connectors.recording.format import FIRST_LINE, Failed
from metamapper.connectors.recording.masking import Mask
from metamapper.connectors.recording.replay import again
from metamapper.connectors.registry import from_url, registry
from metamapper.connectors.scope import Patterns, ScopeFilter
from metamapper.connectors.sql.postgresql.settings import PostgresqlSettings
from metamapper.schema import Completeness, RelationKind, Scope
from tests.engines.postgresql.subject import PostgresqlSubject
from tests.engines.sqlite.subject import SqliteSource, SqliteSubject

SECRET = "pa/ss word+1&ü"
SETTINGS = PostgresqlSettings(host="db.corp.example", database="shop", user="ana", password=SECRET)


@pytest.fixture
def source(tmp_path: Path) -> SqliteSource:
    source = SqliteSource(tmp_path / "shop.sqlite3")
    source.run("CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT)", "CREATE VIEW open AS SELECT id FROM orders")
    return source


@pytest.fixture
def path(source: SqliteSource, tmp_path: Path) -> Path:
    """A recording of it."""
    kept = tmp_path / "shop.recording"
    record(SqliteSubject(tmp_path), kept, source.settings, source.reach)
    return kept


# --- The same again --------------------------------------------------------------------------------------------------


@pytest.mark.live
def test_postgresql_is_replayed_as_it_was_read(postgresql_server: str, tmp_path: Path) -> None:
    subject = PostgresqlSubject(postgresql_server)
    with subject.fresh() as source:
        source.run(
            "CREATE SCHEMA sales",
            "CREATE TABLE sales.orders (id bigint PRIMARY KEY, tags text[], at timestamptz DEFAULT now())",
            "CREATE VIEW sales.open AS SELECT id FROM sales.orders",
            "COMMENT ON TABLE sales.orders IS 'One row per checkout 😀'",
        )
        found = record(subject, tmp_path / "a.recording", source.settings)
    assert len(found.relations) == 2
    assert replay(tmp_path / "a.recording") == found


def test_a_part_of_it_can_be_replayed(path: Path) -> None:
    within = ScopeFilter(tables=Patterns.parse("orders"))
    assert [relation.name for relation in replay(path, within).relations] == ["orders"]
    assert replay(path, ScopeFilter(schemas=Patterns.parse("-main"))).scopes == ()


def test_what_was_sent_is_kept(path: Path) -> None:
    _, connector = replayed(path)
    with connector.open() as session:
        session.scopes(ScopeFilter())
        list(session.relations(ScopeFilter()))
        session.scopes(ScopeFilter())
        session.scopes(ScopeFilter())
    assert {"objects", "columns"} <= {statement.label for statement in session.statements}


def test_a_probe_is_answered_as_it_was(source: SqliteSource, tmp_path: Path) -> None:
    connector = SQLITE.connect(source.settings, source.reach)
    with (
        recorded(tmp_path / "a", SQLITE, source.settings, ScopeFilter(), connector) as recording,
        recording.open() as session,
    ):
        token = session.probe(ScopeFilter())
    with replayed(tmp_path / "a")[1].open() as session:
        assert session.probe(ScopeFilter()) == token


def test_a_probe_that_nobody_made_costs_nothing(path: Path) -> None:
    """What was not wanted is there for the call that wants it."""
    with replayed(path)[1].open() as session:
        assert session.probe(ScopeFilter()) is None
        scopes, complete = session.scopes(ScopeFilter())
        assert ([scope.name for scope in scopes], complete) == (["main"], True)
        assert session.scopes(ScopeFilter()) == (scopes, True)
        assert {each.name for each in session.relations(ScopeFilter())} == {"orders", "open"}


def test_a_recording_without_a_list_of_schemas_proves_nothing_gone(source: SqliteSource, tmp_path: Path) -> None:
    connector = SQLITE.connect(source.settings, source.reach)
    with recorded(tmp_path / "a", SQLITE, source.settings, ScopeFilter(), connector) as kept, kept.open() as session:
        session.probe(ScopeFilter())
    with replayed(tmp_path / "a")[1].open() as session:
        assert session.scopes(ScopeFilter()) == ([], False)


@pytest.mark.parametrize(
    ("recording", "asked", "told"),
    [
        (("", ""), ScopeFilter(), ("", True, Completeness.COMPLETE)),
        (("", ""), ScopeFilter(Patterns.parse("main")), ("", True, Completeness.COMPLETE)),
        (("ma*", ""), ScopeFilter(Patterns.parse("ma*")), ("", True, Completeness.COMPLETE)),
        (("ma*", ""), ScopeFilter(Patterns.parse("main")), ("", True, Completeness.COMPLETE)),
        (("ma*", ""), ScopeFilter(Patterns.parse("ma*, -mad")), ("", True, Completeness.COMPLETE)),
        (("ma*", ""), ScopeFilter(), ("schemas “ma*”", False, Completeness.COMPLETE)),
        (("ma*", ""), ScopeFilter(Patterns.parse("*")), ("schemas “ma*”", False, Completeness.COMPLETE)),
        (("", "ord*"), ScopeFilter(), ("tables “ord*”", True, Completeness.PARTIAL)),
        (("", "ord*"), ScopeFilter(tables=Patterns.parse("orders")), ("", True, Completeness.COMPLETE)),
        (("ma*", "-open"), ScopeFilter(), ("schemas “ma*” and tables “-open”", False, Completeness.PARTIAL)),
    ],
)
def test_more_than_was_recorded_is_said_to_be_missing(
    source: SqliteSource,
    tmp_path: Path,
    recording: tuple[str, str],
    asked: ScopeFilter,
    told: tuple[str, bool, Completeness],
) -> None:
    lacks, whole, completeness = told
    within = ScopeFilter(*map(Patterns.parse, recording))
    connector = SQLITE.connect(source.settings, source.reach)
    with recorded(tmp_path / "a", SQLITE, source.settings, within, connector) as keeping:
        snapshot_of(keeping, SQLITE, within)
    said = replayed(tmp_path / "a")[1].lacks(asked)
    assert said.startswith(f"The recording holds {lacks} only") if lacks else said == ""
    found = replay(tmp_path / "a", asked)
    assert (found.scopes_complete, found.scopes[0].completeness) == (whole, completeness)


def test_an_answer_that_todays_code_does_not_know_is_one_line(
    source: SqliteSource, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(payload: bytes) -> Any:
        return msgspec.json.decode(payload, type=dict[str, int])

    monkeypatch.setattr("metamapper.connectors.engines.sqlite.payload.decode", changed)
    with pytest.raises(errors.FileUnreadable, match="cannot be decoded") as caught:
        replay(path)
    assert "record it again" in caught.value.hint
    result = CliRunner().invoke(metamapper, ["inspect", "--replay", str(path)])
    assert result.exit_code == 2
    assert "cannot be decoded" in result.output


OFFLINE = """
import sys
for name in ("psycopg", "pymysql", "oracledb", "pytds", "redshift_connector", "snowflake", "duckdb", "boto3", "botocore", "google"):
    sys.modules[name] = None
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "sqlite3.connect"):
        raise SystemExit(f"{event} was called")
sys.addaudithook(refuse)
from pathlib import Path
from metamapper.connectors.recording import replayed_snapshot
from metamapper.connectors.registry import registry
for engine in registry().engines.values():
    assert callable(engine.decoding()), engine.name
print(len(replayed_snapshot(Path(sys.argv[1])).relations), len(registry().engines))
"""


def test_it_takes_neither_driver_nor_network(path: Path) -> None:
    """Every engine's payloads can be decoded where none of the drivers is installed."""
    done = subprocess.run([sys.executable, "-c", OFFLINE, path], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["2", str(len(registry().engines))], done.stderr


# --- What failed -----------------------------------------------------------------------------------------------------


@dataclass
class Answers:
    """An engine of SQLite's name that answers as it is told."""

    relations: Callable[[], Iterator[Observation]]
    details: dict[str, Any]
    listed: Sequence[Scope] = (Scope(name="main", comment=f"The password is {SECRET}"),)

    @contextmanager
    def open(self) -> Iterator[Any]:
        yield AnsweringSession(self.relations, Server("1", self.details), self.listed)

    def test(self) -> Iterator[Any]:
        return iter(())


@dataclass
class AnsweringSession:
    answers: Callable[[], Iterator[Observation]]
    server: Server
    listed: Sequence[Scope]
    expected: int | None = None
    statements: Sequence[Statement] = ()

    def scopes(self, within: ScopeFilter) -> tuple[Sequence[Scope], bool]:
        return self.listed, True

    def relations(self, within: ScopeFilter) -> Iterator[Observation]:
        return self.answers()

    def decode(self, payload: bytes) -> Any:
        return SqliteSession.decode(None, payload)  # type: ignore[arg-type]  # it is pure


def observation(name: str = "t", sql: str = "CREATE TABLE t (a)") -> Observation:
    payload = msgspec.json.encode([name, "table", sql, "table", 0, 0, [[0, "a", "TEXT", 0, None, 0, 0]], [], [], None])
    return Observation("main", name, RelationKind.TABLE, b"\x01" * 16, payload)


def kept(path: Path, relations: Callable[[], Iterator[Observation]], **details: Any) -> None:
    with recorded(path, SQLITE, SETTINGS, ScopeFilter(), Answers(relations, details)) as recording:
        snapshot_of(recording, SQLITE, ScopeFilter())


FAILURES = [
    errors.ConnectionLost(server_said="gone", hint="Look again."),
    errors.PermissionMissing("No.", remedy="GRANT x;", unseen="everything"),
    KeyError("part"),
    ZeroDivisionError("by zero"),
]


@pytest.mark.parametrize("raised", FAILURES, ids=lambda each: type(each).__name__)
def test_what_failed_in_mid_read_fails_again_after_the_same_relations(tmp_path: Path, raised: Exception) -> None:
    def broken() -> Iterator[Observation]:
        yield observation()
        raise raised

    with pytest.raises(type(raised)):
        kept(tmp_path / "a", broken)
    with replayed(tmp_path / "a")[1].open() as session:
        session.scopes(ScopeFilter())
        rest = session.relations(ScopeFilter())
        assert next(rest).name == "t"
        with pytest.raises(type(raised)) as again:
            next(rest)
    if isinstance(raised, errors.ConnectorError):
        assert again.value.as_dict() == raised.as_dict()  # type: ignore[attr-defined]
    assert b'"trace"' in text_of(tmp_path / "a")


def test_a_failure_of_an_engine_that_is_not_installed_keeps_its_words() -> None:
    facts = {"code": "somewhere.else", "title": "Only there", "permanent": True, "detail": "As it is."}
    error = again(Failed(at="open", kind="OnlyThere", **facts))
    assert isinstance(error, errors.ConnectorError)
    assert error.as_dict().items() >= facts.items()
    assert str(again(Failed(at="open", kind="UnicodeDecodeError", detail="bad"))) == "UnicodeDecodeError: bad"


def test_what_cannot_be_decoded_is_kept_with_all_that_follows(
    source: SqliteSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the recording proves the mended code; today's fails as it did."""

    def refuse(session: SqliteSession, payload: bytes) -> Any:
        raise LookupError("no such kind")

    with monkeypatch.context() as patched:
        patched.setattr(SqliteSession, "decode", refuse)
        with pytest.raises(LookupError):
            record(SqliteSubject(tmp_path), tmp_path / "a", source.settings, source.reach)
    assert replay(tmp_path / "a") == read_snapshot(SQLITE, source.settings, reach=source.reach)
    monkeypatch.setattr("metamapper.connectors.engines.sqlite.payload.decode", lambda payload: refuse(None, payload))  # type: ignore[arg-type]
    with pytest.raises(LookupError):
        replay(tmp_path / "a")


# --- Nothing secret --------------------------------------------------------------------------------------------------


def planted() -> Iterator[Observation]:
    """A catalog that repeats the password in every spelling, as a foreign server's definition may."""
    plain, url, coded = SECRET, quote(SECRET, safe=""), b64encode(f"ana:{SECRET}".encode()).decode()
    yield observation(sql=f"CREATE TABLE t (a DEFAULT '{plain} {url} {coded}')")
    yield observation(name=f"t {SECRET}")


def test_no_secret_and_no_host_is_in_a_recording(tmp_path: Path) -> None:
    kept(tmp_path / "a", planted, role="ana", host="db.corp.example", address="10.1.2.3")
    written = text_of(tmp_path / "a")
    assert not [each for each in spellings(SECRET) if each in written]
    assert b64encode(f"ana:{SECRET}".encode())[4:-4] not in written
    assert b"corp.example" not in written
    assert b"10.1.2.3" not in written
    assert b"CREATE TABLE t (a DEFAULT" in written
    assert [relation.name for relation in replay(tmp_path / "a").relations] == ["t", "t ***"]


def test_the_fingerprint_of_what_held_a_secret_tells_nothing_of_it(tmp_path: Path) -> None:
    kept(tmp_path / "a", planted)
    assert b64encode(b"\x01" * 16) not in text_of(tmp_path / "a")


@given(
    secret=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=4, max_size=30),
    before=st.binary(max_size=8),
    after=st.binary(max_size=8),
)
def test_a_secret_is_found_wherever_its_base64_begins(secret: str, before: bytes, after: bytes) -> None:
    settings = msgspec.structs.replace(SETTINGS, password=secret)
    coded = b64encode(before + secret.encode() + after)
    assert b"***" in Mask(settings).data(coded)


def test_a_url_has_its_password_and_host_taken_out(tmp_path: Path) -> None:
    def broken() -> Iterator[Observation]:
        raise errors.ConnectionLost(
            server_said=f"postgresql://ana:{quote(SECRET, safe='')}@db.corp.example/shop at 10.0.0.7"
        )
        yield

    with pytest.raises(errors.ConnectionLost):
        kept(tmp_path / "a", broken)
    with pytest.raises(errors.ConnectionLost) as again:
        replay(tmp_path / "a")
    assert again.value.server_said == "postgresql://ana:***@<host>/shop at <host>"


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        ("at 10.0.0.7:5432, then fe80::1 and [2001:db8::7]:1", "at <host>:5432, then <host> and [<host>]:1"),
        ("db.corp.example:5432 but not sub.db.corp.example.org", "<host>:5432 but not sub.db.corp.example.org"),
        ("version 23.6.0.24.10 at 10:12:33, 1.5 s", "version 23.6.0.24.10 at 10:12:33, 1.5 s"),
        (f"postgresql://ana:{SECRET}@db.corp.example/shop", "postgresql://ana:***@<host>/shop"),
    ],
)
def test_what_is_said_of_the_connection_names_no_place(said: str, masked: str) -> None:
    assert Mask(SETTINGS).words(said) == masked


def test_capitals_and_derived_addresses_hide_no_host() -> None:
    """Snowflake's own words have an account in lower case, with its domain, and with a - for each _."""
    mask = Mask(from_url("snowflake://u:planted@ACME_WAREHOUSE-EU/d")[1])
    said = "ACME_WAREHOUSE-EU at acme-warehouse-eu.snowflakecomputing.com:443, https://Acme_Warehouse-EU.example"
    assert mask.words(said) == "<host> at <host>:443, https://<host>.example"
    assert Mask(SETTINGS).words("DB.Corp.Example") == "<host>"


def test_why_a_scope_cannot_be_read_names_no_place(tmp_path: Path) -> None:
    scope = Scope(
        name="db.corp.example",
        completeness=Completeness.UNREADABLE,
        reason=f"ana of DB.corp.example at 10.1.2.3 may not, with {SECRET}",
        remedy="GRANT SELECT ON db TO 'ana'@'10.1.2.3';",
        comment="Mirrors db.corp.example",
    )
    with recorded(tmp_path / "a", SQLITE, SETTINGS, ScopeFilter(), Answers(lambda: iter(()), {}, [scope])) as recording:
        snapshot_of(recording, SQLITE, ScopeFilter())
    (again,) = replay(tmp_path / "a").scopes
    assert again.reason == "ana of <host> at <host> may not, with ***"
    assert again.remedy == "GRANT SELECT ON db TO 'ana'@'<host>';"
    assert (again.name, again.comment) == (scope.name, scope.comment), "a catalog's own names stay"


@pytest.mark.parametrize(
    "secret",
    ["1234", "name", '","', "[[", "null", 'q"u'],
)
def test_what_is_left_of_a_payload_is_json_still(secret: str) -> None:
    """A secret of digits stands in many a number, and one of letters in many a key."""
    mask = Mask(msgspec.structs.replace(SETTINGS, password=secret))
    found = {"name": [1234, f"a {secret} b"], "size": 12345, "extras": {f"Label {secret}": None}, "rows": [[None]]}
    left = msgspec.json.decode(mask.payload(msgspec.json.encode(found)))
    kept = found if len(secret) < 4 else {**found, "name": [1234, "a *** b"], "extras": {"Label ***": None}}
    assert left == kept


# --- The file --------------------------------------------------------------------------------------------------------


def test_it_is_for_its_owner_alone_whatever_was_there_before(source: SqliteSource, tmp_path: Path) -> None:
    path = tmp_path / "a.recording"
    path.write_text("older")
    path.chmod(0o644)
    record(SqliteSubject(tmp_path), path, source.settings, source.reach)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.recording", "shop.sqlite3"]


def test_an_interruption_leaves_what_was_there(tmp_path: Path) -> None:
    def interrupted() -> Iterator[Observation]:
        yield observation()
        raise KeyboardInterrupt

    (tmp_path / "a").write_text("older")
    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path / "a", interrupted)
    assert (tmp_path / "a").read_text() == "older"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_where_it_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotRecorded, match="No such file or directory"):
        kept(tmp_path / "no" / "folder", planted)


def test_a_full_disk_is_said_and_leaves_nothing(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/dev/full").exists():
        why = "Not to be had: /dev/full, to be without space"
        pytest.fail(why) if request.config.getoption("--require-live") else pytest.skip(why)
    original = os.open
    monkeypatch.setattr(
        os,
        "open",
        lambda path, *rest: original("/dev/full", os.O_WRONLY) if "a" in str(path) else original(path, *rest),
    )
    with pytest.raises(NotRecorded, match="No space left"):
        kept(tmp_path / "a", planted)
    assert not list(tmp_path.iterdir())


def test_the_first_lines_are_for_people(path: Path) -> None:
    first, second, about = path.read_bytes().split(b"\n")[:3]
    assert first == b"Metamapper recording, version 1"
    assert b"no rows" in second
    assert msgspec.json.decode(about)["engine"] == "sqlite"


def changed(path: Path, change: Callable[[bytes], bytes]) -> str:
    """What is said of a recording after a change of its bytes."""
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(errors.FileUnreadable) as caught:
        replay(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def edited(raw: bytes, old: bytes, new: bytes) -> bytes:
    """The same recording with other answers, well compressed."""
    *head, body = raw.split(b"\n", 3)
    text = gzip.decompress(body)
    assert old in text
    return b"\n".join((*head, gzip.compress(text.replace(old, new, 1))))


def without_the_last_line(raw: bytes) -> bytes:
    *head, body = raw.split(b"\n", 3)
    lines = gzip.decompress(body).splitlines(keepends=True)
    return b"\n".join((*head, gzip.compress(b"".join(lines[:-1]))))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: raw[:-40], "was cut off"),
        (lambda raw: raw[: len(raw) // 2], "was cut off"),
        (without_the_last_line, "was cut off"),
        (lambda raw: edited(raw, b"orders", b"ordered"), "was changed"),
        (lambda raw: edited(raw, b'"event":"ended"', b'"event":"begun"'), "was changed"),
        (lambda raw: edited(raw, b"{", b"["), "was changed"),
        (lambda raw: raw.replace(b'"engine":"sqlite"', b'"engine":"duckdb"'), "was changed"),
        (lambda raw: raw.replace(b'{"engine"', b'["engine"'), "was changed"),
        (lambda raw: raw[:-60] + bytes(each ^ 0x55 for each in raw[-60:-30]) + raw[-30:], "was "),
        (lambda raw: raw.replace(b"version 1\n", b"version 2\n"), "of version 2, and version 1 is read"),
        (lambda raw: b"PK\x03\x04" + raw, "is no recording"),
        (lambda raw: b"", "is no recording"),
        (lambda raw: FIRST_LINE.encode() + b"1\n", "was "),
    ],
)
def test_what_is_not_whole_is_one_line(path: Path, change: Callable[[bytes], bytes], said: str) -> None:
    assert said in changed(path, change)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(errors.FileUnreadable, match="No such file"):
        replay(tmp_path / "nowhere")


def test_an_engine_that_is_not_installed_is_said(tmp_path: Path) -> None:
    class Unknown(SqliteSettings, frozen=True, kw_only=True):
        pass

    from dataclasses import replace

    engine: Engine = replace(SQLITE, name="elsewhere")
    with recorded(tmp_path / "a", engine, Unknown(path="x"), ScopeFilter(), Answers(planted, {})) as recording:
        snapshot_of(recording, engine, ScopeFilter())
    with pytest.raises(errors.DriverMissing, match="elsewhere"):
        replay(tmp_path / "a")


def test_recording_and_replaying_hold_one_relation_at_a_time(tmp_path: Path) -> None:
    """200,000 columns in 4,000 relations, about 40 MB of them."""
    columns = [[place, f"column_{place}", "TEXT", 0, None, 0, 0] for place in range(50)]

    def many() -> Iterator[Observation]:
        for number in range(4000):
            payload = msgspec.json.encode([f"t{number}", "table", "x" * 8000, "table", 0, 0, columns, [], [], None])
            yield Observation("main", f"t{number}", RelationKind.TABLE, number.to_bytes(16), payload)

    tracemalloc.start()
    try:
        with (
            recorded(tmp_path / "a", SQLITE, SETTINGS, ScopeFilter(), Answers(many, {})) as recording,
            recording.open() as session,
        ):
            assert sum(1 for _ in session.relations(ScopeFilter())) == 4000
        with replayed(tmp_path / "a")[1].open() as session:
            assert sum(1 for _ in session.relations(ScopeFilter())) == 4000
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
