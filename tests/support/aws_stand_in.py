"""moto's stand-in for AWS, with what it lacks, as a process of its own: ``python aws_stand_in.py PORT [CERTIFICATE KEY]``.

moto answers Glue in one page, has none of Athena's calls for tables, and says in its own words who may do what. Here Glue
and Athena come in pages in the order of names, resource links are followed, Athena shows what Glue holds, policies are
checked for each resource, and refusals are spelled as AWS spells them. ``/stand-in`` tells which calls were made, and makes
calls fail. Nothing here is imported by tests: they reach it by HTTP, through the real driver.
"""

import json
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from moto.athena.responses import AthenaResponse
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.glue.models import FakeTable
from moto.glue.responses import GlueResponse
from moto.iam.access_control import IAMRequest
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

Told = dict[str, Any]

CONTROL = "/stand-in"
GLUE_PAGE, ATHENA_PAGE = 100, 50
OWN_CATALOG = "AwsDataCatalog"


# --- Glue ------------------------------------------------------------------------------------------------------------


def page_of(found: list[Told], asked: Told, largest: int) -> tuple[list[Told], str | None]:
    """One page in the order of names, and the token of the next. A token is the last name, so that nothing is skipped."""
    rest = sorted((each for each in found if each["Name"] > asked.get("NextToken", "")), key=lambda each: each["Name"])
    size = min(int(asked.get("MaxResults") or largest), largest)
    return rest[:size], rest[size - 1]["Name"] if len(rest) > size else None


def answer(listed: str, found: list[Told], asked: Told, largest: int) -> Told:
    page, token = page_of(found, asked, largest)
    return {listed: page} | ({"NextToken": token} if token else {})


def get_databases(self: GlueResponse) -> ActionResult:
    found = databases_of(self.glue_backend, self.parameters.get("CatalogId"))
    return ActionResult(answer("DatabaseList", found, self.parameters, GLUE_PAGE))


def databases_of(backend: Any, catalog: str | None) -> list[Told]:
    """Without an id, those of the account's own catalog."""
    wanted = catalog or backend.account_id
    found = (database.as_dict() for database in backend.get_databases())
    return [told for told in found if told["CatalogId"] == wanted]


def get_tables(self: GlueResponse) -> ActionResult:
    found = tables_of(self.glue_backend, self.parameters["DatabaseName"])
    return ActionResult(answer("TableList", found, self.parameters, GLUE_PAGE))


def tables_of(backend: Any, database: str) -> list[Told]:
    """Behind the link that a database or a table may be."""
    target = backend.get_database(database).input.get("TargetDatabase")
    found = backend.get_tables(target["DatabaseName"] if target else database, None)
    return [_followed(backend, table) for table in found]


def _followed(backend: Any, table: FakeTable) -> Told:
    told: Told = table.as_dict()
    target = told.get("TargetTable")
    if not target:
        return told
    led_to = backend.get_table(target["DatabaseName"], target["Name"]).as_dict()
    return {**led_to, "Name": told["Name"], "DatabaseName": told["DatabaseName"], "TargetTable": target}


# --- Athena ----------------------------------------------------------------------------------------------------------


def glue_behind(self: AthenaResponse) -> Any:
    from moto.glue.models import glue_backends

    return glue_backends[self.current_account][self.region]


def asked_of(self: AthenaResponse) -> Told:
    asked: Told = json.loads(self.body)
    return asked


def list_data_catalogs(self: AthenaResponse) -> str:
    listed = [{"CatalogName": OWN_CATALOG, "Type": "GLUE"}, *self.athena_backend.list_data_catalogs()]
    found = [{"Name": each["CatalogName"], **each} for each in listed]
    told = answer("DataCatalogsSummary", found, asked_of(self), ATHENA_PAGE)
    for each in told["DataCatalogsSummary"]:
        del each["Name"]
    return json.dumps(told)


def catalog_id(name: str) -> str | None:
    return None if name == OWN_CATALOG else name


def list_databases(self: AthenaResponse) -> str:
    asked = asked_of(self)
    check_behind(self, "GetDatabases", {})
    shown = [
        {name: told[name] for name in ("Name", "Description", "Parameters") if told.get(name) is not None}
        for told in databases_of(glue_behind(self), catalog_id(asked["CatalogName"]))
    ]
    return json.dumps(answer("DatabaseList", shown, asked, ATHENA_PAGE))


def list_table_metadata(self: AthenaResponse) -> str:
    asked, backend = asked_of(self), glue_behind(self)
    check_behind(self, "GetTables", asked)
    names = {told["Name"] for told in databases_of(backend, catalog_id(asked["CatalogName"]))}
    if asked["DatabaseName"] not in names:
        raise JsonRESTError(
            "MetadataException",
            f"Database {asked['DatabaseName']} not found. (Service: AmazonDataCatalog; Status Code: 400;"
            " Error Code: EntityNotFoundException; Request ID: 1; Proxy: null)",
        )
    found = [metadata_of(told) for told in tables_of(backend, asked["DatabaseName"])]
    return json.dumps(answer("TableMetadataList", found, asked, ATHENA_PAGE))


def metadata_of(told: Told) -> Told:
    """A table as Athena tells it: https://docs.aws.amazon.com/athena/latest/APIReference/API_TableMetadata.html."""
    storage = told.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    places = {
        "location": storage.get("Location"),
        "inputformat": storage.get("InputFormat"),
        "outputformat": storage.get("OutputFormat"),
        "serde.serialization.lib": serde.get("SerializationLibrary"),
    }
    serde_parameters = {f"serde.param.{name}": value for name, value in (serde.get("Parameters") or {}).items()}
    found = {
        "Name": told["Name"],
        "CreateTime": told["CreateTime"].timestamp(),
        "LastAccessTime": 0,
        "TableType": told.get("TableType"),
        "Columns": [_plain(each) for each in storage.get("Columns") or ()],
        "PartitionKeys": [_plain(each) for each in told.get("PartitionKeys") or ()],
        "Parameters": {name: value for name, value in places.items() if value}
        | serde_parameters
        | (told.get("Parameters") or {}),
    }
    return {name: value for name, value in found.items() if value is not None}


def _plain(column: Told) -> Told:
    return {name: column[name] for name in ("Name", "Type", "Comment") if column.get(name)}


# --- Who may do what -------------------------------------------------------------------------------------------------


def resources_of(request: IAMRequest, action: str, asked: Told) -> Iterator[str]:
    """What a call touches: https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html."""
    start = f"arn:aws:{request._service}:{request._region}:{request.account_id}"
    if action.startswith("athena:"):
        yield f"{start}:datacatalog/{asked['CatalogName']}" if "CatalogName" in asked else "*"
        return
    glue = f"arn:aws:glue:{request._region}:{request.account_id}"
    yield f"{glue}:catalog"
    if action == "glue:GetTables":
        yield f"{glue}:database/{asked['DatabaseName']}"
        yield f"{glue}:table/{asked['DatabaseName']}/*"


def check_permitted(request: IAMRequest, resource: str) -> None:
    service = request._service
    if request._action == "sts:AssumeRole":
        (resource,) = request._data["RoleArn"]  # so that the role's trust policy is looked at, too
        request._data = {"ExternalId": [""], **request._data}  # to moto, no external id would be the right one
    if service not in {"glue", "athena"}:
        moto_checks(request, resource)
        return
    asked = json.loads(request._body or b"{}")
    for touched in resources_of(request, request._action, asked):
        request._touched = touched
        moto_checks(request, touched)


def refuse(request: IAMRequest) -> None:
    service, action = request._service, request._action
    if service not in {"glue", "athena"}:
        moto_refuses(request)
    refused = JsonRESTError(
        "AccessDeniedException",
        f"User: {request._access_key.arn} is not authorized to perform: {action} on resource: {request._touched}"
        f" because no identity-based policy allows the {action} action",
    )
    refused.code = 400
    raise refused


def refuse_key(request: IAMRequest, reason: str) -> None:
    if request._service not in {"glue", "athena"}:
        moto_refuses_key(request, reason)
    raise JsonRESTError("UnrecognizedClientException", "The security token included in the request is invalid.")


def refuse_signature(request: IAMRequest) -> None:
    if request._service not in {"glue", "athena"}:
        moto_refuses_signature(request)
    said = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key"
    raise JsonRESTError("InvalidSignatureException", said)


def check_behind(self: AthenaResponse, action: str, asked: Told) -> None:
    """Athena asks Glue as whoever calls, and wraps what Glue says."""
    from moto import settings
    from moto.core.authorization import ActionAuthenticatorMixin

    if ActionAuthenticatorMixin.request_count < settings.INITIAL_NO_AUTH_ACTION_COUNT:
        return
    request = IAMRequest(
        account_id=self.current_account,
        method=self.method,
        path=self.raw_path,
        data=self.data,
        body=self.raw_body,
        headers=self.headers,
        action=self._get_action(),
    )
    request._action = f"glue:{action}"
    try:
        for touched in resources_of(request, request._action, asked):
            request._touched = touched
            moto_checks(request, touched)
    except JsonRESTError as error:
        wrapped = f"{error.message} (Service: AmazonDataCatalog; Status Code: 400; Error Code: AccessDeniedException)"
        raise JsonRESTError("MetadataException", wrapped) from None


moto_checks, moto_refuses = IAMRequest.check_action_permitted, IAMRequest._raise_access_denied
moto_refuses_key, moto_refuses_signature = (
    IAMRequest._raise_invalid_access_key,
    IAMRequest._raise_signature_does_not_match,
)
IAMRequest.check_action_permitted = check_permitted
IAMRequest._raise_access_denied = refuse
IAMRequest._raise_invalid_access_key = refuse_key
IAMRequest._raise_signature_does_not_match = refuse_signature
GlueResponse.get_databases, GlueResponse.get_tables = get_databases, get_tables
AthenaResponse.list_data_catalogs, AthenaResponse.list_databases = list_data_catalogs, list_databases
AthenaResponse.list_table_metadata = list_table_metadata


# --- Calls that were made, and faults --------------------------------------------------------------------------------


class StandIn:
    """What stands before moto. ``faults`` are by operation: how often a call fails, and with which code."""

    def __init__(self, moto: Callable[..., Iterable[bytes]]) -> None:
        self._moto = moto
        self._forget()

    def __call__(self, environ: Told, start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == CONTROL:
            return self._control(environ, start)
        operation = self._operation(environ)
        self.calls[operation] += 1
        if self.cut and not environ["PATH_INFO"].startswith("/moto-api"):
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return []
        fault = self.faults.get(operation) or {}
        if fault.get("times", 0) > 0:
            fault["times"] -= 1
            return _failing(fault, start)
        return self._moto(environ, start)

    def _forget(self) -> None:
        self.calls: Counter[str] = Counter()
        self.faults: dict[str, Told] = {}
        self.cut = False

    def _control(self, environ: Told, start: Callable[..., Any]) -> Iterable[bytes]:
        """Tells the calls so far. A body forgets them, and says what goes wrong from now on."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        told = json.dumps(self.calls).encode()
        if body:
            self._forget()
            asked = json.loads(body)
            self.faults, self.cut = asked.get("faults", {}), asked.get("cut", False)
            for database, number in asked.get("fill", {}).items():
                fill(database, number)
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(told)))])
        return [told]

    def _operation(self, environ: Told) -> str:
        """By the header of JSON services; a form names its action."""
        target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        return target or "form"


def _failing(fault: Told, start: Callable[..., Any]) -> Iterable[bytes]:
    body = (
        fault["body"] if "body" in fault else json.dumps({"__type": fault["code"], "message": fault.get("message", "")})
    )
    headers = [("Content-Type", fault.get("type", "application/x-amz-json-1.1")), ("Content-Length", str(len(body)))]
    start(fault.get("status", "400 Bad Request"), headers)
    return [body.encode()]


def fill(database: str, number: int) -> None:
    """Many ordinary tables at once, which by calls would take minutes."""
    from moto.glue.models import glue_backends

    backend = glue_backends["123456789012"]["eu-west-1"]
    backend.create_database(database, {"Name": database}, None)
    columns = [{"Name": f"column_{place}", "Type": "string", "Comment": "What it is"} for place in range(18)]
    columns.append({"Name": "address", "Type": "struct<street:string,city:string,geo:struct<lat:double,lon:double>>"})
    for place in range(number):
        told = {
            "Name": f"table_{place:06}",
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "parquet", "recordCount": str(place)},
            "PartitionKeys": [{"Name": "day", "Type": "date"}],
            "StorageDescriptor": {
                "Columns": columns,
                "Location": f"s3://lake/{database}/table_{place:06}/",
                "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
                "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
            },
        }
        backend.create_table(database, told["Name"], told)


def main(port: str, *certificate: str) -> None:
    """``certificate`` are the files of one and of its key, to speak TLS."""
    moto = DomainDispatcherApplication(create_backend_app)
    run_simple("127.0.0.1", int(port), StandIn(moto), threaded=True, ssl_context=certificate or None)


if __name__ == "__main__":
    main(*sys.argv[1:])
