"""From what python-tds and the server say to errors with a next step. Numbers are the server's (sys.messages)."""

import re
from collections.abc import Iterable

import pytds

from metamapper.connectors import errors
from metamapper.connectors.sql.redaction import redact
from metamapper.connectors.sql.tsql.names import quoted
from metamapper.connectors.sql.tsql.settings import SignIn, Tls, TsqlSettings

_NUMBERS: dict[type[errors.ConnectorError], tuple[int, ...]] = {
    errors.SignInFailed: (18456, 18452, 18470, 18486, 18487, 18488, 17892, 40532, 33134),
    errors.DatabaseUnknown: (4060, 4064, 911, 40508),
    errors.PermissionMissing: (229, 230, 262, 297, 300, 916, 40615, 40914, 47073),
    errors.VersionUnsupported: (195, 207, 208, 104409, 15871),
    errors.LockTimeout: (1222,),
    errors.ReadDisturbed: (1205, 3960, 3961, 3964, 601),
    errors.TooManyConnections: (17809, 10928, 10929, 10936, 40549),
    errors.ServerUnavailable: (
        *(18401, 17142, 6005, 904, 921, 922, 927, 942, 945, 952, 978, 983, 988),
        *(40613, 40197, 40501, 40143, 40540, 42108, 42109, 49918, 49919, 49920),
    ),
    errors.ConnectionLost: (596, 6104, 10053, 10054, 10060, 64, 233),
}
_MEANING = {number: kind for kind, numbers in _NUMBERS.items() for number in numbers}
_NO_DATABASE = re.compile(r"cannot open database", re.IGNORECASE)


def from_server(error: BaseException, settings: TsqlSettings) -> errors.ConnectorError:
    """The error of a sign-in or a statement that failed."""
    said = _said(error, settings.secrets())
    number = getattr(error, "number", None) or 0
    kind = _MEANING.get(number)
    if kind is errors.SignInFailed and _NO_DATABASE.search(said):
        kind = errors.DatabaseUnknown  # told together with "Login failed", which is told last
    if kind is None:
        kind = _without_number(error) if not number else errors.ConnectorError
    return advised(kind(server_said=said + (f" ({number})" if number else "")), settings)


def _without_number(error: BaseException) -> type[errors.ConnectorError]:
    if isinstance(error, (pytds.ClosedConnectionError, OSError)):
        return errors.ConnectionLost
    return errors.ConnectorError if isinstance(error, pytds.Error) else errors.ServerForeign


def _said(error: BaseException, secrets: Iterable[str]) -> str:
    """The server's own sentence: without an address of ours, without a secret."""
    text = str(error.args[0]) if isinstance(error, pytds.Error) and error.args else type(error).__name__
    return redact(" ".join(text.split()), secrets)


def advised(error: errors.ConnectorError, settings: TsqlSettings) -> errors.ConnectorError:
    """The same error with what to do about it, and a statement to paste where one helps."""
    if not error.hint:
        error.hint, error.remedy = _advice(error, settings)
    return error


def _advice(error: errors.ConnectorError, settings: TsqlSettings) -> tuple[str, str]:
    said = error.server_said
    if isinstance(error, errors.TlsFailed):
        return _tls_advice(said, settings), ""
    if isinstance(error, errors.SignInFailed):
        if settings.sign_in is SignIn.SERVICE_PRINCIPAL:
            return _ENTRA, f"CREATE USER {quoted(settings.user)} FROM EXTERNAL PROVIDER;"
        return _SIGN_IN, create_login(settings.user, settings.database)
    if isinstance(error, errors.PermissionMissing) and "is not allowed to access the server" in said:
        return "Let the workers' address through the server's firewall.", ""
    if isinstance(error, (errors.PermissionMissing, errors.DatabaseUnknown)):
        user = quoted(settings.user)
        hint = "Check the spelling. If the database exists, the login has no user in it: paste this there."
        return hint, f"CREATE USER {user} FOR LOGIN {user};\n{grant_view_definition(settings.user)}"
    return next((hint for kind, hint in _HINTS.items() if isinstance(error, kind)), ""), ""


def _tls_advice(said: str, settings: TsqlSettings) -> str:
    if settings.tls_mode is Tls.OFF:
        return "The server lets nobody in without TLS: set TLS to “Verify certificate and name”."
    if "offers no TLS" in said:
        return "Give the server a certificate, or set TLS to “No TLS” knowingly."
    if "Hostname mismatch" in said or "IP address mismatch" in said:
        return "Use the name that stands in the server's certificate as the host."
    return "Add the certificate authority that signed the server's certificate to the settings."


_SIGN_IN = "The login does not exist, is disabled, or has another password; the server does not say which."
_ENTRA = "The server does not know this application. Paste this in the database as a Microsoft Entra administrator."
_HINTS: dict[type[errors.ConnectorError], str] = {
    errors.ConnectionRefused: "Check host and port, and that TCP/IP is enabled for the instance.",
    errors.ConnectionTimeout: "Check host and port, and that no firewall drops what the workers send.",
    errors.HostUnreachable: "Check the address, and the network between it and the workers.",
    errors.TooManyConnections: "The server or its service tier has no session to spare; the next attempt may succeed.",
    errors.ServerUnavailable: "The database is starting, paused or moving; the next attempt may succeed.",
    errors.ServerForeign: "What answers on this port does not speak TDS as the driver knows it: check the port.",
    errors.ConnectionLost: "The server, or something between, ended the session; the next attempt may succeed.",
    errors.StatementTimeout: "Raise the statement time-out in the settings, or look again when the server is less busy.",
    errors.LockTimeout: "A session is changing the schema and has not ended its transaction; try again.",
    errors.ReadDisturbed: "The schema changed while it was read; the next attempt will see what is there then.",
    errors.VersionUnsupported: "The server does not have what is asked of it: see which versions are read.",
}


def grant_view_definition(user: str, schema: str | None = None) -> str:
    """The statement that makes a schema, or the whole database, readable; names always quoted: it is pasted, not read."""
    where = f" ON SCHEMA::{quoted(schema)}" if schema is not None else ""
    return f"GRANT VIEW DEFINITION{where} TO {quoted(user)};"


def create_login(user: str, database: str) -> str:
    """The least-privilege setup, to be pasted by an administrator."""
    name = quoted(user)
    return (
        f"CREATE LOGIN {name} WITH PASSWORD = '<choose one>';\n"
        f"USE {quoted(database)};  -- on Azure connect to the database instead\n"
        f"CREATE USER {name} FOR LOGIN {name};\n{grant_view_definition(user)}"
    )
