"""What an account sees by its rights, and what is said of the rest, on real servers of both."""

import pytest
from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.base import Step, StepState
from metamapper.connectors.conformance.reads import look, opened, read
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.mysql.names import account, pattern, quoted
from metamapper.connectors.sql.mysql.settings import MysqlSettings
from metamapper.schema import Completeness, Scope, Snapshot
from tests.engines.mysql.subject import ENGINE, MysqlSource, MysqlSubject

pytestmark = pytest.mark.live


def seen_by(subject: MysqlSubject, source: MysqlSource) -> Snapshot:
    return read(subject, source, settings=source.reader)


def main_scope(snapshot: Snapshot, source: MysqlSource) -> Scope:
    return next(scope for scope in snapshot.scopes if scope.name == source.main)


def names(snapshot: Snapshot) -> set[str]:
    return {relation.name for relation in snapshot.relations}


def steps(settings: MysqlSettings) -> dict[str, Step]:
    return {step.name: step for step in ENGINE.connect(settings).test()}


@pytest.fixture
def stripped(source: MysqlSource) -> MysqlSource:
    """Two tables and a view; the reader has lost what it could see."""
    source.run(
        "CREATE TABLE a (id int PRIMARY KEY, secret int)",
        "CREATE TABLE b (id int, CONSTRAINT k FOREIGN KEY (id) REFERENCES a (id))",
        "CREATE VIEW v AS SELECT id FROM a",
    )
    source.revoke("main")
    return source


def test_references_shows_tables_without_showing_a_row(stripped: MysqlSource, subject: MysqlSubject) -> None:
    """Keys, checks and comments too; the query of a view is hidden, which is said, and never taken for gone."""
    stripped.grant("REFERENCES", stripped.main)
    snapshot = seen_by(subject, stripped)
    assert names(snapshot) == {"a", "b"}
    owners = {each.name: each for each in read(subject, stripped).relations}
    assert {each.name: each for each in snapshot.relations} == {name: owners[name] for name in ("a", "b")}
    scope = main_scope(snapshot, stripped)
    assert scope.completeness is Completeness.PARTIAL
    assert "query of the view v is hidden" in (scope.reason or "")
    stripped.paste(scope.remedy or "")
    mended = seen_by(subject, stripped)
    assert names(mended) == {"a", "b", "v"}
    assert main_scope(mended, stripped).completeness is Completeness.COMPLETE


def test_single_tables_make_a_schema_partial(stripped: MysqlSource, subject: MysqlSubject) -> None:
    stripped.run(f"GRANT SELECT, SHOW VIEW ON `{stripped.main}`.a TO {account(stripped.role)}")
    snapshot = seen_by(subject, stripped)
    assert names(snapshot) == {"a"}
    scope = main_scope(snapshot, stripped)
    assert (scope.completeness, bool(scope.remedy)) == (Completeness.PARTIAL, True)


def test_a_table_of_which_only_columns_are_shown_is_not_shown(stripped: MysqlSource, subject: MysqlSubject) -> None:
    """It would look as if its other columns were gone."""
    before = look(subject, stripped, settings=stripped.reader)
    stripped.run(f"GRANT SELECT (id) ON `{stripped.main}`.a TO {account(stripped.role)}")
    snapshot = seen_by(subject, stripped)
    assert names(snapshot) == set()
    assert main_scope(snapshot, stripped).completeness is Completeness.UNREADABLE
    stripped.run(f"GRANT SELECT ON `{stripped.main}`.b TO {account(stripped.role)}")
    assert names(seen_by(subject, stripped)) == {"b"}
    assert look(subject, stripped, settings=stripped.reader).token != before.token


def test_rights_of_a_role_count(stripped: MysqlSource, subject: MysqlSubject) -> None:
    me = account(stripped.role)
    stripped.run("CREATE ROLE mm_role", f"GRANT SELECT, SHOW VIEW ON `{stripped.main}`.* TO mm_role")
    try:
        default = f"SET DEFAULT ROLE mm_role {'FOR' if subject.mariadb else 'TO'} {me}"
        stripped.run(f"GRANT mm_role TO {me}", default)
        snapshot = seen_by(subject, stripped)
        assert names(snapshot) == {"a", "b", "v"}
        assert main_scope(snapshot, stripped).completeness is Completeness.COMPLETE
    finally:
        stripped.run("DROP ROLE mm_role")


def test_wildcards_of_a_grant_count(stripped: MysqlSource, subject: MysqlSubject) -> None:
    stripped.run(f"GRANT SELECT, SHOW VIEW ON `mm\\_%`.* TO {account(stripped.role)}")
    assert main_scope(seen_by(subject, stripped), stripped).completeness is Completeness.COMPLETE


def test_rights_on_everything_count(stripped: MysqlSource, subject: MysqlSubject) -> None:
    stripped.run(f"GRANT SELECT, SHOW VIEW ON *.* TO {account(stripped.role)}")
    assert names(seen_by(subject, stripped)) == {"a", "b", "v"}


@pytest.mark.parametrize("subject", ["mysql"], indirect=True)
def test_what_is_revoked_of_rights_on_everything_is_not_seen(stripped: MysqlSource, subject: MysqlSubject) -> None:
    """MariaDB has no partial revokes."""
    me = account(stripped.role)
    stripped.run("SET GLOBAL partial_revokes = ON", f"GRANT SELECT, SHOW VIEW ON *.* TO {me}")
    try:
        stripped.run(f"REVOKE SELECT, SHOW VIEW ON `{stripped.main}`.* FROM {me}")
        scope = main_scope(seen_by(subject, stripped), stripped)
        assert scope.completeness is Completeness.UNREADABLE
        stripped.paste(scope.remedy or "")
        assert names(seen_by(subject, stripped)) == {"a", "b", "v"}
    finally:
        stripped.run(f"REVOKE SELECT, SHOW VIEW ON *.* FROM {me}", "SET GLOBAL partial_revokes = OFF")


def test_a_list_of_schemas_is_complete_where_all_may_be_listed(source: MysqlSource, subject: MysqlSubject) -> None:
    assert seen_by(subject, source).scopes_complete
    source.run(f"REVOKE SHOW DATABASES ON *.* FROM {account(source.role)}")
    alone = seen_by(subject, source)
    assert not alone.scopes_complete
    assert [scope.name for scope in alone.scopes] == [source.main]
    only = read(subject, source, settings=replace(source.reader, database=source.main))
    assert only.scopes_complete


def test_a_database_that_may_not_be_used(stripped: MysqlSource) -> None:
    settings = replace(stripped.reader, database=stripped.main)
    with pytest.raises(errors.PermissionMissing) as caught, ENGINE.connect(settings).open():
        pass
    assert caught.value.remedy.startswith("GRANT SELECT, SHOW VIEW ON `mm\\_")
    found = steps(settings)
    assert found["Sign-in"].state is StepState.OK
    assert found["Database"].state is StepState.FAILED
    stripped.paste(caught.value.remedy)
    assert steps(settings)["Database"].state is StepState.OK


def test_the_connection_test_tells_what_is_closed_with_the_grant(stripped: MysqlSource) -> None:
    step = steps(stripped.reader)["Databases visible"]
    assert step.state is StepState.FAILED
    assert step.error is not None
    stripped.paste(step.error.remedy)
    assert steps(stripped.reader)["Databases visible"].state is StepState.OK


def test_the_connection_test_says_what_it_does_without(source: MysqlSource) -> None:
    assert "InnoDB's ids" in steps(source.reader)["Catalog views"].detail
    me = account(source.role)
    source.run(f"REVOKE PROCESS ON *.* FROM {me}", f"REVOKE SHOW DATABASES ON *.* FROM {me}")
    found = steps(source.reader)
    assert "done without" in found["Catalog views"].detail
    assert "SHOW DATABASES" in found["Databases visible"].detail


def test_hidden_queries_of_views_are_told_with_the_grant(source: MysqlSource) -> None:
    source.run(f"CREATE VIEW {quoted(source.main)}.v AS SELECT 1 AS one")
    assert steps(source.reader)["Queries of views"].state is StepState.OK
    source.run(f"REVOKE SHOW VIEW ON {pattern(source.main, literal=False)}.* FROM {account(source.role)}")
    step = steps(source.reader)["Queries of views"]
    assert step.state is StepState.WARNING
    assert step.error
    source.paste(step.error.remedy)
    assert steps(source.reader)["Queries of views"].state is StepState.OK


def test_an_account_that_may_write_earns_a_warning(source: MysqlSource) -> None:
    assert steps(source.reader)["Rights to write"].state is StepState.OK
    source.grant("INSERT", source.main)
    warned = steps(source.reader)["Rights to write"]
    assert warned.state is StepState.WARNING
    assert "INSERT" in warned.detail
    assert warned.error is not None
    assert "CREATE USER" in warned.error.remedy
    assert steps(source.settings)["Rights to write"].state is StepState.WARNING


def test_what_a_failed_sign_in_offers_to_paste_makes_an_account(source: MysqlSource) -> None:
    stranger = replace(source.reader, user="mm o'hara", password="a password, well chosen")
    with pytest.raises(errors.SignInFailed) as caught, ENGINE.connect(stranger).open():
        pass
    remedy = caught.value.remedy.replace("<choose one>", stranger.password).replace("<database>", f"`{source.main}`")
    source.paste(remedy)
    try:
        with ENGINE.connect(stranger).open() as session:
            assert session.server.details["account"] == "mm o'hara@%"
    finally:
        source.run(f"DROP USER {account(stranger.user + '@%')}")


def test_rights_lost_in_mid_read_leave_no_complete_scope(source: MysqlSource, subject: MysqlSubject) -> None:
    source.run("CREATE TABLE t (id int)")
    with subject.engine.connect(source.reader).open() as session:
        session.scopes(ScopeFilter())
        assert len(list(session.relations(ScopeFilter()))) == 1
        source.revoke("main")
        scopes, _ = session.scopes(ScopeFilter())
    assert [scope.completeness for scope in scopes] == [Completeness.UNREADABLE]


def test_rights_won_in_mid_read_leave_no_complete_scope(stripped: MysqlSource, subject: MysqlSubject) -> None:
    with subject.engine.connect(stripped.reader).open() as session:
        assert list(session.relations(ScopeFilter())) == []
        stripped.grant("SELECT, SHOW VIEW", stripped.main)
        scopes, _ = session.scopes(ScopeFilter())
    assert [scope.completeness for scope in scopes] == [Completeness.PARTIAL]


def test_more_rights_in_mid_read_leave_no_complete_scope(stripped: MysqlSource, subject: MysqlSubject) -> None:
    stripped.run(f"GRANT SELECT ON `{stripped.main}`.a TO {account(stripped.role)}")
    with subject.engine.connect(stripped.reader).open() as session:
        assert len(list(session.relations(ScopeFilter()))) == 1
        stripped.grant("SELECT, SHOW VIEW", stripped.main)
        scopes, _ = session.scopes(ScopeFilter())
    assert [scope.completeness for scope in scopes] == [Completeness.PARTIAL]


def test_the_chosen_database_that_is_hidden_in_mid_read_is_not_called_gone(
    source: MysqlSource, subject: MysqlSubject
) -> None:
    source.run("CREATE TABLE a (id int)", f"REVOKE SHOW DATABASES ON *.* FROM {account(source.role)}")
    settings = replace(source.reader, database=source.main)
    with opened(subject, source, settings=settings) as session:
        scopes, whole = session.scopes(ScopeFilter())
        assert ([scope.name for scope in scopes], whole) == ([source.main], True)
        list(session.relations(ScopeFilter()))
        source.run(f"REVOKE ALL ON {pattern(source.main, literal=False)}.* FROM {account(source.role)}")
        scopes, whole = session.scopes(ScopeFilter())
    assert not whole
    assert Completeness.COMPLETE not in {scope.completeness for scope in scopes}
