"""From what the driver, the network and the server say to errors with a next step."""

import re
import struct
from collections.abc import Iterable

from redshift_connector.error import Error

from metamapper.connectors import errors
from metamapper.connectors.engines.redshift.names import quoted
from metamapper.connectors.engines.redshift.settings import RedshiftSettings, SignIn, Tls
from metamapper.connectors.sql.redaction import redact
from metamapper.connectors.sql.sqlstates import meaning

# The driver reads the wire as it comes: what is cut off or foreign ends in whatever Python says of it.
DRIVER_ERRORS = (
    Error,
    OSError,
    struct.error,
    KeyError,
    IndexError,
    ValueError,
    AttributeError,
)

_SIGNS: tuple[tuple[re.Pattern[str], type[errors.ConnectorError]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), error)
    for pattern, error in (
        (r"password authentication failed|no password was provided|SCRAM", errors.SignInFailed),
        (r'(role|user) ".*" does not exist|not permitted to log in|authentication method', errors.SignInFailed),
        (r"SSL off|no encryption|requires SSL|must use an SSL", errors.TlsFailed),
        (r"no pg_hba.conf entry|pg_hba.conf rejects", errors.SignInFailed),
        (r'database ".*" does not exist', errors.DatabaseUnknown),
        (r"permission denied for database", errors.PermissionMissing),
        (r"too many|connection limit|connection slots", errors.TooManyConnections),
        (r"is starting up|is shutting down|paused|not available|in recovery|being resized", errors.ServerUnavailable),
        (r"BrokenPipe|connection is closed|connection reset|terminat|write to closed", errors.ConnectionLost),
    )
)


def from_driver(
    error: Exception, settings: RedshiftSettings, secrets: Iterable[str], *, connecting: bool = False
) -> errors.ConnectorError:
    """The error of a session that could not be opened, or of a statement that failed on an open one."""
    code, said = _said(error)
    said = redact(said, secrets)
    kind = _kind(error, code, said, connecting=connecting)
    hint, remedy = _advice(kind, said, settings)
    return kind(server_said=f"{said} ({code})" if code else said, hint=hint, remedy=remedy)


def _said(error: Exception) -> tuple[str, str]:
    """The SQLSTATE, if the server gave one, and its sentence; of what broke the driver only its kind."""
    first = error.args[0] if error.args else ""
    if isinstance(error, Error) and isinstance(first, dict):
        return str(first.get("C", "")), " ".join(str(first.get("M", "")).split())
    if isinstance(error, (Error, OSError)):
        return "", " ".join(str(error).split())
    return "", f"The answer makes no sense to the driver ({type(error).__name__})."


def _kind(error: Exception, code: str, said: str, *, connecting: bool) -> type[errors.ConnectorError]:
    """By its words first where a session is opened: one SQLSTATE stands for many reasons there."""
    by_words = next((kind for pattern, kind in _SIGNS if pattern.search(said)), None)
    if connecting and by_words:
        return by_words
    if code:
        return meaning(code) or by_words or errors.ConnectorError
    if isinstance(error, (Error, OSError)):
        return by_words or errors.ConnectionLost
    # Before anybody has signed in, a foreign answer is a foreign server; afterwards the session broke off within one.
    return errors.ServerForeign if connecting else errors.ConnectionLost


def connection_failed(error: OSError, settings: RedshiftSettings) -> errors.ConnectorError:
    """The error of a connection on which nobody has signed in."""
    kind: type[errors.ConnectorError] = errors.HostUnreachable
    if isinstance(error, TimeoutError):
        kind = errors.ConnectionTimeout
    elif isinstance(error, ConnectionRefusedError):
        kind = errors.ConnectionRefused
    elif isinstance(error, ConnectionError):
        kind = errors.ConnectionLost
    return kind(server_said=error.strerror or str(error), hint=_advice(kind, "", settings)[0])


def tls_failed(said: str, settings: RedshiftSettings) -> errors.TlsFailed:
    return errors.TlsFailed(server_said=said, hint=_tls_advice(said, settings))


def _advice(kind: type[errors.ConnectorError], said: str, settings: RedshiftSettings) -> tuple[str, str]:
    """What to do, and a statement to paste where one helps."""
    if kind is errors.SignInFailed and settings.sign_in is SignIn.PASSWORD:
        return _EITHER, create_user(settings.user, settings.database)
    if kind is errors.SignInFailed:
        return "The database does not take the user that AWS names: it must exist there and may not be disabled.", ""
    if kind is errors.TlsFailed:
        return _tls_advice(said, settings), ""
    return _HINTS.get(kind, ""), ""


def _tls_advice(said: str, settings: RedshiftSettings) -> str:
    if settings.tls is Tls.OFF:
        return "The cluster lets nobody in without TLS (require_ssl): set TLS to “Verify certificate and name”."
    if "no TLS" in said:
        return "Every Redshift offers TLS: what listens there may be something else."
    if "doesn't match" in said or "not valid for" in said:
        return "Use the endpoint's own name as the host: it stands in the server's certificate."
    return "Add the certificate authority that signed the server's certificate to the settings."


_EITHER = (
    "The user does not exist, or the password is another one; Redshift does not say which. If there is no such user yet, "
    "paste this as an administrator. It can read the catalog and nothing else."
)
_HINTS: dict[type[errors.ConnectorError], str] = {
    errors.ConnectionRefused: "Check host and port, and that the cluster is neither paused nor being resized.",
    errors.ConnectionTimeout: "Check host and port, and that the cluster's security group lets the workers in.",
    errors.HostUnreachable: "Check the address, and the network (VPC, peering) between it and the workers.",
    errors.DatabaseUnknown: "Check the spelling of the database.",
    errors.TooManyConnections: "Raise the user's CONNECTION LIMIT; three sessions suffice.",
    errors.ServerUnavailable: "It is paused, starting or being resized; a later attempt may succeed.",
    errors.ServerForeign: "What answers on this port does not speak Redshift: check the port.",
    errors.ConnectionLost: "The server, or something between, ended the session; the next attempt may succeed.",
    errors.StatementTimeout: "Raise the statement time-out in the settings, or look again when the cluster is less busy.",
    errors.ReadDisturbed: "Something was dropped while it was read; the next attempt will see what is there then.",
    errors.PermissionMissing: "The connection test names what may not be read.",
}


def create_user(user: str, database: str, schema: str = "<schema>") -> str:
    """The least-privilege setup, to be pasted by an administrator."""
    return (
        f"CREATE USER {quoted(user)} PASSWORD '<choose one>' CONNECTION LIMIT 3;\n"
        f"GRANT CONNECT ON DATABASE {quoted(database)} TO {quoted(user)};\n"
        f"-- then, for each schema to be seen:\nGRANT USAGE ON SCHEMA {schema} TO {quoted(user)};"
    )


def grant_usage(schema: str, user: str) -> str:
    """The statement that makes a schema readable."""
    return f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {quoted(user)};"
