"""The process of ``tests.support.fakesnow``: fakesnow's server with what a driver of version 5 and our statements need.

It runs in a virtual environment of its own, where nothing of ours is. Arguments: port, certificate, its key.
"""

import json
import sys

import fakesnow.cursor
import fakesnow.info_schema
import fakesnow.server
import uvicorn
from sqlglot import exp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

LAST_KNOWN = "null::VARCHAR as DATA_TYPE_ALIAS"
ADDED = "null::INTEGER as DATETIME_PRECISION, null::VARCHAR as DTD_IDENTIFIER"
"""Columns of Snowflake's INFORMATION_SCHEMA.COLUMNS that fakesnow leaves out."""
FACTS = {"CURRENT_ACCOUNT": "FAKESNOW", "CURRENT_ROLE": "SYSADMIN", "CURRENT_WAREHOUSE": "FAKE", "CURRENT_USER": "U"}


async def login(request: Request) -> JSONResponse:
    """A driver of version 5 wants a master token, too."""
    answer = json.loads((await fakesnow.server.login_request(request)).body)
    answer["data"] |= {
        "masterToken": "none",
        "sessionId": 1,
        "validityInSeconds": 3600,
        "masterValidityInSeconds": 14400,
    }
    return JSONResponse(answer)


def in_words_of_duckdb(node: exp.Expression) -> exp.Expression:
    """HASH_AGG and the functions about the session, which fakesnow does not translate; keys of the current database."""
    if isinstance(node, exp.Show) and node.name.upper().endswith("KEYS"):
        node.set("scope_kind", None)
        return node
    name = (
        node.name.upper() if isinstance(node, exp.Anonymous) else node.sql_name() if isinstance(node, exp.Func) else ""
    )
    if name == "HASH_AGG":
        values = [node.this, *node.expressions] if not isinstance(node, exp.Anonymous) else node.expressions
        return exp.func("mod", exp.func("bit_xor", exp.func("hash", *values)), exp.Literal.number(2**62))
    return exp.Literal.string(FACTS[name]) if name in FACTS else node


def main() -> None:
    port, certificate, key = sys.argv[1:]
    schema = fakesnow.info_schema
    view = schema.SQL_CREATE_GLOBAL_INFORMATION_SCHEMA_COLUMNS_VIEW
    schema.SQL_CREATE_GLOBAL_INFORMATION_SCHEMA_COLUMNS_VIEW = view.replace(LAST_KNOWN, f"{LAST_KNOWN}, {ADDED}")
    parse = fakesnow.cursor.parse_one
    fakesnow.cursor.parse_one = lambda sql: parse(sql).transform(in_words_of_duckdb)
    fakesnow.server.shared_fs = fakesnow.server.FakeSnow()
    others = [route for route in fakesnow.server.routes if "login" not in route.path]
    app = Starlette(routes=[Route("/session/v1/login-request", login, methods=["POST"]), *others])
    uvicorn.run(app, host="127.0.0.1", port=int(port), ssl_certfile=certificate, ssl_keyfile=key, log_level="warning")


if __name__ == "__main__":
    main()
