"""The few structures of the metastore's Thrift interface that are asked for, and what each call takes and gives.

Field by field as in https://github.com/apache/hive/blob/master/standalone-metastore/metastore-common/src/main/thrift/hive_metastore.thrift;
fields that are not named here are passed over when they come. The clients that are generated from the whole file take 130 MB of
memory to import.
"""

from typing import Any, NamedTuple

from thrift.protocol.TBase import TBase, TExceptionBase
from thrift.Thrift import TType

Spec = tuple[Any, ...]


def text(place: int, name: str) -> Spec:
    return (place, TType.STRING, name, "UTF8", None)


def number(place: int, name: str) -> Spec:
    return (place, TType.I32, name, None, None)


def texts(place: int, name: str) -> Spec:
    return (place, TType.LIST, name, (TType.STRING, "UTF8", False), None)


def numbers(place: int, name: str) -> Spec:
    return (place, TType.LIST, name, (TType.I32, None, False), None)


def pairs(place: int, name: str) -> Spec:
    return (place, TType.MAP, name, (TType.STRING, "UTF8", TType.STRING, "UTF8", False), None)


def one(place: int, name: str, kind: Any) -> Spec:
    return (place, TType.STRUCT, name, [kind, kind.thrift_spec], None)


def many(place: int, name: str, kind: Any) -> Spec:
    return (place, TType.LIST, name, (TType.STRUCT, [kind, kind.thrift_spec], False), None)


def struct(name: str, *fields: Spec, base: type = TBase) -> Any:
    """A class for these fields; its instances have them as attributes, None where nothing came."""
    names = tuple(field[2] for field in fields)

    def fill(self: Any, **values: Any) -> None:
        for each in names:
            setattr(self, each, values.get(each))

    by_place = {field[0]: field for field in fields}
    spec = tuple(by_place.get(place) for place in range(max(by_place, default=-1) + 1))
    return type(name, (base,), {"__slots__": names, "thrift_spec": spec, "__init__": fill})


FieldSchema = struct("FieldSchema", text(1, "name"), text(2, "type"), text(3, "comment"))
SerDeInfo = struct("SerDeInfo", text(2, "serializationLib"), pairs(3, "parameters"))
Order = struct("Order", text(1, "col"), number(2, "order"))
StorageDescriptor = struct(
    "StorageDescriptor",
    many(1, "cols", FieldSchema),
    text(2, "location"),
    text(3, "inputFormat"),
    text(4, "outputFormat"),
    number(6, "numBuckets"),
    one(7, "serdeInfo", SerDeInfo),
    texts(8, "bucketCols"),
    many(9, "sortCols", Order),
)
Table = struct(
    "Table",
    text(1, "tableName"),
    text(3, "owner"),
    number(4, "createTime"),
    one(7, "sd", StorageDescriptor),
    many(8, "partitionKeys", FieldSchema),
    pairs(9, "parameters"),
    text(10, "viewOriginalText"),
    text(12, "tableType"),
)
Database = struct(
    "Database",
    text(1, "name"),
    text(2, "description"),
    text(3, "locationUri"),
    pairs(4, "parameters"),
    text(6, "ownerName"),
    text(8, "catalogName"),
    text(12, "connector_name"),
)
Capabilities = struct("ClientCapabilities", numbers(1, "values"))
GetTablesRequest = struct(
    "GetTablesRequest",
    text(1, "dbName"),
    texts(2, "tblNames"),
    one(3, "capabilities", Capabilities),
    text(4, "catName"),
)
GetTablesResult = struct("GetTablesResult", many(1, "tables", Table))
GetCatalogsResponse = struct("GetCatalogsResponse", texts(1, "names"))

INSERT_ONLY_TABLES = 2
"""A capability without which a service keeps such tables from us."""


class Raised(TExceptionBase):  # type: ignore[misc]  # the library has no types
    """What the service declares that it may answer instead: each has its sentence."""

    __slots__ = ("message",)
    thrift_spec = (None, text(1, "message"))

    def __init__(self, message: str | None = None) -> None:
        self.message = message


class MetaException(Raised):
    """Whatever went wrong in the service or in its database."""

    __slots__ = ()


class NoSuchObjectException(Raised):
    __slots__ = ()


class InvalidOperationException(Raised):
    __slots__ = ()


class UnknownDBException(Raised):
    __slots__ = ()


class Method(NamedTuple):
    """What a call takes, and what it gives: ``success``, or one of the fields that are named ``raised…``."""

    takes: Any
    gives: Any


def _method(name: str, takes: tuple[Spec, ...], gives: Spec, *raises: Any) -> tuple[str, Method]:
    raised = tuple(one(place, f"raised_{place}", kind) for place, kind in enumerate(raises, start=1))
    return name, Method(struct(f"{name}_args", *takes), struct(f"{name}_result", gives, *raised))


METHODS = dict(
    (
        _method("getVersion", (), text(0, "success")),
        _method("set_ugi", (text(1, "user_name"), texts(2, "group_names")), texts(0, "success"), MetaException),
        _method("get_catalogs", (), one(0, "success", GetCatalogsResponse), MetaException),
        _method("get_databases", (text(1, "pattern"),), texts(0, "success"), MetaException),
        _method("get_database", (text(1, "name"),), one(0, "success", Database), NoSuchObjectException, MetaException),
        _method("get_all_tables", (text(1, "db_name"),), texts(0, "success"), MetaException),
        _method(
            "get_table_objects_by_name_req",
            (one(1, "req", GetTablesRequest),),
            one(0, "success", GetTablesResult),
            MetaException,
            InvalidOperationException,
            UnknownDBException,
        ),
    )
)
