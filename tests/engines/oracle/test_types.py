"""What the dictionary says of types, as values."""

from typing import Any

import pytest

from metamapper.connectors.engines.oracle.names import as_stored, quoted
from metamapper.connectors.engines.oracle.types import Declared, parse_type
from metamapper.schema import TypeFamily

TYPES = [
    (Declared("NUMBER", None, 22), "NUMBER", TypeFamily.DECIMAL, None, None, None),
    (Declared("NUMBER", None, 22, 0, None, None, 0), "NUMBER(*,0)", TypeFamily.INTEGER, None, None, 0),
    (Declared("NUMBER", None, 22, 0, None, 10, 0), "NUMBER(10)", TypeFamily.INTEGER, None, 10, 0),
    (Declared("NUMBER", None, 22, 0, None, 12, 2), "NUMBER(12,2)", TypeFamily.DECIMAL, None, 12, 2),
    (Declared("NUMBER", None, 22, 0, None, 3, -2), "NUMBER(3,-2)", TypeFamily.DECIMAL, None, 3, -2),
    (Declared("FLOAT", None, 22, 0, None, 126), "FLOAT", TypeFamily.FLOAT, None, 126, None),
    (Declared("FLOAT", None, 22, 0, None, 63), "FLOAT(63)", TypeFamily.FLOAT, None, 63, None),
    (Declared("BINARY_DOUBLE", None, 8), "BINARY_DOUBLE", TypeFamily.FLOAT, None, None, None),
    (Declared("VARCHAR2", None, 400, 100, "C"), "VARCHAR2(100 CHAR)", TypeFamily.STRING, 100, None, None),
    (Declared("VARCHAR2", None, 100, 100, "B"), "VARCHAR2(100 BYTE)", TypeFamily.STRING, 100, None, None),
    (Declared("NVARCHAR2", None, 200, 100, "C"), "NVARCHAR2(100)", TypeFamily.STRING, 100, None, None),
    (Declared("CHAR", None, 1, 1, "B"), "CHAR(1 BYTE)", TypeFamily.STRING, 1, None, None),
    (Declared("CLOB", None, 4000), "CLOB", TypeFamily.STRING, None, None, None),
    (Declared("LONG", None, 0), "LONG", TypeFamily.STRING, None, None, None),
    (Declared("LONG RAW", None, 0), "LONG RAW", TypeFamily.BINARY, None, None, None),
    (Declared("RAW", None, 16), "RAW(16)", TypeFamily.BINARY, 16, None, None),
    (Declared("BLOB", None, 4000), "BLOB", TypeFamily.BINARY, None, None, None),
    (Declared("DATE", None, 7), "DATE", TypeFamily.DATE, None, None, None),
    (Declared("TIMESTAMP(6)", None, 11, 0, None, None, 6), "TIMESTAMP(6)", TypeFamily.TIMESTAMP, None, None, None),
    (
        Declared("TIMESTAMP(9) WITH LOCAL TIME ZONE", None, 11, 0, None, None, 9),
        "TIMESTAMP(9) WITH LOCAL TIME ZONE",
        TypeFamily.TIMESTAMP,
        None,
        None,
        None,
    ),
    (
        Declared("INTERVAL DAY(2) TO SECOND(6)", None, 11, 0, None, 2, 6),
        "INTERVAL DAY(2) TO SECOND(6)",
        TypeFamily.INTERVAL,
        None,
        None,
        None,
    ),
    (Declared("BOOLEAN", None, 1), "BOOLEAN", TypeFamily.BOOLEAN, None, None, None),
    (Declared("JSON", None, 8200), "JSON", TypeFamily.JSON, None, None, None),
    (Declared("ROWID", None, 10), "ROWID", TypeFamily.OTHER, None, None, None),
    (Declared("UROWID", None, 4000), "UROWID(4000)", TypeFamily.OTHER, 4000, None, None),
    (Declared("XMLTYPE", "SYS", 2000), "XMLTYPE", TypeFamily.OTHER, None, None, None),
    (Declared("SDO_GEOMETRY", "MDSYS", 1), "SDO_GEOMETRY", TypeFamily.GEO, None, None, None),
    (Declared("ADDRESS", "SALES", 1), "SALES.ADDRESS", TypeFamily.OTHER, None, None, None),
    (Declared("DATE", "SALES", 1), "SALES.DATE", TypeFamily.OTHER, None, None, None),
]


@pytest.mark.parametrize("row", TYPES, ids=lambda row: row[1])
def test_a_type_has_its_spelling_a_family_and_measures(row: tuple[Any, ...]) -> None:
    declared, *wanted = row
    assert list(parse_type(declared)) == wanted


def test_names_are_quoted_where_capitals_do_not_suffice() -> None:
    assert [quoted(name) for name in ("ID", "ID$#_1", "id", "1D", "Ä", "TWO WORDS")] == [
        "ID",
        "ID$#_1",
        '"id"',
        '"1D"',
        '"Ä"',
        '"TWO WORDS"',
    ]
    assert [as_stored(user) for user in ("metamapper", '"MetaMapper"', "Scott")] == [
        "METAMAPPER",
        "MetaMapper",
        "SCOTT",
    ]
