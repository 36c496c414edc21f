"""From what PyMySQL and the server say to errors with a next step.

Numbers: https://dev.mysql.com/doc/mysql-errors/en/server-error-reference.html and https://mariadb.com/kb/en/mariadb-error-codes/.
"""

import re
import ssl
import struct
from collections.abc import Iterable

import pymysql

from metamapper.connectors import errors
from metamapper.connectors.sql.mysql.names import account, pattern, text
from metamapper.connectors.sql.mysql.settings import MysqlSettings, Tls
from metamapper.connectors.sql.redaction import redact

Kind = type[errors.ConnectorError]

GARBLED = (AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, struct.error)
"""What the driver trips over where the other side does not speak the protocol, or asks for what is refused."""

ACCESS_DENIED = 1045
HOST_BLOCKED = 1129
HOST_REFUSED = 1130
_NUMBERS: dict[int, Kind] = {
    1040: errors.TooManyConnections,
    1041: errors.ServerUnavailable,  # out of memory
    1044: errors.PermissionMissing,  # to a database
    ACCESS_DENIED: errors.SignInFailed,
    1049: errors.DatabaseUnknown,
    1053: errors.ConnectionLost,  # the server shuts down
    HOST_BLOCKED: errors.ServerUnavailable,
    HOST_REFUSED: errors.SignInFailed,
    1142: errors.PermissionMissing,
    1143: errors.PermissionMissing,
    1146: errors.ReadDisturbed,
    1203: errors.TooManyConnections,
    1205: errors.LockTimeout,
    1226: errors.TooManyConnections,
    1227: errors.PermissionMissing,
    1251: errors.SignInFailed,  # a way to sign in that is not spoken here
    1317: errors.ConnectionLost,  # somebody else ended the statement
    1356: errors.ReadDisturbed,
    1370: errors.PermissionMissing,
    1524: errors.SignInFailed,
    1698: errors.SignInFailed,
    1820: errors.SignInFailed,  # the password has expired
    1862: errors.SignInFailed,
    1927: errors.ConnectionLost,  # killed
    1969: errors.StatementTimeout,
    2026: errors.TlsFailed,
    2059: errors.SignInFailed,
    3024: errors.StatementTimeout,
    3118: errors.SignInFailed,  # the account is locked
    3159: errors.TlsFailed,  # the server takes encrypted sessions only
    3169: errors.ConnectionLost,  # killed
    3955: errors.SignInFailed,  # locked for a while, after too many wrong passwords
    4031: errors.ConnectionLost,  # idle for too long
    4151: errors.SignInFailed,  # locked
}
_LOST = frozenset({0, 2003, 2006, 2013, 2055})
"""Numbers of the driver's own: what happened is in the exception behind it."""


def from_connecting(error: Exception, settings: MysqlSettings) -> errors.ConnectorError:
    """The error of a connection that could not be made, from the socket to the sign-in."""
    kind = _kind(error)
    said = _said(error, settings.secrets())
    if kind is errors.ConnectionLost and isinstance(_behind(error), TimeoutError):
        kind = errors.ConnectionTimeout
    if kind is None:
        kind = errors.TlsFailed if "insecure transport" in said else errors.ConnectorError
    if kind is errors.DriverMissing:
        return errors.DriverMissing(server_said=said, hint="pip install 'PyMySQL[ed25519]' where the workers run.")
    hint, remedy = _advice(kind, _number(error), said, settings)
    return kind(server_said=said, hint=hint, remedy=remedy)


def from_statement(error: Exception, settings: MysqlSettings) -> errors.ConnectorError:
    """The error of a statement that failed on an open session."""
    kind = _kind(error) or errors.ConnectorError
    said, number = _said(error, settings.secrets()), _number(error)
    hint, remedy = _advice(kind, number, said, settings)
    return kind(server_said=f"{said} ({number})" if number else said, hint=hint, remedy=remedy)


def _number(error: Exception) -> int:
    number = error.args[0] if isinstance(error, pymysql.Error) and error.args else 0
    return number if isinstance(number, int) else 0


def _kind(error: Exception) -> Kind | None:
    if isinstance(error, GARBLED):
        return errors.DriverMissing if "package is required" in str(error) else errors.ServerForeign
    if isinstance(error, pymysql.Error) and error.args and isinstance(error.args[0], str):
        return errors.ServerForeign  # the driver's own words for packets that make no sense
    number = _number(error)
    if number in _NUMBERS:
        return _NUMBERS[number]
    return _of_socket(_behind(error)) if isinstance(error, OSError) or number in _LOST else None


def _behind(error: Exception) -> BaseException | None:
    """The operating system's own exception."""
    if isinstance(error, OSError):
        return error
    return getattr(error, "original_exception", None) or error.__context__


def _of_socket(error: BaseException | None) -> Kind:
    if isinstance(error, ssl.SSLError):
        return errors.TlsFailed
    if isinstance(error, TimeoutError):
        return errors.ConnectionTimeout
    if isinstance(error, (ConnectionRefusedError, FileNotFoundError)):
        return errors.ConnectionRefused
    if isinstance(error, OSError) and not isinstance(error, ConnectionError):
        return errors.HostUnreachable
    return errors.ConnectionLost


def _said(error: Exception, secrets: Iterable[str]) -> str:
    """The server's own sentence, without the driver's number, without a secret."""
    behind = _behind(error)
    if isinstance(behind, ssl.SSLCertVerificationError):
        said = behind.verify_message
    elif isinstance(error, pymysql.Error):
        said = str(error.args[-1]) if error.args else ""
    else:
        said = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    return redact(" ".join(said.split()), secrets)


def _advice(kind: Kind, number: int, said: str, settings: MysqlSettings) -> tuple[str, str]:
    """What to do, and a statement to paste where one helps."""
    if number == HOST_BLOCKED:
        return "Too many connections from the workers broke off. Paste this as an administrator.", "FLUSH HOSTS;"
    if kind is errors.SignInFailed:
        return _sign_in_advice(number, settings), create_account(settings)
    if kind is errors.PermissionMissing and settings.database:
        name = account_of(said) or f"{text(settings.user)}@'%'"
        return "Paste this as an administrator.", grant_read(settings.database, name)
    if kind is errors.TlsFailed:
        return _tls_advice(said, settings), ""
    return _HINTS.get(kind, ""), ""


def _sign_in_advice(number: int, settings: MysqlSettings) -> str:
    if number == HOST_REFUSED:
        return "The server knows no account that may come from where the workers run."
    if number not in {ACCESS_DENIED, 1698}:
        return "The account signs in in another way, is locked, or needs a new password: see what the server said."
    if settings.tls_mode is Tls.OFF:
        return f"{_EITHER} An account may also demand TLS (REQUIRE SSL)."
    return _EITHER


def _tls_advice(said: str, settings: MysqlSettings) -> str:
    if settings.tls_mode is Tls.OFF:
        return "The server lets nobody in without TLS: set TLS to “Verify certificate and name”."
    if "doesn't support" in said:
        return "The server offers no TLS: give it a certificate (ssl_cert, ssl_key), or set TLS to “No TLS” knowingly."
    if "mismatch" in said or "not valid for" in said:
        return "Use the name that stands in the server's certificate as the host."
    return "Add the certificate authority that signed the server's certificate to the settings."


_EITHER = (
    "There is no such account for where the workers run, or the password is another one; the server does not say which."
)
_HINTS: dict[Kind, str] = {
    errors.ConnectionRefused: "Check host and port, and that the server listens on this address (bind_address).",
    errors.ConnectionTimeout: "Check host and port, and that no firewall drops what the workers send.",
    errors.HostUnreachable: "Check the address, and the network between it and the workers.",
    errors.DatabaseUnknown: "Check the spelling; on most servers capitals count.",
    errors.TooManyConnections: "Raise MAX_USER_CONNECTIONS of the account or max_connections; three sessions suffice.",
    errors.ServerUnavailable: "It is short of memory, starting or stopping; the next attempt may succeed.",
    errors.ServerForeign: "What answers on this port does not speak MySQL as a server should: check host and port.",
    errors.ConnectionLost: "The server, or something between, ended the session; the next attempt may succeed.",
    errors.StatementTimeout: "Raise the statement time-out in the settings, or look again when the server is less busy.",
    errors.LockTimeout: "A session keeps a table locked (ALTER TABLE, LOCK TABLES); the next attempt may succeed.",
    errors.ReadDisturbed: "Something was dropped while it was read; the next attempt will see what is there then.",
}


def account_of(said: str) -> str | None:
    """The account as an error tells it, which quotes it badly: ``for user 'o'hara'@'%' to database 'shop'``."""
    found = re.search(r"for user '(.*)'@'(.*?)' to database", said)
    return account(f"{found[1]}@{found[2]}") if found else None


def create_account(settings: MysqlSettings) -> str:
    """The least-privilege setup, to be pasted by an administrator."""
    name = f"{text(settings.user)}@'%'"
    schema = pattern(settings.database, literal=False) if settings.database else "<database>"
    return (
        f"CREATE USER {name}\n  IDENTIFIED BY '<choose one>'\n  WITH MAX_USER_CONNECTIONS 3;\n"
        f"GRANT SHOW DATABASES ON *.* TO {name};\n"
        f"-- then, for each database to be seen:\nGRANT SELECT, SHOW VIEW ON {schema}.*\n  TO {name};"
    )


def grant_read(schema: str, name: str, *, literal: bool = False) -> str:
    """The statement that makes a schema readable; ``name`` is an account as a GRANT spells it."""
    return f"GRANT SELECT, SHOW VIEW ON {pattern(schema, literal=literal)}.* TO {name};"


def grant_to(schema: str, user_and_host: str, *, literal: bool) -> str:
    return grant_read(schema, account(user_and_host), literal=literal)
