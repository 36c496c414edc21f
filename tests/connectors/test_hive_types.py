"""Hive's spelling of types, as the metastore, Glue and Athena keep it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metamapper.connectors.sql.hive_columns import RawColumn, columns_of
from metamapper.connectors.sql.hive_types import HiveType, parse_type
from metamapper.schema import TypeFamily


def paths(spelling: str) -> dict[str, str]:
    """The nested fields of a column ``x`` by their paths, with their types."""
    return {".".join(column.path): column.type for column in columns_of([RawColumn("x", spelling)])[1:]}


@pytest.mark.parametrize(
    ("spelling", "family"),
    [
        ("tinyint", TypeFamily.INTEGER),
        ("BIGINT", TypeFamily.INTEGER),
        ("double", TypeFamily.FLOAT),
        ("double precision", TypeFamily.FLOAT),
        ("decimal", TypeFamily.DECIMAL),
        ("boolean", TypeFamily.BOOLEAN),
        ("string", TypeFamily.STRING),
        ("date", TypeFamily.DATE),
        ("timestamp", TypeFamily.TIMESTAMP),
        ("timestamp with local time zone", TypeFamily.TIMESTAMP),
        ("timestamp(3) with time zone", TypeFamily.TIMESTAMP),
        ("time(6)", TypeFamily.TIME),
        ("interval_day_time", TypeFamily.INTERVAL),
        ("binary", TypeFamily.BINARY),
        ("array<int>", TypeFamily.ARRAY),
        ("map<string,int>", TypeFamily.MAP),
        ("struct<a:int>", TypeFamily.STRUCT),
        ("row(a integer)", TypeFamily.STRUCT),
        ("uniontype<int,string>", TypeFamily.OTHER),
        ("void", TypeFamily.OTHER),
        ("", TypeFamily.OTHER),
        ("struct<a:int", TypeFamily.STRUCT),
    ],
)
def test_families(spelling: str, family: TypeFamily) -> None:
    assert parse_type(spelling).family is family


@pytest.mark.parametrize(
    ("spelling", "measures"),
    [
        ("decimal(12,2)", (None, 12, 2)),
        ("decimal( 38 , 0 )", (None, 38, 0)),
        ("decimal(5)", (None, 5, None)),
        ("varchar(65535)", (65535, None, None)),
        ("char(3)", (3, None, None)),
        ("string", (None, None, None)),
        ("timestamp(3)", (None, 3, None)),
        ("varchar(x)", (None, None, None)),
        ("varchar(99999999999)", (99999999999, None, None)),
    ],
)
def test_measures(spelling: str, measures: tuple[int | None, int | None, int | None]) -> None:
    found = parse_type(spelling)
    assert (found.length, found.precision, found.scale) == measures


@pytest.mark.parametrize(
    ("spelling", "fields"),
    [
        ("struct<street:string,city:string>", {"x.street": "string", "x.city": "string"}),
        (
            "struct<a:struct<b:struct<c:int>>>",
            {"x.a": "struct<b:struct<c:int>>", "x.a.b": "struct<c:int>", "x.a.b.c": "int"},
        ),
        ("array<struct<a:int>>", {"x.a": "int"}),
        ("array<array<struct<a:decimal(10,2)>>>", {"x.a": "decimal(10,2)"}),
        ("map<string,struct<a:int,b:map<string,int>>>", {"x.a": "int", "x.b": "map<string,int>"}),
        (
            "struct<a:array<map<string,struct<b:int>>>>",
            {"x.a": "array<map<string,struct<b:int>>>", "x.a.b": "int"},
        ),
        ("struct< a : int , b : string >", {"x.a": "int", "x.b": "string"}),
        (
            "struct<xsi:type:string,ns:a:struct<b:int>>",
            {"x.xsi:type": "string", "x.ns:a": "struct<b:int>", "x.ns:a.b": "int"},
        ),
        ("struct<price (usd):double,b:int>", {"x.price (usd)": "double", "x.b": "int"}),
        ("struct<`a,b:<`:int,`q``q`:int>", {"x.a,b:<": "int", "x.q`q": "int"}),
        ("struct<it's:int,b:string>", {"x.it's": "int", "x.b": "string"}),
        ("row(a integer, b row(c varchar(3)))", {"x.a": "integer", "x.b": "row(c varchar(3))", "x.b.c": "varchar(3)"}),
        ('array(row("two words" integer))', {"x.two words": "integer"}),
        ("struct<a:int,a:string>", {"x.a": "int", "x.a (2)": "string"}),
        ("struct<a:decimal(10,2),b:int>", {"x.a": "decimal(10,2)", "x.b": "int"}),
        ("int", {}),
        ("array<string>", {}),
        ("struct<>", {}),
        ("struct<a:int", {}),
        ("struct<a>", {}),
    ],
)
def test_nested_fields_are_columns_with_a_path(spelling: str, fields: dict[str, str]) -> None:
    assert paths(spelling) == fields


def test_a_field_keeps_its_comment() -> None:
    columns = columns_of([RawColumn("x", "struct<a:int comment 'one, two: <three>',b:int>")])
    assert [(column.name, column.comment) for column in columns] == [
        ("x", None),
        ("a", "one, two: <three>"),
        ("b", None),
    ]


def test_fields_stand_behind_their_column_and_partition_keys_last() -> None:
    raws = [RawColumn("a", "struct<b:int>", "what it is"), RawColumn("c", "int"), RawColumn("day", "date", None, True)]
    columns = columns_of(raws)
    assert [(column.position, ".".join(column.path)) for column in columns] == [
        (1, "a"),
        (2, "a.b"),
        (3, "c"),
        (4, "day"),
    ]
    assert columns[0].comment == "what it is"
    assert columns[3].extras == {"partition_key": True}
    assert columns[1].nested_in == ("a",)


def test_columns_of_one_name_are_told_apart() -> None:
    names = [column.name for column in columns_of([RawColumn(name, "int") for name in ("a", "a (2)", "a", "b", "a")])]
    assert names == ["a", "a (2)", "a (3)", "b", "a (4)"]


def test_what_is_nested_without_end_ends() -> None:
    deep = "struct<a:" * 5000 + "int" + ">" * 5000
    assert parse_type(deep).family is TypeFamily.STRUCT
    assert 10 < len(paths(deep)) <= 64


@given(st.text(max_size=60))
def test_no_text_is_refused(text: str) -> None:
    assert isinstance(parse_type(text), HiveType)
    columns_of([RawColumn("x", text)])


NAMES = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="`,<>():'\""), min_size=1, max_size=10
).map(str.strip)
TYPES = st.recursive(
    st.sampled_from(["int", "string", "decimal(10,2)", "timestamp with local time zone"]),
    lambda inner: st.one_of(
        inner.map("array<{}>".format),
        inner.map("map<string,{}>".format),
        st.dictionaries(NAMES.filter(bool), inner, min_size=1, max_size=4).map(
            lambda fields: f"struct<{','.join(f'{name}:{kind}' for name, kind in fields.items())}>"
        ),
    ),
    max_leaves=12,
)


@given(st.dictionaries(NAMES.filter(bool), TYPES, min_size=1, max_size=4))
def test_every_field_of_any_struct_is_found(fields: dict[str, str]) -> None:
    spelling = f"struct<{','.join(f'{name}:{kind}' for name, kind in fields.items())}>"
    found = [column for column in columns_of([RawColumn("x", spelling)]) if column.nested_in == ("x",)]
    assert [(column.name, column.type) for column in found] == list(fields.items())


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "text",
    [
        f"decimal({'9' * 5000})",
        "varchar(99999999999999999999999)",
        f"struct<a:int{' ' * 40_000}x>",
        f"struct<a:int comment{' ' * 40_000}'>",
    ],
    ids=["digits", "length", "blanks", "comment"],
)
def test_a_type_made_to_harm_costs_nothing(text: str) -> None:
    found = parse_type(text)
    assert found.length is None or found.length < 2**63
