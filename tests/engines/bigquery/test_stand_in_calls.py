"""How BigQuery is asked: in bounded parallel, slower when it says so, stoppable, and as its description allows."""

import json
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import Any

import pytest
from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.engines.bigquery.calls import AHEAD
from metamapper.connectors.reading import read_snapshot
from metamapper.connectors.scope import ScopeFilter
from tests.engines.bigquery.subject import ENGINE, BigquerySource, told
from tests.engines.bigquery.test_stand_in_reading import EVENTS
from tests.support.bigquery import PROJECT, Hangup, Refused

MANY = 40


def many_tables(source: BigquerySource) -> None:
    for number in range(MANY):
        source.server.add_table("shop", f"t{number}", told(id="INTEGER"))


def calls(source: BigquerySource) -> Counter[str]:
    """By what they ask for, without names."""
    found: Counter[str] = Counter()
    for call, times in source.server.calls.items():
        found[re.sub(r"(datasets|tables)/[^/]+", r"\1/*", call.replace(f"/bigquery/v2/projects/{PROJECT}", ""))] += (
            times
        )
    return found


def test_a_read_takes_one_call_for_each_table_and_few_others(source: BigquerySource) -> None:
    many_tables(source)
    read_snapshot(ENGINE, source.settings)
    pages = -(-MANY // 7)
    assert calls(source) == {
        "POST /token": 1,
        "GET /datasets": 3,  # whether the project answers, what there is, and again at the end
        "GET /datasets/*": 3,  # the dataset, and each time one that is not there
        "GET /datasets/*/tables": 1 + pages,
        "GET /datasets/*/tables/*": MANY,
    }


def test_what_was_sent_is_noted_by_kind_with_its_number(source: BigquerySource) -> None:
    many_tables(source)
    with ENGINE.connect(source.settings).open() as session:
        assert len(list(session.relations(ScopeFilter()))) == MANY
        noted = {each.label: (each.rows, each.sql) for each in session.statements}
        assert session.expected == MANY
    assert noted["table"] == (MANY, f"GET /bigquery/v2/projects/{PROJECT}/datasets/*/tables/*")
    assert noted["tables"][0] == MANY
    assert all(each.seconds is not None for each in session.statements)


@pytest.mark.parametrize("parallel", [1, 3])
def test_no_more_calls_at_a_time_than_the_settings_say(source: BigquerySource, parallel: int) -> None:
    many_tables(source)
    lock, now, most = threading.Lock(), 0, 0
    together = threading.Barrier(parallel)

    def counted(path: str) -> None:
        nonlocal now, most
        if "/tables/" in path:
            with lock:
                now += 1
                most = max(most, now)
            if (parallel > 1 and path.endswith("/t0")) or (parallel > 1 and path.endswith(("/t1", "/t2"))):
                together.wait(10)
            with lock:
                now -= 1

    source.server.before = counted
    read_snapshot(ENGINE, replace(source.settings, parallel=parallel))
    assert most == parallel


def test_a_slow_reader_is_not_run_ahead_of(source: BigquerySource) -> None:
    """Memory holds what is under way, however many tables there are."""
    many_tables(source)
    with ENGINE.connect(replace(source.settings, parallel=2)).open() as session:
        rest = session.relations(ScopeFilter())
        next(rest)
        asked = sum(times for call, times in source.server.calls.items() if "/tables/" in call)
        assert asked <= 1 + 2 * AHEAD
        assert len(list(rest)) == MANY - 1


@pytest.mark.parametrize(
    ("status", "reason"),
    [(403, "rateLimitExceeded"), (403, "quotaExceeded"), (429, "tooMany"), (500, ""), (503, "backendError")],
)
def test_a_call_that_was_refused_for_now_is_made_again(source: BigquerySource, status: int, reason: str) -> None:
    many_tables(source)
    refused: Counter[str] = Counter()

    def sometimes(path: str) -> None:
        refused[path] += 1
        if refused[path] <= 2 and path != "/token":
            raise Refused(status, "Exceeded rate limits", reason)

    source.server.before = sometimes
    assert len(read_snapshot(ENGINE, source.settings).relations) == MANY


def test_a_connection_that_was_lost_is_made_again(source: BigquerySource) -> None:
    many_tables(source)
    lost: Counter[str] = Counter()

    def sometimes(path: str) -> None:
        lost[path] += 1
        if lost[path] == 1 and "/tables/" in path:
            raise Hangup

    source.server.before = sometimes
    assert len(read_snapshot(ENGINE, source.settings).relations) == MANY


def test_patience_has_an_end_and_the_error_says_what_helps(source: BigquerySource) -> None:
    source.server.before = source.refusing("/datasets", 403, "rateLimitExceeded")
    with pytest.raises(errors.Throttled) as caught:
        read_snapshot(ENGINE, source.settings)
    assert not caught.value.permanent
    assert "quota" in caught.value.hint


def test_a_cancel_ends_the_wait_between_attempts(source: BigquerySource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metamapper.connectors.engines.bigquery.calls.FIRST_WAIT", 600.0)
    many_tables(source)
    refused = threading.Event()

    def never(path: str) -> None:
        if "/tables/" in path:
            refused.set()
            raise Refused(429, "Slow down")

    with ENGINE.connect(source.settings).open() as session, ThreadPoolExecutor(1) as other:
        session.scopes(ScopeFilter())
        source.server.before = never
        reading = other.submit(lambda: list(session.relations(ScopeFilter())))
        assert refused.wait(10)
        session.cancel()
        with pytest.raises(errors.Cancelled):
            reading.result(10)


def test_a_cancel_ends_a_call_that_is_not_answered(source: BigquerySource) -> None:
    source.server.add_table("shop", "t", told(id="INTEGER"))
    asked, answer = threading.Event(), threading.Event()

    def waits(path: str) -> None:
        if "/tables/" in path:
            asked.set()
            answer.wait(20)

    with ENGINE.connect(source.settings).open() as session, ThreadPoolExecutor(1) as other:
        session.scopes(ScopeFilter())
        source.server.before = waits
        reading = other.submit(lambda: list(session.relations(ScopeFilter())))
        assert asked.wait(10)
        session.cancel()
        try:
            with pytest.raises(errors.Cancelled):
                reading.result(10)
        finally:
            answer.set()


def test_a_call_that_is_not_answered_is_given_up(source: BigquerySource) -> None:
    source.server.add_table("shop", "t", told(id="INTEGER"))
    answer = threading.Event()
    source.server.before = lambda path: (answer.wait(20), None)[1] if "/tables/" in path else None
    try:
        with pytest.raises(errors.ConnectionTimeout) as caught:
            read_snapshot(ENGINE, replace(source.settings, call_timeout=1))
        assert caught.value.hint
    finally:
        answer.set()


def test_a_dataset_that_is_deleted_in_mid_read_is_for_the_next_attempt(source: BigquerySource) -> None:
    source.server.add_table("shop", "t", told(id="INTEGER"))
    with ENGINE.connect(source.settings).open() as session:
        session.scopes(ScopeFilter())
        del source.server.datasets["shop"]
        with pytest.raises(errors.ReadDisturbed):
            list(session.relations(ScopeFilter()))


def test_a_dataset_that_is_closed_in_mid_read_is_unreadable(source: BigquerySource) -> None:
    source.server.add_table("shop", "t", told(id="INTEGER"))
    with ENGINE.connect(source.settings).open() as session:
        session.scopes(ScopeFilter())
        source.owner.datasets["shop"] = {"bigquery.datasets.get"}
        assert not list(session.relations(ScopeFilter()))
        [[scope], _] = session.scopes(ScopeFilter())
    assert scope.completeness == "unreadable"


def test_a_dataset_that_appears_in_mid_read_waits_for_the_next(source: BigquerySource) -> None:
    with ENGINE.connect(source.settings).open() as session:
        list(session.relations(ScopeFilter()))
        source.server.add_dataset("late")
        scopes, _ = session.scopes(ScopeFilter())
    assert {scope.name: scope.completeness.value for scope in scopes} == {"shop": "complete", "late": "partial"}


@pytest.mark.parametrize(
    "broken", [{"schema": {"fields": 1}}, {"schema": {"fields": [{}]}}, {"labels": ["a"]}, {"numRows": "x"}]
)
def test_an_answer_that_is_none_is_said(source: BigquerySource, broken: dict[str, Any]) -> None:
    source.server.add_table("shop", "t", told(id="INTEGER"), **broken)
    with pytest.raises(errors.ServerForeign):
        read_snapshot(ENGINE, source.settings)


# --- The stand-in against Google's description -----------------------------------------------------------------------

DESCRIPTION = ("discovery_cache", "documents", "bigquery.v2.json")
PLAIN = {"string": str, "boolean": bool, "integer": int, "number": float}


def described() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(resources.files("googleapiclient").joinpath(*DESCRIPTION).read_text("utf-8"))
    return found


def misfits(schemas: dict[str, Any], schema: dict[str, Any], value: Any, path: str) -> list[str]:
    """Where a value is not what its description says; a field that is not described is one, too."""
    if "$ref" in schema:
        return misfits(schemas, schemas[schema["$ref"]], value, path)
    kind = schema.get("type", "any")
    if kind == "array":
        if not isinstance(value, list):
            return [path]
        return [
            bad
            for place, each in enumerate(value)
            for bad in misfits(schemas, schema["items"], each, f"{path}[{place}]")
        ]
    if kind == "object":
        if not isinstance(value, dict):
            return [path]
        inner = schema.get("properties", {})
        rest = schema.get("additionalProperties")
        bad = [f"{path}.{name}" for name in value if name not in inner and rest is None]
        for name, each in value.items():
            if (wanted := inner.get(name, rest)) is not None:
                bad += misfits(schemas, wanted, each, f"{path}.{name}")
        return bad
    return [] if kind == "any" or isinstance(value, PLAIN[kind]) else [path]


def test_what_the_stand_in_answers_is_what_the_interface_describes(source: BigquerySource) -> None:
    source.server.add_dataset("finance", description="Money", labels={"team": "finance"})
    many_tables(source)
    source.server.add_table(
        "shop",
        "events",
        EVENTS,
        timePartitioning={"type": "DAY", "field": "at", "expirationMs": "1"},
        clustering={"fields": ["id"]},
        tableConstraints={"primaryKey": {"columns": ["id"]}},
        labels={"a": "b"},
    )
    view = {"query": "SELECT 1", "useLegacySql": False}
    source.server.add_table("shop", "v", told(one="INTEGER"), type="VIEW", view=view)
    list(ENGINE.connect(source.settings).test())
    read_snapshot(ENGINE, source.settings)
    schemas = described()["schemas"]
    kinds = {kind for kind, _ in source.server.answers}
    assert kinds == {"DatasetList", "Dataset", "TableList", "Table", "TestIamPermissionsResponse"}
    assert not [bad for kind, answer in source.server.answers for bad in misfits(schemas, schemas[kind], answer, kind)]


def test_every_call_is_one_that_the_interface_describes_and_changes_nothing(source: BigquerySource) -> None:
    many_tables(source)
    list(ENGINE.connect(source.settings).test())
    read_snapshot(ENGINE, source.settings)
    allowed = {
        f"{method['httpMethod']} /{re.sub(r'{[^}]+}', '*', method['path'])}": name
        for name, group in described()["resources"].items()
        for method in group["methods"].values()
    }
    made = {
        re.sub(r"projects/[^/]+", "projects/*", f"{c.split(' ')[0]} /projects/*{c.split(' ')[1]}")
        for c in calls(source)
    }
    made -= {"POST /projects/*/token"}
    read_only = {call for call in made if call.startswith("GET ")}
    assert read_only <= allowed.keys()
    # The connection test asks what the account may do; that is a POST without an effect.
    assert made - read_only == {"POST /projects/*/datasets/*/tables/*"}
    assert all("cloud-platform.read-only" in granted for granted in source.server.tokens.values())
