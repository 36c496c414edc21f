"""The suite itself: an engine that breaks a promise must be caught, and so must a gap that is none any more."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as but

from metamapper.connectors import errors
from metamapper.connectors.base import Ability, Capability, Engine, Support
from metamapper.connectors.conformance import ConformanceSuite, GapClosed, PromiseBroken, Subject
from metamapper.connectors.engines.sqlite.session import SqliteSession
from metamapper.schema import Relation
from tests.engines.sqlite.subject import ENGINE, SqliteSubject

SUITE = ConformanceSuite()


@dataclass(frozen=True)
class Declaring(SqliteSubject):
    """SQLite that declares something else."""

    engine: Engine = ENGINE  # type: ignore[misc]  # a fact of the class, here one of the value


def declaring(folder: Path, ability: Ability, capability: Capability) -> Subject:
    changed = {**ENGINE.capabilities, ability: capability}
    return Declaring(folder, engine=replace(ENGINE, capabilities=changed))


def test_a_gap_that_is_none_any_more_is_caught(tmp_path: Path) -> None:
    subject = declaring(tmp_path, Ability.INDEXES, Capability(Support.NOT_BUILT, "Too hard."))
    with pytest.raises(GapClosed, match=r"Too hard\."):
        SUITE.test_step_add_index(subject)  # type: ignore[attr-defined]


def test_a_gap_without_a_reason_is_caught(tmp_path: Path) -> None:
    subject = declaring(tmp_path, Ability.COMMENTS, Capability(Support.NEVER))
    with pytest.raises(PromiseBroken, match="no reason"):
        SUITE.test_reads_comments(subject)


def test_an_ability_of_which_an_engine_says_nothing_is_not_built(tmp_path: Path) -> None:
    """As of one that was written before there was such an ability; the suite tells it that it can more than it says."""
    known = {ability: told for ability, told in ENGINE.capabilities.items() if ability is not Ability.INDEXES}
    silent = replace(ENGINE, capabilities=known)
    assert silent.capabilities[Ability.INDEXES].support is Support.NOT_BUILT
    with pytest.raises(GapClosed, match="says nothing"):
        SUITE.test_step_add_index(Declaring(tmp_path, engine=silent))  # type: ignore[attr-defined]


def test_an_ability_that_is_claimed_and_missing_is_caught(tmp_path: Path) -> None:
    subject = declaring(tmp_path, Ability.COMMENTS, Capability(Support.YES))
    with pytest.raises(Exception, match=r"(?i)comment"):
        SUITE.test_reads_comments(subject)


def _decoding(change: Callable[[Relation], Relation]) -> Callable[[Any, bytes], Relation]:
    original = SqliteSession.decode
    return lambda session, payload: change(original(session, payload))


def _last_column_lost(relation: Relation) -> Relation:
    return but(relation, columns=relation.columns[:-1])


def _names_in_lower_case(relation: Relation) -> Relation:
    return but(relation, columns=tuple(but(each, name=each.name.lower()) for each in relation.columns))


def _defaults_lost(relation: Relation) -> Relation:
    return but(relation, columns=tuple(but(each, default=None) for each in relation.columns))


def _indexes_lost(relation: Relation) -> Relation:
    return but(relation, indexes=())


@pytest.mark.parametrize(
    ("mutation", "promise"),
    [
        (_last_column_lost, "test_reads_columns_with_types"),
        (_last_column_lost, "test_step_add_column"),
        (_names_in_lower_case, "test_names_are_read_as_they_are"),
        (_defaults_lost, "test_reads_defaults"),
        (_indexes_lost, "test_step_drop_index"),
    ],
)
def test_a_reader_that_loses_something_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mutation: Callable[[Relation], Relation], promise: str
) -> None:
    monkeypatch.setattr(SqliteSession, "decode", _decoding(mutation))
    with pytest.raises(PromiseBroken):
        getattr(SUITE, promise)(SqliteSubject(tmp_path))


def test_a_fingerprint_that_never_changes_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = SqliteSession.relations

    def lazy(session: SqliteSession, within: Any) -> Iterator[Any]:
        for observation in original(session, within):
            yield replace(observation, fingerprint=b"always the same")

    monkeypatch.setattr(SqliteSession, "relations", lazy)
    with pytest.raises(PromiseBroken, match="fingerprint"):
        SUITE.test_step_add_column(SqliteSubject(tmp_path))  # type: ignore[attr-defined]


def test_a_probe_that_never_changes_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqliteSession, "probe", lambda session, within: "all quiet")
    with pytest.raises(PromiseBroken):
        SUITE.test_step_add_column(SqliteSubject(tmp_path))  # type: ignore[attr-defined]


def test_a_cancel_that_does_nothing_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqliteSession, "cancel", lambda session: None)
    with pytest.raises(PromiseBroken):
        SUITE.test_a_cancel_stops_the_read(SqliteSubject(tmp_path))


def test_every_error_has_a_code_of_its_own() -> None:
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ConnectorError)
    ]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert len({kind.title for kind in kinds}) == len(kinds)
