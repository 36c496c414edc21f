"""What can go wrong between us and a datastore, as types that carry the next step.

An engine translates its driver's exceptions into these at its rim; no driver exception leaves ``connectors``. Texts
never hold a secret: ``server_said`` is the server's own sentence after redaction.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class ConnectorError(Exception):
    """A datastore could not be read.

    ``code`` is stable and stored (``connection.refused``); ``permanent`` tells whether trying again without a
    person's help can work; ``hint`` is what to do, ``remedy`` a statement to paste, ``unseen`` what the catalog does not
    see until then.
    """

    code: ClassVar[str] = "connector.unknown"
    title: ClassVar[str] = "The datastore could not be read"
    permanent: ClassVar[bool] = False
    in_clear = False
    """Whether a server that was to be spoken to over TLS said it before anything was encrypted."""

    def __init__(
        self, detail: str = "", *, server_said: str = "", hint: str = "", remedy: str = "", unseen: str = ""
    ) -> None:
        super().__init__(detail or (f"{self.title}: {server_said}" if server_said else self.title))
        self.detail = detail
        self.server_said = server_said
        self.hint = hint
        self.remedy = remedy
        self.unseen = unseen

    def as_dict(self) -> Mapping[str, Any]:
        """The error as JSON values, as a run records it and a page shows it."""
        return {
            "code": self.code,
            "title": self.title,
            "permanent": self.permanent,
            "detail": self.detail,
            "server_said": self.server_said,
            "hint": self.hint,
            "remedy": self.remedy,
            "unseen": self.unseen,
        }


class SettingsInvalid(ConnectorError):
    code = "settings.invalid"
    title = "The connection settings are not valid"
    permanent = True


class DriverMissing(ConnectorError):
    code = "driver.missing"
    title = "The driver for this engine is not installed"
    permanent = True


class HostUnknown(ConnectorError):
    code = "host.unknown"
    title = "The host name is not known"


class AddressDenied(ConnectorError):
    code = "host.denied"
    title = "This address may not be connected to"
    permanent = True


class HostUnreachable(ConnectorError):
    code = "host.unreachable"
    title = "There is no way to this host"


class ConnectionRefused(ConnectorError):
    code = "connection.refused"
    title = "Nothing listens on this port"


class ConnectionTimeout(ConnectorError):
    code = "connection.timeout"
    title = "The server did not answer in time"


class ConnectionLost(ConnectorError):
    code = "connection.lost"
    title = "The connection was cut"


class ServerForeign(ConnectorError):
    code = "server.foreign"
    title = "Something else listens on this port"
    permanent = True


class ServerUnavailable(ConnectorError):
    code = "server.unavailable"
    title = "The server is not ready for sessions"


class Throttled(ConnectorError):
    code = "server.throttled"
    title = "The service asks for fewer calls than it gets"


class TooManyConnections(ConnectorError):
    code = "connection.too_many"
    title = "The server has no connection to spare"


class TlsFailed(ConnectorError):
    code = "tls.failed"
    title = "A trusted, encrypted connection could not be made"
    permanent = True


class SignInFailed(ConnectorError):
    code = "sign_in.failed"
    title = "The server refused this user with this password"
    permanent = True


class DatabaseUnknown(ConnectorError):
    code = "database.unknown"
    title = "The server has no such database"
    permanent = True


class PermissionMissing(ConnectorError):
    code = "permission.missing"
    title = "The account may not read what is needed"
    permanent = True


class VersionUnsupported(ConnectorError):
    code = "version.unsupported"
    title = "This version of the engine is not supported"
    permanent = True


class StatementTimeout(ConnectorError):
    code = "statement.timeout"
    title = "A catalog statement took too long"


class LockTimeout(ConnectorError):
    code = "lock.timeout"
    title = "Another session held a lock for too long"


class ReadDisturbed(ConnectorError):
    code = "read.disturbed"
    title = "The catalog changed in mid-read, so that it could not be read to its end"


class FileUnreadable(ConnectorError):
    code = "file.unreadable"
    title = "The file could not be read"
    permanent = True


class Cancelled(ConnectorError):
    code = "cancelled"
    title = "The read was cancelled"
    permanent = True
