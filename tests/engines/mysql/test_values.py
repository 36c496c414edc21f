"""What follows from values alone: versions, grants, types, spellings, errors."""

import pymysql
import pytest

from metamapper.connectors import errors
from metamapper.connectors.engines.mysql.grants import rights_of
from metamapper.connectors.engines.mysql.payload import RawColumn, decode
from metamapper.connectors.engines.mysql.types import parse_type
from metamapper.connectors.registry import from_url
from metamapper.connectors.sql.mysql.errors import create_account, from_connecting, from_statement
from metamapper.connectors.sql.mysql.names import Version, account, pattern, unescaped, version_of
from metamapper.connectors.sql.mysql.settings import MysqlSettings, Tls
from metamapper.schema import RelationKind, TypeFamily

SETTINGS = MysqlSettings(host="db.example.com", user="metamapper", password="a planted secret")


@pytest.mark.parametrize(
    ("said", "number", "mariadb", "old"),
    [
        ("5.6.51", 50651, False, True),
        ("5.7.44-log", 50744, False, False),
        ("8.0.36-28", 80036, False, False),
        ("9.7.4-2", 90704, False, False),
        ("8.0.mysql_aurora.3.04.0", 80023, False, False),
        ("10.4.34-MariaDB", 1004, True, True),
        ("10.11.19-MariaDB-0+deb12u1", 1011, True, False),
        ("5.5.5-10.6.5-MariaDB", 1006, True, False),
        ("11.4.2-MariaDB", 1104, True, False),
    ],
)
def test_versions(said: str, number: int, mariadb: bool, old: bool) -> None:
    version = version_of(said)
    assert version == Version(number, mariadb)
    assert version is not None
    assert version.is_old is old


def test_what_is_no_version_is_none() -> None:
    assert version_of("newest") is None


GRANTS = [
    "GRANT SHOW DATABASES, PROCESS ON *.* TO `r`@`%` IDENTIFIED BY PASSWORD '*0123456789ABCDEF'",
    "GRANT SELECT, SHOW VIEW ON `shop`.* TO `r`@`%`",
    "GRANT REFERENCES ON `shop\\_%`.* TO `r`@`%`",
    "GRANT EXECUTE ON `shop\\_old`.* TO `r`@`%`",
    "GRANT INSERT ON `shop\\_%`.* TO `role`",
    "GRANT SELECT (`a ON b`, `c`), UPDATE ON `odd``one`.`t TO u` TO `r`@`%`",
    "GRANT SELECT (`id`) ON `odd``one`.`half` TO `r`@`%`",
    "GRANT `role` TO `r`@`%`",
    "GRANT PROXY ON ``@`` TO `r`@`%`",
    "GRANT EXECUTE ON PROCEDURE `shop`.`p` TO `r`@`%`",
]


def test_rights_from_grants() -> None:
    rights = rights_of(GRANTS, literal=False)
    assert rights.lists_every_schema
    assert rights.sees_processes
    assert rights.on("shop") == {"SHOW DATABASES", "PROCESS", "SELECT", "SHOW VIEW"}
    assert rights.covers("shop_new")
    assert not rights.covers("shopping")
    # Of one grantee's patterns only the most exact one counts; a role's come beside them.
    assert rights.on("shop_old") == {"SHOW DATABASES", "PROCESS", "EXECUTE", "INSERT"}
    assert rights.shows("odd`one", "t TO u")
    assert not rights.shows("odd`one", "half")
    assert rights.shows_some("odd`one")
    assert rights.writing == {"INSERT", "UPDATE"}


def test_patterns_are_names_where_rights_can_be_revoked_in_part() -> None:
    lines = [
        "GRANT SELECT ON *.* TO `r`@`%`",
        "REVOKE SELECT ON `shop`.* FROM `r`@`%`",
        "GRANT SELECT ON `a_b`.* TO `r`@`%`",
    ]
    rights = rights_of(lines, literal=True)
    assert not rights.covers("shop")
    assert rights.covers("other")
    assert rights.on("a_b") == {"SELECT"}
    assert not rights.lists_every_schema


@pytest.mark.parametrize(
    ("line", "writing"),
    [
        ("GRANT SELECT (`a`), UPDATE (`a`, `b`) ON `shop`.`t` TO `r`@`%`", {"UPDATE"}),
        ("GRANT SELECT (`a, INSERT (b`) ON `shop`.`t` TO `r`@`%`", set()),
        ("GRANT CREATE USER, CREATE TABLESPACE ON *.* TO `r`@`%`", {"CREATE USER", "CREATE TABLESPACE"}),
        ("GRANT SELECT, SHOW VIEW, PROCESS ON *.* TO `r`@`%`", set()),
    ],
)
def test_rights_to_write_are_those_on_columns_and_on_the_server_too(line: str, writing: set[str]) -> None:
    rights = rights_of([line], literal=False)
    assert rights.writing == writing
    assert not rights.shows("shop", "t"), "a table of which a part is shown is not shown"


def test_who_may_make_accounts_has_no_schema_listed_for_that() -> None:
    assert not rights_of(["GRANT CREATE USER ON *.* TO `r`@`%`"], literal=False).lists_every_schema


def test_all_privileges_are_all_of_them() -> None:
    rights = rights_of(["GRANT ALL PRIVILEGES ON *.* TO `r`@`%` WITH GRANT OPTION"], literal=False)
    assert rights.covers("any")
    assert rights.sees_processes
    assert rights.lists_every_schema
    assert rights.writing


@pytest.mark.parametrize(
    ("spelling", "family", "precision", "scale"),
    [
        ("decimal(12,2) unsigned", TypeFamily.DECIMAL, 12, 2),
        ("decimal(5,0)", TypeFamily.DECIMAL, 5, 0),
        ("tinyint(1)", TypeFamily.BOOLEAN, None, None),
        ("tinyint(1) unsigned", TypeFamily.INTEGER, None, None),
        ("tinyint(4)", TypeFamily.INTEGER, None, None),
        ("bigint(20) unsigned zerofill", TypeFamily.INTEGER, None, None),
        ("double(10,2)", TypeFamily.FLOAT, None, None),
        ("timestamp(3)", TypeFamily.TIMESTAMP, 3, None),
        ("varchar(20)", TypeFamily.STRING, None, None),
        ("geomcollection", TypeFamily.GEO, None, None),
        ("vector(3)", TypeFamily.ARRAY, None, None),
        ("something new(1)", TypeFamily.OTHER, None, None),
        ("", TypeFamily.OTHER, None, None),
    ],
)
def test_types(spelling: str, family: TypeFamily, precision: int | None, scale: int | None) -> None:
    parsed = parse_type(spelling)
    assert (parsed.family, parsed.precision, parsed.scale) == (family, precision, scale)


def test_values_of_enums_and_sets() -> None:
    assert parse_type(r"enum('a','it''s','b\\c',')','','x,y')").values == ("a", "it's", r"b\c", ")", "", "x,y")
    assert parse_type("set('x')").values == ("x",)


def test_names_and_accounts_as_grants_spell_them() -> None:
    assert account("o'hara@%") == "'o''hara'@'%'"
    assert account("a@b@localhost") == "'a@b'@'localhost'"
    assert pattern("my_shop%`", literal=False) == r"`my\_shop\%```"
    assert pattern("my_shop", literal=True) == "`my_shop`"
    assert unescaped(r"_utf8mb4\'it\\\'s\'") == r"_utf8mb4'it\'s'"


OF_5_7 = (
    '[false,["s","t","BASE TABLE","InnoDB","","utf8_general_ci"],'
    '[["made",1,"timestamp","NO","CURRENT_TIMESTAMP","on update CURRENT_TIMESTAMP","",null,null,"",null],'
    '["said",2,"varchar(9)","YES","CURRENT_TIMESTAMP","","",9,"utf8_general_ci","",null],'
    '["id",3,"int(11)","NO",null,"auto_increment","",null,null,"",null]],[],[],[],[],[],[],[]]'
)


def test_what_5_7_says_of_defaults_recorded() -> None:
    """It flags no expression: of times, this word is one; of texts, it is a text."""
    made, said, number = decode(OF_5_7.encode()).columns
    assert (made.default, made.extras) == ("CURRENT_TIMESTAMP", {"on_update": "CURRENT_TIMESTAMP"})
    assert said.default == "'CURRENT_TIMESTAMP'"
    assert number.identity is not None
    assert RawColumn.__struct_fields__[-1] == "srid"


def test_rows_that_are_kept_elsewhere_make_an_external_table() -> None:
    table = OF_5_7.replace('"InnoDB"', '"FEDERATED"')
    assert decode(table.encode()).kind is RelationKind.EXTERNAL_TABLE
    assert decode(OF_5_7.encode()).kind is RelationKind.TABLE


def test_urls() -> None:
    _, settings = from_url("mariadb://o%27hara:p%40ss%2F@db.example.com/shop?ssl-mode=REQUIRED&connect_timeout=3")
    assert isinstance(settings, MysqlSettings)
    assert (settings.user, settings.password, settings.database) == ("o'hara", "p@ss/", "shop")
    assert (settings.port, settings.tls, settings.connect_timeout) == (3306, Tls.UNVERIFIED, 3)
    _, everything = from_url("mysql://reader@[::1]:3307")
    assert isinstance(everything, MysqlSettings)
    assert (everything.host, everything.port, everything.database) == ("::1", 3307, "")
    assert everything.tls_mode is Tls.OFF
    assert SETTINGS.tls_mode is Tls.VERIFY


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:planted-secret@host:port/db",
        "mysql://u:planted-secret@host/db?ssl-mode=PREFERRED",
        "mysql://u:planted-secret@host/db?local_infile=1",
        "mysql://u:planted-secret@host/db?read_default_file=/etc/shadow",
        "mysql://:planted-secret@host/db",
    ],
)
def test_urls_that_are_refused_say_why_without_the_password(url: str) -> None:
    with pytest.raises(errors.SettingsInvalid) as caught:
        from_url(url)
    assert "planted" not in str(caught.value.as_dict())


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (pymysql.OperationalError(1129, "Host '10.0.0.1' is blocked"), errors.ServerUnavailable),
        (pymysql.OperationalError(1130, "Host '10.0.0.1' is not allowed to connect"), errors.SignInFailed),
        (pymysql.OperationalError(2059, "Authentication plugin 'parsec' not configured"), errors.SignInFailed),
        (pymysql.OperationalError(4151, "Access denied, this account is locked"), errors.SignInFailed),
        (pymysql.InternalError("Packet sequence number wrong - got 80 expected 0"), errors.ServerForeign),
        (RuntimeError("'pynacl' package is required for ed25519_password auth method"), errors.DriverMissing),
        (ConnectionResetError(104, "Connection reset by peer"), errors.ConnectionLost),
        (OSError(113, "No route to host"), errors.HostUnreachable),
    ],
)
def test_errors_of_connecting_have_a_type_and_a_next_step(error: Exception, kind: type[errors.ConnectorError]) -> None:
    found = from_connecting(error, SETTINGS)
    assert type(found) is kind
    assert found.hint


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (1205, errors.LockTimeout),
        (1227, errors.PermissionMissing),
        (1969, errors.StatementTimeout),
        (3024, errors.StatementTimeout),
        (1927, errors.ConnectionLost),
        (9999, errors.ConnectorError),
    ],
)
def test_errors_of_statements_have_a_type(number: int, kind: type[errors.ConnectorError]) -> None:
    found = from_statement(pymysql.OperationalError(number, "It says a planted secret aloud"), SETTINGS)
    assert type(found) is kind
    assert "planted" not in str(found.as_dict())
    assert f"({number})" in found.server_said


def test_the_account_to_create_may_read_and_nothing_else() -> None:
    made = create_account(SETTINGS)
    assert "SELECT, SHOW VIEW" in made
    assert "planted" not in made


@pytest.mark.timeout(5)
@pytest.mark.parametrize("line", ["GRANT " + "`a`" * 200, "GRANT " + "``" * 2000, "GRANT SELECT (" + "`a``" * 500])
def test_a_grant_made_to_harm_costs_nothing(line: str) -> None:
    rights_of([line], literal=False)
