"""Types, nested fields, kinds and identities, as values."""

import pytest

from metamapper.connectors.engines.redshift.payload import (
    ExternalRow,
    RawRelation,
    Row,
    decode,
    external_estimate,
    is_late_binding,
    kind_of,
    nested,
)
from metamapper.connectors.engines.redshift.types import parse_type
from metamapper.connectors.sql.hive_types import parse_type as parse_nested
from metamapper.schema import Identity, RelationKind, TypeFamily

SPELLINGS = {
    "smallint": (TypeFamily.INTEGER, None, None, None),
    "bigint": (TypeFamily.INTEGER, None, None, None),
    "numeric(38,10)": (TypeFamily.DECIMAL, None, 38, 10),
    "decimal(10,2)": (TypeFamily.DECIMAL, None, 10, 2),
    "double precision": (TypeFamily.FLOAT, None, None, None),
    "boolean": (TypeFamily.BOOLEAN, None, None, None),
    "character varying(65535)": (TypeFamily.STRING, 65535, None, None),
    "character(3)": (TypeFamily.STRING, 3, None, None),
    "string": (TypeFamily.STRING, None, None, None),
    "date": (TypeFamily.DATE, None, None, None),
    "time with time zone": (TypeFamily.TIME, None, None, None),
    "timestamp without time zone": (TypeFamily.TIMESTAMP, None, None, None),
    "timestamp(6) without time zone": (TypeFamily.TIMESTAMP, None, 6, None),
    "interval day to second(6)": (TypeFamily.INTERVAL, None, 6, None),
    "binary varying(64000)": (TypeFamily.BINARY, 64000, None, None),
    "super": (TypeFamily.JSON, None, None, None),
    "geometry": (TypeFamily.GEO, None, None, None),
    "hllsketch": (TypeFamily.OTHER, None, None, None),
    "array<struct<a:int>>": (TypeFamily.ARRAY, None, None, None),
    "map<varchar(20),double>": (TypeFamily.MAP, None, None, None),
    "struct<a:decimal(3,1)>": (TypeFamily.STRUCT, None, None, None),
    "integer[]": (TypeFamily.ARRAY, None, None, None),
    "": (TypeFamily.OTHER, None, None, None),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_type_has_a_family_and_measures(spelling: str) -> None:
    assert tuple(parse_type(spelling)) == SPELLINGS[spelling]


def test_fields_are_found_at_any_depth() -> None:
    spelling = "struct<name:struct<given:varchar(20),`Family Name`:varchar(20)>,orders:array<struct<shipdate:timestamp,price:decimal(10,2)>>,tags:map<string,struct<n:int>>>"
    assert [(".".join(path), kind) for path, kind in nested(parse_nested(spelling).fields, ())] == [
        ("name", "struct<given:varchar(20),`Family Name`:varchar(20)>"),
        ("name.given", "varchar(20)"),
        ("name.Family Name", "varchar(20)"),
        ("orders", "array<struct<shipdate:timestamp,price:decimal(10,2)>>"),
        ("orders.shipdate", "timestamp"),
        ("orders.price", "decimal(10,2)"),
        ("tags", "map<string,struct<n:int>>"),
        ("tags.n", "int"),
    ]


@pytest.mark.parametrize(
    "spelling", ["int", "struct<", "struct<a b c>", "<>", "array<;drop table x>", "struct<" * 5000]
)
def test_what_cannot_be_understood_has_no_fields(spelling: str) -> None:
    assert not list(nested(parse_nested(spelling).fields, ()))


def head(kind: str, definition: str | None = None) -> Row:
    return Row(100, 0, 2200, 9, 0, 0, "t", kind, definition, None)


def test_kinds_are_told_by_the_definition() -> None:
    assert kind_of(head("r")) is RelationKind.TABLE
    assert kind_of(head("v", "SELECT 1")) is RelationKind.VIEW
    assert kind_of(head("v", "\n create  MATERIALIZED view a.b as select 1")) is RelationKind.MATERIALIZED_VIEW
    assert is_late_binding(head("v", "create view a.b as select 1 WITH no  schema binding;\n"))
    assert not is_late_binding(head("v", "SELECT 'with no schema binding' AS x"))


@pytest.mark.parametrize(
    ("default", "identity", "kept", "seed"),
    [
        ("\"identity\"(107590, 0, '1,1'::text)", Identity.ALWAYS, None, "1,1"),
        ("default_identity(107590, 0, '100, 5'::text)", Identity.BY_DEFAULT, None, "100,5"),
        ("getdate()", None, "getdate()", None),
        ("'identity(1)'::character varying", None, "'identity(1)'::character varying", None),
    ],
)
def test_an_identity_is_no_default(default: str, identity: Identity | None, kept: str | None, seed: str | None) -> None:
    import msgspec

    rows = (
        head("r"),
        Row(100, 1, 1, 1, 0, 0, "id", "bigint", "az64", None),
        Row(100, 2, 1, 0, 0, 0, default, None, None, None),
    )
    [column] = decode(msgspec.json.encode(RawRelation("public", rows))).columns
    assert (column.identity, column.default, column.extras.get("identity")) == (identity, kept, seed)
    assert column.extras["encoding"] == "az64"


@pytest.mark.parametrize(
    ("parameters", "rows"),
    [
        ('{"EXTERNAL":"TRUE","numRows":"172000","transient_lastDdlTime":"1520005770"}', 172000),
        ('{"EXTERNAL":"TRUE"}', None),
        ("", None),
        ("not json", None),
        ('{"numRows":"many"}', None),
        (None, None),
    ],
)
def test_an_external_estimate_is_what_somebody_wrote_down(parameters: str | None, rows: int | None) -> None:
    assert external_estimate(ExternalRow("t", 0, 0, 0, "TABLE", None, None, None, parameters)) == rows
