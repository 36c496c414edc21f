"""Our statements and Snowflake's DDL run by fakesnow, a stand-in that is not ours.

It shows what the statements find in a catalog that DDL has made. It takes names for the same that differ in capitals only,
has no ACCOUNT_USAGE and no moments of change, takes any password, and tells of primary keys only.
"""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.base import StepState
from metamapper.connectors.engines.snowflake import ENGINE
from metamapper.connectors.engines.snowflake.dial import dialled
from metamapper.connectors.engines.snowflake.settings import SignIn, SnowflakeSettings
from metamapper.connectors.reach import Reach
from metamapper.connectors.reading import read_snapshot
from metamapper.connectors.scope import ScopeFilter
from metamapper.schema import ConstraintKind, Relation, RelationKind
from tests.support.certificates import Certificate
from tests.support.fakesnow import fakesnow
from tests.support.servers import Missing

DDL = (
    "CREATE DATABASE SHOP",
    "USE DATABASE SHOP",
    "CREATE SCHEMA SHOP.SALES",
    """CREATE TABLE SHOP.SALES.CUSTOMER (ID INT NOT NULL PRIMARY KEY, EMAIL VARCHAR(40) UNIQUE, BORN DATE, SCORE FLOAT,
       CREDIT NUMBER(12,2) DEFAULT 0, ACTIVE BOOLEAN, SEEN TIMESTAMP_NTZ, DOC VARIANT) COMMENT = 'Who bought'""",
    "CREATE TABLE SHOP.SALES.LINE (A INT, B INT, PRIMARY KEY (B, A))",
    "CREATE VIEW SHOP.SALES.ACTIVE AS SELECT ID, EMAIL FROM SHOP.SALES.CUSTOMER WHERE ACTIVE",
    'CREATE SCHEMA SHOP."two words"',
    'CREATE TABLE SHOP."two words"."odd; name" ("a column" INT)',
)


@pytest.fixture(scope="module")
def settings(request: pytest.FixtureRequest, trusted: Certificate) -> Iterator[SnowflakeSettings]:
    """An account with the database of the DDL above; a loud skip where fakesnow cannot be had."""
    try:
        with fakesnow(trusted) as server:
            known = SnowflakeSettings(
                account="fake",
                host="127.0.0.1",
                port=server.port,
                user="u",
                sign_in=SignIn.PASSWORD,
                password="any will do",
                database="SHOP",
                ca_certificate=server.authority,
                sees_all=True,
            )
            run(known, *DDL)
            yield known
    except Missing as missing:
        if request.config.getoption("--require-live"):
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(f"Not to be had: {missing}")


def run(settings: SnowflakeSettings, *statements: str) -> None:
    with dialled(settings, Reach()) as line:
        for statement in statements:
            line.connection.cursor().execute(statement).close()


def relations(settings: SnowflakeSettings) -> dict[tuple[str, str], Relation]:
    return {(each.schema, each.name): each for each in read_snapshot(ENGINE, settings).relations}


def test_schemas_tables_and_views_are_found(settings: SnowflakeSettings) -> None:
    snapshot = read_snapshot(ENGINE, settings)
    assert {scope.name for scope in snapshot.scopes} == {"SALES", "two words"}
    kinds = {(each.schema, each.name): each.kind for each in snapshot.relations}
    assert kinds["SALES", "CUSTOMER"] is kinds["two words", "odd; name"] is RelationKind.TABLE
    assert {name for schema, name in kinds if schema == "SALES"} >= {"CUSTOMER", "LINE"}


def test_columns_with_types_defaults_and_nullability(settings: SnowflakeSettings) -> None:
    customer = relations(settings)["SALES", "CUSTOMER"]
    assert [(column.name, column.type, column.nullable) for column in customer.columns] == [
        ("ID", "NUMBER(38,0)", False),
        ("EMAIL", "VARCHAR(40)", True),
        ("BORN", "DATE", True),
        ("SCORE", "FLOAT", True),
        ("CREDIT", "NUMBER(12,2)", True),
        ("ACTIVE", "BOOLEAN", True),
        ("SEEN", "TIMESTAMP_NTZ", True),
        ("DOC", "VARIANT", True),
    ]
    assert {column.name: column.default for column in customer.columns if column.default} == {"CREDIT": "0"}
    assert customer.comment == "Who bought"


def test_primary_keys_in_the_order_of_their_columns(settings: SnowflakeSettings) -> None:
    found = relations(settings)
    for name, columns in (("CUSTOMER", ("ID",)), ("LINE", ("B", "A"))):
        keys = [key.columns for key in found["SALES", name].constraints if key.kind is ConstraintKind.PRIMARY_KEY]
        assert keys == [columns]


def test_odd_names_are_kept(settings: SnowflakeSettings) -> None:
    assert [column.name for column in relations(settings)["two words", "odd; name"].columns] == ["a column"]


def test_ddl_makes_another_token_and_another_table(settings: SnowflakeSettings) -> None:
    def token() -> str | None:
        with ENGINE.connect(settings).open() as session:
            return session.probe(ScopeFilter())

    before = token()
    assert token() == before
    run(settings, "CREATE TABLE SHOP.SALES.LATER (A INT)")
    try:
        assert token() != before
        assert ("SALES", "LATER") in relations(settings)
    finally:
        run(settings, "DROP TABLE SHOP.SALES.LATER")
    assert token() == before


def test_a_database_that_is_not_there(settings: SnowflakeSettings) -> None:
    with pytest.raises(errors.DatabaseUnknown):
        read_snapshot(ENGINE, replace(settings, database="NOWHERE"))


def test_the_connection_test_gets_as_far_as_the_catalog(settings: SnowflakeSettings) -> None:
    found = {step.name: step for step in ENGINE.connect(settings).test()}
    assert found["Schemas visible"].state is StepState.OK
    # fakesnow has no TABLE_PRIVILEGES.
    assert isinstance(found["Rights to write"].error, errors.PermissionMissing)
