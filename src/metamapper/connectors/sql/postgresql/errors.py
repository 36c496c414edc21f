"""From what psycopg, libpq and the server say to errors with a next step."""

import re
from collections.abc import Iterable

import psycopg

from metamapper.connectors import errors
from metamapper.connectors.sql.postgresql.names import quoted
from metamapper.connectors.sql.postgresql.settings import PostgresqlSettings, Tls
from metamapper.connectors.sql.redaction import redact
from metamapper.connectors.sql.sqlstates import meaning

# A failed connection carries no SQLSTATE, only libpq's text: looked at from the surest sign to the vaguest.
_SIGNS: tuple[tuple[re.Pattern[str], type[errors.ConnectorError]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), error)
    for pattern, error in (
        (r"password authentication failed|no password supplied|SCRAM|authentication failed for", errors.SignInFailed),
        (r'role ".*" does not exist|not permitted to log in|authentication method', errors.SignInFailed),
        (r"pg_hba.conf (entry|rejects).*(SSL off|no encryption)", errors.TlsFailed),
        (r"no pg_hba.conf entry|pg_hba.conf rejects", errors.SignInFailed),
        (r'database ".*" does not exist|not currently accepting connections', errors.DatabaseUnknown),
        (r"permission denied for database", errors.PermissionMissing),
        (r"too many (clients|connections)|connection slots are reserved", errors.TooManyConnections),
        (r"is starting up|is shutting down|in recovery mode|not accepting connections", errors.ServerUnavailable),
        (r"definition of service", errors.SettingsInvalid),
        (
            r"invalid response to SSL negotiation|expected authentication request|unsupported frontend",
            errors.ServerForeign,
        ),
        (r"SSL|certificate|TLS", errors.TlsFailed),
        (r"connection refused|No such file or directory", errors.ConnectionRefused),
        (r"timeout expired|timed out|connection timeout", errors.ConnectionTimeout),
        (r"no route to host|network is unreachable|host is down", errors.HostUnreachable),
        (r"translate host name|name or service not known", errors.HostUnknown),
        (r"closed the connection|connection reset|terminat|broken pipe|connection is lost", errors.ConnectionLost),
    )
)


def from_connecting(error: psycopg.Error, settings: PostgresqlSettings) -> errors.ConnectorError:
    """The error of a connection that could not be made."""
    said = _said(error, settings.secrets())
    kind = errors.ConnectionTimeout if isinstance(error, psycopg.errors.ConnectionTimeout) else _by_sign(said)
    hint, remedy = _advice(kind, said, settings)
    return kind(server_said=said, hint=hint, remedy=remedy)


def from_statement(error: psycopg.Error, settings: PostgresqlSettings) -> errors.ConnectorError:
    """The error of a statement that failed on an open session."""
    said = _said(error, settings.secrets())
    kind = meaning(error.sqlstate)
    if kind is None:
        lost = isinstance(error, psycopg.OperationalError) and error.sqlstate is None
        kind = errors.ConnectionLost if lost else errors.ConnectorError
    hint, remedy = _advice(kind, said, settings)
    code = f" ({error.sqlstate})" if error.sqlstate else ""
    return kind(server_said=said + code, hint=hint, remedy=remedy)


def connection_failed(error: OSError, settings: PostgresqlSettings) -> errors.ConnectorError:
    """The error of a bare connection, made to see who listens."""
    kind: type[errors.ConnectorError] = errors.HostUnreachable
    if isinstance(error, TimeoutError):
        kind = errors.ConnectionTimeout
    elif isinstance(error, ConnectionRefusedError):
        kind = errors.ConnectionRefused
    elif isinstance(error, ConnectionError):
        kind = errors.ConnectionLost
    return kind(server_said=error.strerror or str(error), hint=_advice(kind, "", settings)[0])


def tls_failed(said: str, settings: PostgresqlSettings) -> errors.TlsFailed:
    return errors.TlsFailed(server_said=said, hint=_tls_advice(said, settings))


def _by_sign(said: str) -> type[errors.ConnectorError]:
    return next((kind for pattern, kind in _SIGNS if pattern.search(said)), errors.ConnectorError)


def _said(error: psycopg.Error, secrets: Iterable[str]) -> str:
    """The server's own sentence: without libpq's preamble, without a secret."""
    text = error.diag.message_primary or str(error)
    text = re.sub(r"^connection failed: ", "", text.strip())
    text = re.sub(r"^connection to server (at|on) .*? failed: ", "", text, flags=re.DOTALL)
    text = re.sub(r"^(FATAL|ERROR): +", "", text)
    return redact(" ".join(text.split()), secrets)


def _advice(kind: type[errors.ConnectorError], said: str, settings: PostgresqlSettings) -> tuple[str, str]:
    """What to do, and a statement to paste where one helps."""
    role, database = quoted(settings.user), quoted(settings.database)
    if kind is errors.SignInFailed and "pg_hba" in said:
        return "The server's pg_hba.conf has no line that lets this user in from where the workers run.", ""
    if kind is errors.SignInFailed:
        advice = f"There is no such user. {_PASTE}" if "does not exist" in said else f"{_EITHER} {_CREATE}"
        return advice, create_role(settings)
    if kind is errors.PermissionMissing and "database" in said:
        return "Paste this as an administrator.", f"GRANT CONNECT ON DATABASE {database} TO {role};"
    if kind is errors.TlsFailed:
        return _tls_advice(said, settings), ""
    return _HINTS.get(kind, ""), ""


def _tls_advice(said: str, settings: PostgresqlSettings) -> str:
    if settings.tls_mode is Tls.OFF:
        return "The server lets nobody like this in without TLS: set TLS to “Verify certificate and name”."
    if "does not support SSL" in said:
        return "The server offers no TLS: switch `ssl = on` there, or set TLS to “No TLS” knowingly."
    if "does not match host name" in said:
        return "Use the name that stands in the server's certificate as the host."
    return "Add the certificate authority that signed the server's certificate to the settings."


_EITHER = "The user does not exist, or the password is another one; PostgreSQL does not say which."
_PASTE = "Paste this as an administrator. The new user can read the catalog and nothing else."
_CREATE = "If there is no such user yet, paste this as an administrator. It can read the catalog and nothing else."
_HINTS: dict[type[errors.ConnectorError], str] = {
    errors.ConnectionRefused: "Check host and port, and that the server listens on this address (listen_addresses).",
    errors.ConnectionTimeout: "Check host and port, and that no firewall drops what the workers send.",
    errors.HostUnreachable: "Check the address, and the network between it and the workers.",
    errors.DatabaseUnknown: "Check the spelling; capitals count.",
    errors.TooManyConnections: "Raise the role's CONNECTION LIMIT or the server's max_connections; three sessions suffice.",
    errors.ServerUnavailable: "It is starting or stopping; the next attempt may succeed.",
    errors.ServerForeign: "What answers on this port does not speak PostgreSQL: check the port.",
    errors.ConnectionLost: "The server, or something between, ended the session; the next attempt may succeed.",
    errors.StatementTimeout: "Raise the statement time-out in the settings, or look again when the server is less busy.",
    errors.LockTimeout: "A session keeps a table locked (ALTER TABLE, VACUUM FULL); the next attempt may succeed.",
    errors.ReadDisturbed: "Something was dropped while it was read; the next attempt will see what is there then.",
    errors.SettingsInvalid: "The environment variable PGSERVICE is set where the workers run; remove it there.",
}


def create_role(settings: PostgresqlSettings, schema: str = "<schema>") -> str:
    """The least-privilege setup, to be pasted by an administrator."""
    role = quoted(settings.user)
    return (
        f"CREATE ROLE {role} LOGIN\n  PASSWORD '<choose one>'\n  CONNECTION LIMIT 3;\n"
        f"GRANT CONNECT ON DATABASE {quoted(settings.database)}\n  TO {role};\n"
        f"-- then, for each schema to be seen:\nGRANT USAGE ON SCHEMA {schema}\n  TO {role};"
    )


def grant_usage(schema: str, role: str) -> str:
    """The statement that makes a schema readable, names always quoted: it is pasted, not read."""
    return 'GRANT USAGE ON SCHEMA "{}" TO "{}";'.format(schema.replace('"', '""'), role.replace('"', '""'))
