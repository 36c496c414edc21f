"""What a metastore tells besides what every engine does: made by hand, on each kind of server."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.base import Step, StepState
from metamapper.connectors.conformance.reads import opened, read, relation_of
from metamapper.connectors.engines.hive import statements
from metamapper.connectors.engines.hive.observing import database_extras
from metamapper.connectors.engines.hive.rights import grants
from metamapper.connectors.engines.hive.settings import Access, HiveSettings, Shows, SignIn
from metamapper.connectors.engines.hive.shape import version_of
from metamapper.connectors.engines.hive.statements import NEEDED
from metamapper.connectors.registry import from_url
from metamapper.connectors.scope import Patterns, ScopeFilter
from metamapper.connectors.sql.hive_constraints import Rule
from metamapper.schema import Completeness, ConstraintKind, RelationKind
from tests.engines.hive.subject import SERVICE, ModelSource, ModelSubject
from tests.support.hive_model import ENABLED, MADE, ModelColumn, ModelRule
from tests.support.hive_service import ServiceKeeper, service
from tests.support.hive_stores import SqlserverKeeper, Store
from tests.support.hive_tables import HIVE_2, HIVE_3

SPARK = (
    '{"type":"struct","fields":[{"name":"Id","type":"long","nullable":false,"metadata":{}},'
    '{"name":"place","type":{"type":"struct","fields":[{"name":"City","type":"string","nullable":true,'
    '"metadata":{}}]},"nullable":true,"metadata":{"comment":"Where it is"}}]}'
)


@pytest.fixture(params=["database", "service"])
def either(request: pytest.FixtureRequest) -> Iterator[ModelSource]:
    """By its database, or by its service."""
    subject: ModelSubject = request.getfixturevalue("of_sqlserver" if request.param == "database" else "of_service")
    with subject.fresh() as source:
        yield source


def nothing() -> AbstractContextManager[Store]:
    raise NotImplementedError("Only the engine of these subjects is asked")


def asked(source: ModelSource) -> ModelSubject:
    return ModelSubject(nothing, HIVE_3, engine=SERVICE)


def test_fields_partition_keys_formats_and_estimates(either: ModelSource) -> None:
    table = either.model.table(
        either.model.main, "events", ("id", "bigint"), ("address", "struct<city:string,place:array<struct<lat:double>>>"),
        type="EXTERNAL_TABLE", keys=[ModelColumn("day", "date", "When it was")], buckets=8, bucketed_by=["id"],
        sorted_by=[("id", 0)], serde_parameters={"field.delim": "|", "secret.key": "planted"},
        parameters={"EXTERNAL": "TRUE", "numRows": "120", "totalSize": "4096", "owner.team": "growth",
                    "hive.sql.dbcp.password": "planted"},
    )  # fmt: skip
    either.put()
    found = relation_of(read(asked(either), either), "sales", "events")
    assert found.kind is RelationKind.EXTERNAL_TABLE
    assert [".".join(column.path) for column in found.columns] == [
        *("id", "address", "address.city", "address.place", "address.place.lat", "day"),
    ]
    assert found.columns[-1].comment == "When it was"
    assert (found.row_estimate, found.size_bytes) == (120, 4096)
    assert found.extras["partitioned_by"] == ["day"]
    assert found.extras["format"] == "text"
    assert found.extras["location"] == table.location
    assert (found.extras["buckets"], found.extras["bucketed_by"], found.extras["sorted_by"]) == (8, ["id"], ["id DESC"])
    assert found.extras["parameters"] == {"owner.team": "growth"}
    assert found.extras["serde_parameters"] == {"field.delim": "|"}
    assert found.extras["created_at"] == "2025-10-09T08:53:20+00:00"
    assert MADE == 1_760_000_000


def test_keys_within_a_location_are_never_kept(either: ModelSource) -> None:
    secret = "Planted/Se+cret=="
    table = either.model.table(
        either.model.main, "raw", ("id", "int"), serde_parameters={"path": f"s3a://AKIAPLANTED:{secret}@lake/raw"}
    )
    table.place = f"s3a://AKIAPLANTED:{secret}@lake/raw?secret.key={secret}"
    either.put()
    snapshot = read(asked(either), either)
    assert relation_of(snapshot, "sales", "raw").extras["location"] == "s3a://***@lake/raw?secret.key=***"
    assert secret not in repr(snapshot)
    assert "AKIAPLANTED" not in repr(snapshot)
    with opened(asked(either), either) as session:
        assert not any(b"Planted" in each.payload for each in session.relations(ScopeFilter()))
    told = database_extras(location=table.location, owner=None, parameters={})
    assert told == {"location": "s3a://***@lake/raw?secret.key=***"}


def test_a_table_of_spark_shows_the_schema_that_spark_knows(either: ModelSource) -> None:
    half = len(SPARK) // 2
    parameters = {
        "spark.sql.sources.provider": "delta",
        "spark.sql.sources.schema.numParts": "2",
        "spark.sql.sources.schema.part.0": SPARK[:half],
        "spark.sql.sources.schema.part.1": SPARK[half:],
    }
    either.model.table(either.model.main, "delta", ("col", "array<string>"), parameters=parameters)
    either.put()
    found = relation_of(read(asked(either), either), "sales", "delta")
    assert [(".".join(each.path), each.type, each.nullable, each.comment) for each in found.columns] == [
        ("Id", "bigint", False, None),
        ("place", "struct<City:string>", True, "Where it is"),
        ("place.City", "string", True, None),
    ]
    assert found.extras["format"] == "delta"
    assert "spark.sql.sources.schema.part.0" not in found.extras.get("parameters", {})


def test_materialized_views_and_tables_without_storage(either: ModelSource) -> None:
    view = either.model.table(either.model.main, "totals", ("n", "bigint"), type="MATERIALIZED_VIEW")
    view.view = "SELECT count(*) AS n FROM sales.events"
    either.model.table(either.model.main, "bare", has_storage=False)
    either.put()
    snapshot = read(asked(either), either)
    found = relation_of(snapshot, "sales", "totals")
    assert (found.kind, found.definition) == (RelationKind.MATERIALIZED_VIEW, view.view)
    assert relation_of(snapshot, "sales", "bare").columns == ()


def test_databases_of_other_catalogs_are_told_apart(either: ModelSource) -> None:
    lake = either.model.database("sales", catalog="lake", comment="Raw", parameters={"team": "x", "api_key": "planted"})
    either.model.table(lake, "clicks", ("id", "int"))
    either.model.table(either.model.main, "orders", ("id", "int"))
    either.put()
    snapshot = read(asked(either), either, ScopeFilter(schemas=Patterns.parse("*sales")))
    assert {(each.schema, each.name) for each in snapshot.relations} == {("lake.sales", "clicks"), ("sales", "orders")}
    (scope,) = [scope for scope in snapshot.scopes if scope.name == "lake.sales"]
    assert (scope.comment, scope.extras["catalog"], scope.extras["parameters"]) == ("Raw", "lake", {"team": "x"})


# --- By the database only --------------------------------------------------------------------------------------------


def test_constraints_say_whether_they_are_enforced(source: ModelSource, subject_of_all: ModelSubject) -> None:
    model = source.model
    day = [ModelColumn("day", "date")]
    table = model.table(model.main, "t", ("a", "int"), ("b", "int"), ("we`ird", "int"), keys=day)
    table.rules = [
        ModelRule("pk", Rule.PRIMARY_KEY, ["b", "day"], 1),
        ModelRule("uk", Rule.UNIQUE, ["we`ird"], 0),
        ModelRule("nn_a", Rule.NOT_NULL, ["a"], ENABLED),
        ModelRule("nn_b", Rule.NOT_NULL, ["b"], 1),
        ModelRule("dv", Rule.DEFAULT, ["a"], ENABLED, "CURRENT_DATE()"),
        ModelRule("ck", Rule.CHECK, ["a"], 7, "a > 0"),
    ]
    other = model.table(model.database("lake", catalog="lake"), "u", ("x", "int"))
    other.rules = [ModelRule("fk", Rule.FOREIGN_KEY, ["x"], 1, None, table, ["b"])]
    source.put()
    snapshot = read(subject_of_all, source)
    found = relation_of(snapshot, "sales", "t")
    assert [(each.name, each.kind, each.columns, each.definition) for each in found.constraints] == [
        ("pk", ConstraintKind.PRIMARY_KEY, ("b", "day"), "PRIMARY KEY (b, day) DISABLE NOVALIDATE RELY"),
        ("uk", ConstraintKind.UNIQUE, ("we`ird",), "UNIQUE (`we``ird`) DISABLE NOVALIDATE NORELY"),
        ("ck", ConstraintKind.CHECK, ("a",), "CHECK (a > 0) ENABLE VALIDATE RELY"),
    ]
    by_name = {column.name: column for column in found.columns}
    assert (by_name["a"].nullable, by_name["a"].default) == (False, "CURRENT_DATE()")
    assert by_name["b"].nullable
    assert by_name["b"].extras == {"not_null": "DISABLE NOVALIDATE RELY"}
    (key,) = relation_of(snapshot, "lake.lake", "u").constraints
    assert key.references
    assert (key.references.schema, key.references.relation, key.references.columns) == ("sales", "t", ("b",))


@pytest.fixture
def subject_of_all() -> ModelSubject:
    return ModelSubject(nothing, HIVE_3)


def test_the_token_changes_with_what_no_time_of_change_tells(source: ModelSource, subject_of_all: ModelSubject) -> None:
    """transient_lastDdlTime stays: whoever alters a table may give it, and it counts in seconds."""
    table = source.model.table(source.model.main, "t", ("a", "int"), ("b", "int"))
    changes = [
        table.columns.pop,
        lambda: setattr(table.columns[0], "comment", "said"),
        lambda: setattr(table.columns[0], "comment", ""),
        lambda: table.rules.append(ModelRule("pk", Rule.PRIMARY_KEY, ["a"], 1)),
        lambda: setattr(table.rules[0], "state", 0),
        table.rules.clear,
        lambda: table.serde_parameters.update({"x": "y"}),
        lambda: setattr(source.model.main, "comment", "What was sold"),
        lambda: source.model.main.parameters.update({"team": "x"}),
        lambda: source.model.database("empty"),
        source.model.databases.pop,
    ]
    tokens = []
    for change in (lambda: None, *changes):
        change()
        source.put()
        with opened(subject_of_all, source) as session:
            tokens.append(session.probe(ScopeFilter()))
    assert all(one != other for one, other in pairwise(tokens))
    assert tokens[-1] == tokens[-3]


def test_statistics_are_no_change(source: ModelSource, subject_of_all: ModelSubject) -> None:
    table = source.model.table(source.model.main, "t", ("a", "int"))
    source.put()
    with opened(subject_of_all, source) as session:
        before = session.probe(ScopeFilter()), [each.fingerprint for each in session.relations(ScopeFilter())]
    table.parameters |= {"numRows": "7", "totalSize": "9", "transient_lastDdlTime": "1", "COLUMN_STATS_ACCURATE": "{}"}
    source.put()
    with opened(subject_of_all, source) as session:
        after = session.probe(ScopeFilter()), [each.fingerprint for each in session.relations(ScopeFilter())]
    assert before == after


@pytest.mark.live
def test_hive_2_has_neither_catalogs_nor_defaults(of_hive_2: ModelSubject) -> None:
    with of_hive_2.fresh() as source:
        table = source.model.table(source.model.main, "t", ("a", "int"))
        table.rules = [ModelRule("pk", Rule.PRIMARY_KEY, ["a"], 1)]
        source.put()
        snapshot = read(of_hive_2, source)
    assert snapshot.server_version == HIVE_2
    assert [each.name for each in relation_of(snapshot, "sales", "t").constraints] == ["pk"]


@pytest.mark.live
def test_a_database_behind_a_connector_is_not_empty_but_unreadable(of_postgresql: ModelSubject) -> None:
    with of_postgresql.fresh() as source:
        source.model.database("remote", connector="pg_lake")
        source.put()
        scopes = {scope.name: scope for scope in read(of_postgresql, source).scopes}
    assert scopes["remote"].completeness is Completeness.UNREADABLE
    assert "pg_lake" in (scopes["remote"].reason or "")
    assert scopes["sales"].completeness is Completeness.COMPLETE


@pytest.mark.live
@pytest.mark.parametrize("name", ["of_postgresql", "of_mariadb"])
def test_lost_rights_are_said_with_what_mends_them(name: str, request: pytest.FixtureRequest) -> None:
    subject: ModelSubject = request.getfixturevalue(name)
    with subject.fresh() as source:
        is_mysql = source.settings.access is Access.MYSQL
        user = source.settings.user
        quoted = "'" + user.replace("'", "''") + "'@'%'" if is_mysql else '"' + user.replace('"', '""') + '"'
        table = "`TBLS`" if is_mysql else '"TBLS"'
        source.store.run(f"REVOKE SELECT ON {table} FROM {quoted}")
        with pytest.raises(errors.PermissionMissing) as raised, opened(subject, source):
            pass
        assert "TBLS" in raised.value.detail
        states = {step.name: step.state for step in subject.engine.connect(source.settings).test()}
        assert states["Sign-in"] is StepState.OK
        assert states["Tables of the metastore"] is StepState.FAILED
        source.store.run(*(each for each in raised.value.remedy.split(";\n") if each.strip()))
        assert read(subject, source).scopes


def test_names_in_small_letters_are_those_of_the_metastore() -> None:
    """MySQL with lower_case_table_names=1 keeps and tells them so, and takes them in any."""
    rows = [
        {"table_name": table.lower(), "column_name": column, "readable": 1}
        for table, columns in NEEDED.items()
        for column in columns
    ]
    settings = HiveSettings(access=Access.MYSQL, host="localhost", database="metastore", user="reader")
    store: Any = SimpleNamespace(shows_what_is_closed=False, account="reader@%")
    assert version_of(store, settings, rows) == statements.HIVE_2
    closed = [row | {"readable": row["table_name"] != "tbls"} for row in rows]
    with pytest.raises(errors.PermissionMissing, match="TBLS"):
        version_of(store, settings, closed)


def test_hidden_tables_of_sql_server_are_said(of_sqlserver: ModelSubject) -> None:
    with of_sqlserver.fresh() as source:
        source.store.run("DELETE FROM sys.rights WHERE target = '[dbo].[SDS]'")
        with pytest.raises(errors.PermissionMissing, match="SDS") as raised, opened(of_sqlserver, source):
            pass
        assert "GRANT SELECT ON [SDS] TO [mm reader];" in raised.value.remedy


@pytest.mark.live
def test_a_database_that_holds_no_metastore_says_so(of_postgresql: ModelSubject) -> None:
    with of_postgresql.fresh() as source:
        settings = replace(source.settings, schema="information_schema")
        with pytest.raises(errors.DatabaseUnknown, match="no metastore"), of_postgresql.engine.connect(settings).open():
            pass
        source.store.run('ALTER TABLE "KEY_CONSTRAINTS" DROP COLUMN "ENABLE_VALIDATE_RELY"')
        with pytest.raises(errors.VersionUnsupported, match="ENABLE_VALIDATE_RELY"), opened(of_postgresql, source):
            pass


def test_an_account_that_may_write_is_warned_of(of_sqlserver: ModelSubject) -> None:
    with of_sqlserver.fresh() as source:
        assert isinstance(source.store, SqlserverKeeper)
        source.store.grant("TBLS", right="UPDATE")
        steps = {step.name: step for step in of_sqlserver.engine.connect(source.settings).test()}
    assert steps["Rights to write"].state is StepState.WARNING
    assert "TBLS" in steps["Rights to write"].detail


@pytest.mark.live
@pytest.mark.parametrize("right", ["DELETE", "DROP", "INSERT"])
def test_a_right_to_take_away_is_a_right_to_write(of_mariadb: ModelSubject, right: str) -> None:
    """Of which the columns of a table tell nothing; on the table, on its database, on all."""
    with of_mariadb.fresh() as source:
        account = "'" + source.settings.user.replace("'", "''") + "'@'%'"
        database = source.settings.database

        def step() -> Step:
            return {each.name: each for each in of_mariadb.engine.connect(source.settings).test()}["Rights to write"]

        assert step().state is StepState.OK
        for place in (f"`{database}`.`TBLS`", f"`{database.replace('_', chr(92) + '_')}`.*", "*.*"):
            source.store.run(f"GRANT {right} ON {place} TO {account}")
            assert (step().state, "TBLS" in step().detail) == (StepState.WARNING, True), place
            source.store.run(f"REVOKE {right} ON {place} FROM {account}")
        assert step().state is StepState.OK


@pytest.mark.live
def test_a_database_is_signed_in_to_whatever_the_service_would_do(of_mariadb: ModelSubject) -> None:
    with of_mariadb.fresh() as source:
        settings = replace(source.settings, sign_in=SignIn.NONE)
        step = {each.name: each for each in of_mariadb.engine.connect(settings).test()}["Sign-in"]
    assert (step.state, step.detail) == (StepState.OK, f"As {settings.user}")


def test_where_no_moment_is_kept_a_change_in_mid_read_is_noticed(of_sqlserver: ModelSubject) -> None:
    with of_sqlserver.fresh() as source:
        source.model.table(source.model.main, "t", ("a", "int"))
        source.put()
        with opened(of_sqlserver, source) as session:
            session.scopes(ScopeFilter())
            list(session.relations(ScopeFilter()))
            source.model.tables()[0].columns[0].comment = "said meanwhile"
            source.put()
            scopes, _ = session.scopes(ScopeFilter())
            assert {scope.completeness for scope in scopes} == {Completeness.PARTIAL}


@pytest.mark.live
@pytest.mark.parametrize("name", ["of_postgresql", "of_mariadb"])
def test_the_session_cannot_write(name: str, request: pytest.FixtureRequest) -> None:
    subject: ModelSubject = request.getfixturevalue(name)
    with subject.fresh() as source:
        if source.settings.access is Access.MYSQL:
            source.store.run(
                f"GRANT ALL ON `{source.settings.database}`.* TO '{source.settings.user.replace(chr(39), chr(39) * 2)}'@'%'"
            )
        else:
            source.store.run(
                'GRANT ALL ON ALL TABLES IN SCHEMA public TO "' + source.settings.user.replace('"', '""') + '"'
            )
        with opened(subject, source) as session:
            store = session._store  # type: ignore[attr-defined]
            table = "`TBLS`" if source.settings.access is Access.MYSQL else '"TBLS"'
            with pytest.raises(errors.ConnectorError, match=r"(?i)read.only"):
                store.rows("write", f"DELETE FROM {table}", {})


def test_urls() -> None:
    _, settings = from_url("thrift://metastore.example.com:9083")
    assert isinstance(settings, HiveSettings)
    assert (settings.access, settings.real_port, settings.sign_in) == (Access.THRIFT, 9083, "none")
    _, settings = from_url("hive://u:p%40w@db.example.com/metastore?access=postgresql_database&schema=hive")
    assert isinstance(settings, HiveSettings)
    assert (settings.access, settings.real_port, settings.database, settings.schema, settings.password) == (
        *(Access.POSTGRESQL, 5432, "metastore", "hive", "p@w"),
    )
    assert grants(settings, "u").startswith('GRANT USAGE ON SCHEMA "hive"')
    for url in (
        "hive://u:p@db/metastore",
        "hive://db/metastore?access=mysql_database",
        "hive://u:p@db?access=mysql_database",
        "hive://u:planted@db:99999999?access=thrift_service",
        "hive://db?host=elsewhere",
    ):
        with pytest.raises(errors.SettingsInvalid) as raised:
            from_url(url)
        assert "planted" not in str(raised.value)


# --- By the service only ---------------------------------------------------------------------------------------------


def test_tables_are_asked_for_in_bounded_batches(of_service: ModelSubject) -> None:
    with of_service.fresh() as source:
        for number in range(450):
            source.model.table(source.model.main, f"t{number}", ("a", "int"))
        assert len(read(of_service, source).relations) == 450
        keeper = source.store
        assert isinstance(keeper, ServiceKeeper)
        assert keeper.handler.largest == 100
        assert keeper.handler.asked.count("get_table_objects_by_name_req") <= 7


def test_wide_tables_are_asked_for_in_smaller_batches(of_service: ModelSubject) -> None:
    with of_service.fresh() as source:
        for number in range(60):
            source.model.table(source.model.main, f"t{number}", *((f"c{place}", "int") for place in range(1_000)))
        assert len(read(of_service, source).relations) == 60
        assert isinstance(source.store, ServiceKeeper)
        assert source.store.handler.largest <= 25


def test_a_service_that_stumbles_is_asked_again_for_less(of_service: ModelSubject) -> None:
    from pymetastore.hive_metastore.ttypes import MetaException

    with of_service.fresh() as source:
        for number in range(30):
            source.model.table(source.model.main, f"t{number}", ("a", "int"))
        keeper = source.store
        assert isinstance(keeper, ServiceKeeper)
        left = [2]

        def stumble(method: str) -> None:
            if method == "get_table_objects_by_name_req" and left[0]:
                left[0] -= 1
                raise MetaException(message="Too busy")

        keeper.handler.before = stumble
        snapshot = read(of_service, source)
    assert len(snapshot.relations) == 30
    assert {scope.completeness for scope in snapshot.scopes} == {Completeness.COMPLETE}


def test_a_database_that_the_service_keeps_back_is_unreadable(of_service: ModelSubject) -> None:
    from pymetastore.hive_metastore.ttypes import MetaException

    with of_service.fresh() as source:
        source.model.table(source.model.at("default"), "open", ("a", "int"))
        source.model.table(source.model.main, "closed", ("a", "int"))
        keeper = source.store
        assert isinstance(keeper, ServiceKeeper)

        def refuse(method: str) -> None:
            if method == "get_all_tables" and keeper.handler.asked.count(method) == 3:
                raise MetaException(message="Permission denied: user [x] does not have [USE] privilege on [sales]")

        keeper.handler.before = refuse
        snapshot = read(of_service, source)
    states = {scope.name: scope for scope in snapshot.scopes}
    assert states["default"].completeness is Completeness.COMPLETE
    assert states["sales"].completeness is Completeness.UNREADABLE
    assert "USE" in (states["sales"].reason or "")


def test_a_table_that_is_renamed_in_mid_read_is_not_taken_for_dropped(of_service: ModelSubject) -> None:
    with of_service.fresh() as source:
        table = source.model.table(source.model.main, "a", ("a", "int"))
        source.model.table(source.model.main, "b", ("a", "int"))
        keeper = source.store
        assert isinstance(keeper, ServiceKeeper)

        def rename(method: str) -> None:
            if method == "get_table_objects_by_name_req":
                table.name = "renamed"

        keeper.handler.before = rename
        scopes = {scope.name: scope for scope in read(of_service, source).scopes}
    assert scopes["sales"].completeness is Completeness.PARTIAL


def test_a_table_that_an_answer_leaves_out_is_not_taken_for_dropped(of_service: ModelSubject) -> None:
    """Dropped and made again between two listings, or listed and never told of: the names are the same both times."""
    with of_service.fresh() as source:
        table = source.model.table(source.model.main, "a", ("a", "int"))
        source.model.table(source.model.main, "b", ("a", "int"))
        keeper = source.store
        assert isinstance(keeper, ServiceKeeper)

        def hide(method: str) -> None:
            """Listed whenever it is asked for, and away when it should be told of."""
            source.model.main.tables[:] = [each for each in source.model.main.tables if each is not table]
            if method == "get_all_tables":
                source.model.main.tables.insert(0, table)

        keeper.handler.before = hide
        snapshot = read(of_service, source)
    scopes = {scope.name: scope for scope in snapshot.scopes}
    assert [each.name for each in snapshot.relations if each.schema == "sales"] == ["b"]
    assert scopes["sales"].completeness is Completeness.PARTIAL
    assert "tells nothing of them: a" in (scopes["sales"].reason or "")
    assert scopes["default"].completeness is Completeness.COMPLETE


def test_what_a_service_may_hide_is_not_taken_for_gone(of_service: ModelSubject) -> None:
    """Lost rights look like lost tables, and nothing says which: only somebody who knows the service can."""
    with of_service.fresh() as source:
        source.model.table(source.model.main, "t", ("a", "int"))
        unsure = replace(source.settings, shows=Shows.PERHAPS_PART)
        for settings, whole, completeness in (
            (unsure, False, Completeness.PARTIAL),
            (source.settings, True, Completeness.COMPLETE),
        ):
            with of_service.engine.connect(settings).open() as session:
                session.scopes(ScopeFilter())
                list(session.relations(ScopeFilter()))
                scopes, list_complete = session.scopes(ScopeFilter())
            assert list_complete is whole
            assert {scope.completeness for scope in scopes} == {completeness}
            assert all(whole or "hide" in (scope.reason or "") for scope in scopes)
        steps = {step.name: step for step in of_service.engine.connect(unsure).test()}
    assert steps["Databases"].state is StepState.WARNING
    assert HiveSettings(host="metastore.example.com", sign_in="none").shows is Shows.PERHAPS_PART  # type: ignore[arg-type]
    _, told = from_url("thrift://metastore.example.com?shows=everything")
    assert isinstance(told, HiveSettings)
    assert told.shows is Shows.EVERYTHING


def test_a_service_before_hive_3_has_no_catalogs() -> None:
    with service(is_old=True, sasl=False) as keeper:
        source = ModelSource(keeper, HIVE_2, keeper.handler.model)
        source.model.table(source.model.main, "t", ("a", "int"))
        snapshot = read(asked(source), source)
    assert [(each.schema, each.name) for each in snapshot.relations] == [("sales", "t")]


def test_the_service_takes_us_for_whom_we_say() -> None:
    with service(sasl=False) as keeper, SERVICE.connect(replace(keeper.settings, user="etl")).open():
        assert keeper.handler.users == ["etl"]
