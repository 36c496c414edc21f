"""From what the driver and Snowflake say to errors with a next step.

Numbers are Snowflake's own; those of sign-in start with 39. See https://docs.snowflake.com/en/user-guide/key-pair-auth-troubleshooting
and https://community.snowflake.com/s/article/Sign-in-error-codes.
"""

import re
from collections.abc import Iterable

from snowflake.connector.errors import Error

from metamapper.connectors import errors
from metamapper.connectors.engines.snowflake.names import quoted, spelled, stored
from metamapper.connectors.engines.snowflake.settings import SignIn, SnowflakeSettings
from metamapper.connectors.gate import Gate
from metamapper.connectors.sql.redaction import redact
from metamapper.connectors.wire import HINTS

NO_WAREHOUSE, MONITORED = 606, 90073
_NUMBERS: dict[int, type[errors.ConnectorError]] = {
    604: errors.StatementTimeout,
    NO_WAREHOUSE: errors.PermissionMissing,
    630: errors.StatementTimeout,
    2003: errors.PermissionMissing,  # there is none, or the role may not see it: Snowflake does not say which
    2043: errors.PermissionMissing,
    3001: errors.PermissionMissing,
    3540: errors.PermissionMissing,
    MONITORED: errors.ServerUnavailable,  # a resource monitor holds the warehouse
    390110: errors.ConnectionLost,
    390111: errors.ConnectionLost,
    390112: errors.ConnectionLost,
    390104: errors.ConnectionLost,
    390114: errors.ConnectionLost,
    390186: errors.PermissionMissing,  # the role
    390189: errors.PermissionMissing,
    390201: errors.DatabaseUnknown,
}
_ROLES = frozenset({390186, 390189})
_SIGN_IN = range(390_000, 395_000)

# Without a number of Snowflake's there is only the driver's text, and what the gate knows.
_SIGNS: tuple[tuple[re.Pattern[str], type[errors.ConnectorError]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), error)
    for pattern, error in (
        (r"certificate|UnknownIssuer|not valid for name", errors.TlsFailed),
        (r"corrupt message|InvalidContentType|InvalidMessage|invalid HTTP|status.{0,9}(403|404)", errors.ServerForeign),
        (r"missing response field|expected value|decod|unexpected (http )?status", errors.ServerForeign),
        (r"last status 429", errors.Throttled),
        (r"last status 5\d\d", errors.ServerUnavailable),
        (r"timed out|timeout|deadline", errors.ConnectionTimeout),
        (r"refused", errors.ConnectionRefused),
        (r"HTTP request failed|closed|reset|broken pipe|eof|communication error|tunnel", errors.ConnectionLost),
        (r"alert|handshake|tls", errors.TlsFailed),
    )
)


def translated(error: Error, settings: SnowflakeSettings, gate: Gate) -> errors.ConnectorError:
    """The error with its next step; nothing secret is in it."""
    said = _said(error, settings)
    number = error.errno
    if number not in _NUMBERS and number not in _SIGN_IN:
        if gate.failure is not None:
            return gate.failure
        kind = next((kind for pattern, kind in _SIGNS if pattern.search(said)), errors.ConnectorError)
        return kind(server_said=said, hint=HINTS.get(kind, _HINTS.get(kind, "")))
    kind = _NUMBERS.get(number, errors.SignInFailed)
    hint, remedy = _advice(kind, number, said, settings)
    return kind(server_said=f"{said} ({number:06})", hint=hint, remedy=remedy)


def _said(error: Error, settings: SnowflakeSettings) -> str:
    """Snowflake's own sentence: without the driver's preamble, ids of requests, and secrets."""
    text = str(error.raw_msg or "")
    text = re.sub(r"^Failed to login: (Login error: )?", "", text)
    text = re.sub(r", code: \d+$|^SQL compilation error:\s*", "", text)
    return redact(" ".join(text.split()), settings.secrets())


def _advice(kind: type[errors.ConnectorError], number: int, said: str, settings: SnowflakeSettings) -> tuple[str, str]:
    """What to do, and a statement to paste where one helps."""
    if kind is errors.SignInFailed:
        return _sign_in_advice(said, settings), ""
    if number == MONITORED:
        return "A resource monitor has stopped the warehouse: raise its quota, or wait for its next period.", ""
    if number == NO_WAREHOUSE:
        return "Name a warehouse in the settings; its role needs to use it.", grant_warehouse(settings)
    if number in _ROLES:
        role, user = (spelled(stored(name)) for name in (settings.role, settings.user))
        return "Paste this as an administrator.", f"GRANT ROLE {role} TO USER {user};"
    return _HINTS.get(kind, ""), ""


def _sign_in_advice(said: str, settings: SnowflakeSettings) -> str:
    if re.search(r"multi-?factor|\bMFA\b|duo", said, re.IGNORECASE):
        return "The account asks for a second factor with a password: sign in with a key pair."
    if re.search(r"not allowed to access|IP/Token", said):
        return "A network policy keeps the workers' address out: let it in there."
    if re.search(r"locked|disabled", said, re.IGNORECASE):
        return "An administrator can unlock the user."
    return _BY_SIGN_IN[settings.sign_in]


_BY_SIGN_IN = {
    SignIn.PASSWORD: "Check the user's name (its login name counts) and the password.",
    SignIn.KEY_PAIR: "The user needs the public half of this key: ALTER USER … SET RSA_PUBLIC_KEY = '…'. Clocks must agree.",
    SignIn.OAUTH: "The token has expired, or is of another account or user.",
    SignIn.ACCESS_TOKEN: "The token has expired or was revoked, or a network policy is missing for the user.",
}
_HINTS: dict[type[errors.ConnectorError], str] = {
    errors.StatementTimeout: "Raise the statement time-out in the settings, or use a larger warehouse for a while.",
    errors.ServerUnavailable: "Snowflake has a fault or is under maintenance; the next attempt may succeed.",
    errors.Throttled: "The account has too many calls at once; the next attempt may succeed.",
    errors.ConnectionLost: HINTS[errors.ConnectionLost],
    errors.DatabaseUnknown: "Check the spelling; a name in lower case needs double quotes.",
    errors.PermissionMissing: "It is not there, or the role may not see it; Snowflake does not say which.",
}


def role_of(settings: SnowflakeSettings, role: str | None) -> str:
    return spelled(role or stored(settings.role) or "<role>")


def grant_warehouse(settings: SnowflakeSettings, role: str | None = None) -> str:
    warehouse = spelled(stored(settings.warehouse)) if settings.warehouse else "<warehouse>"
    return f"GRANT USAGE ON WAREHOUSE {warehouse} TO ROLE {role_of(settings, role)};"


def grant_database(database: str, role: str) -> str:
    return f"GRANT USAGE ON DATABASE {quoted(database)} TO ROLE {quoted(role)};"


def grant_schema(database: str, schema: str, role: str) -> str:
    """What makes a schema and all in it seen, now and later; REFERENCES lets see a table and read none of its rows."""
    where = f"SCHEMA {quoted(database)}.{quoted(schema)}"
    lines = [f"GRANT USAGE ON {where} TO ROLE {quoted(role)};"]
    lines += [
        f"GRANT REFERENCES ON {which} {what} IN {where} TO ROLE {quoted(role)};"
        for what in ("TABLES", "VIEWS")
        for which in ("ALL", "FUTURE")
    ]
    return "\n".join(lines)


def grant_object_viewer(role: str) -> str:
    """What lets see which objects exist, whoever may read them."""
    return f"GRANT DATABASE ROLE SNOWFLAKE.OBJECT_VIEWER TO ROLE {quoted(role)};"


def create_role(settings: SnowflakeSettings, user: str, databases: Iterable[str]) -> str:
    """A role that can see these databases and neither change nor read anything in them."""
    role = "METAMAPPER"
    lines = [f"CREATE ROLE {quoted(role)};", grant_warehouse(settings, role)]
    for database in databases:
        lines += [
            grant_database(database, role),
            f"GRANT USAGE ON ALL SCHEMAS IN DATABASE {quoted(database)} TO ROLE {quoted(role)};",
            *(
                f"GRANT REFERENCES ON ALL {what} IN DATABASE {quoted(database)} TO ROLE {quoted(role)};"
                for what in ("TABLES", "VIEWS")
            ),
        ]
    return "\n".join([*lines, f"GRANT ROLE {quoted(role)} TO USER {quoted(user)};"])
