"""From what python-oracledb, the listener and the server say to errors with a next step.

https://docs.oracle.com/en/error-help/db/ for ORA numbers, the driver's ``errors`` for DPY numbers.
"""

import re
import ssl

from metamapper.connectors import errors
from metamapper.connectors.engines.oracle.names import as_stored, create_user, grant_dictionary
from metamapper.connectors.engines.oracle.settings import OracleSettings, Tls
from metamapper.connectors.sql.redaction import redact

_CODE = re.compile(r"\b(ORA|DPY)-(\d{4,5})")

_MEANING: dict[type[errors.ConnectorError], tuple[str, ...]] = {
    errors.SignInFailed: ("ORA-01017", "ORA-28000", "ORA-28001", "ORA-01005", "DPY-4001", "DPY-3015"),
    errors.DatabaseUnknown: ("ORA-12514", "ORA-12505", "DPY-6001", "DPY-6003", "ORA-12521"),
    errors.PermissionMissing: ("ORA-01045", "ORA-00942", "ORA-01031", "ORA-01720"),
    errors.TooManyConnections: ("ORA-00018", "ORA-00020", "ORA-02391", "ORA-12516", "ORA-12519", "ORA-12520"),
    errors.ServerUnavailable: (
        "ORA-01033",
        "ORA-01034",
        "ORA-01089",
        "ORA-01090",
        "ORA-12526",
        "ORA-12528",
        "ORA-12757",
    ),
    errors.TlsFailed: ("DPY-6006", "DPY-6002", "DPY-3001", "ORA-28759", "ORA-28860", "ORA-29024"),
    errors.VersionUnsupported: ("DPY-3010",),
    errors.StatementTimeout: ("DPY-4024", "ORA-03156", "ORA-01013"),
    errors.ReadDisturbed: ("ORA-01555", "ORA-08103", "ORA-01466", "ORA-04021", "ORA-00054"),
    errors.ConnectionLost: (
        "DPY-4011",
        "DPY-1001",
        "ORA-00028",
        "ORA-02396",
        "ORA-03113",
        "ORA-03114",
        "ORA-03135",
        "ORA-12537",
    ),
    errors.ConnectionRefused: ("ORA-12541",),
    errors.ServerForeign: ("DPY-5001", "DPY-5003", "DPY-5004", "DPY-5005", "DPY-5006", "DPY-5000", "DPY-5002"),
}
_BY_CODE = {code: kind for kind, codes in _MEANING.items() for code in codes}


def from_driver(
    error: Exception, settings: OracleSettings, *, connecting: bool = False, gave_up: bool = False
) -> errors.ConnectorError:
    """The error of a connection that could not be made, or of a statement that failed on an open one.

    ``gave_up`` tells that the connection was ended from our side, for the server said nothing in time.
    """
    said = redact(_said(error), settings.secrets())
    kind = errors.ConnectionTimeout if gave_up else _kind(error, said, connecting=connecting)
    hint, remedy = _advice(kind, said, settings)
    return kind(server_said=said, hint=hint, remedy=remedy)


def _said(error: Exception) -> str:
    """The sentence without the driver's preamble, its addresses of help and ids of connections."""
    lines = [line for line in str(error).splitlines() if not line.startswith("Help:")]
    if len(lines) > 1 and lines[0].startswith("DPY-6005"):
        lines = lines[1:]
    return " ".join(" ".join(lines).split())


def _kind(error: Exception, said: str, *, connecting: bool) -> type[errors.ConnectorError]:
    for family, number in reversed(_CODE.findall(said)):
        found = _BY_CODE.get(f"{family}-{number.zfill(5) if family == 'ORA' else number}")
        if found:
            return found
    by_cause = _by_cause(error if isinstance(error, OSError) else error.__cause__)
    if by_cause:
        return by_cause
    return errors.HostUnreachable if connecting and "DPY-6005" in str(error) else errors.ConnectorError


def _by_cause(cause: BaseException | None) -> type[errors.ConnectorError] | None:
    """What the network itself said, where the driver only repeats it."""
    kinds: tuple[tuple[type[BaseException], type[errors.ConnectorError]], ...] = (
        (ssl.SSLError, errors.TlsFailed),
        (ConnectionRefusedError, errors.ConnectionRefused),
        (TimeoutError, errors.ConnectionTimeout),
        (ConnectionError, errors.ConnectionLost),
        (OSError, errors.HostUnreachable),
    )
    return next((kind for known, kind in kinds if isinstance(cause, known)), None)


def connection_failed(error: OSError, settings: OracleSettings) -> errors.ConnectorError:
    """The error of a bare connection, made to see who listens."""
    kind = _by_cause(error) or errors.HostUnreachable
    said = error.strerror or str(error)
    return kind(server_said=said, hint=_advice(kind, said, settings)[0])


def _advice(kind: type[errors.ConnectorError], said: str, settings: OracleSettings) -> tuple[str, str]:
    """What to do, and a statement to paste where one helps."""
    if kind is errors.SignInFailed:
        return next((hint for code, hint in _SIGN_IN.items() if code in said), _EITHER), create_user(
            as_stored(settings.user)
        )
    if kind is errors.PermissionMissing and "ORA-01045" in said:
        return "Paste this as an administrator.", f'GRANT CREATE SESSION TO "{as_stored(settings.user)}"'
    if kind is errors.PermissionMissing:
        return "Paste this as an administrator: it shows definitions and no row.", grant_dictionary(
            as_stored(settings.user)
        )
    if kind is errors.TlsFailed:
        return _tls_advice(said, settings), ""
    return _HINTS.get(kind, ""), ""


def _tls_advice(said: str, settings: OracleSettings) -> str:
    if "DPY-3001" in said:
        return (
            "The server insists on Oracle's own network encryption, which needs its client; let it accept TCPS instead."
        )
    if "WRONG_VERSION" in said or "EOF" in said:
        return (
            "This port does not speak TLS: give the port of the listener's TCPS address, or set TLS to “TCP” knowingly."
        )
    if "DPY-6006" in said or "DPY-6002" in said:
        return "Use the name that stands in the server's certificate as the host."
    if settings.tls is Tls.OFF:
        return "The listener wants TLS on this port: set TLS to “TCPS: verify certificate and name”."
    return "Add the certificate authority that signed the server's certificate to the settings."


_EITHER = (
    "The user does not exist, or the password is another one; Oracle does not say which. Names without quotes are capitals. "
    "If there is no such user yet, paste this as an administrator. It can read the dictionary and no table."
)
_SIGN_IN = {
    "ORA-28000": "The account is locked: an administrator unlocks it with ALTER USER … ACCOUNT UNLOCK.",
    "ORA-28001": "The password has expired: give the user a new one.",
    "DPY-3015": "The password is kept in a form of before 12c: set it anew, so that it gets today's.",
}
_HINTS: dict[type[errors.ConnectorError], str] = {
    errors.ConnectionRefused: "Check host and port, and that the listener runs (lsnrctl status).",
    errors.ConnectionTimeout: "Check host and port, and that no firewall drops what the workers send.",
    errors.HostUnreachable: "Check the address, and the network between it and the workers.",
    errors.DatabaseUnknown: "The listener does not know this service or SID: lsnrctl status lists those it knows.",
    errors.TooManyConnections: "Raise SESSIONS_PER_USER of the user's profile or the server's sessions and processes.",
    errors.ServerUnavailable: "The instance is starting, stopping or restricted; the next attempt may succeed.",
    errors.ServerForeign: "What answers on this port does not speak Oracle Net: check the port.",
    errors.ConnectionLost: "The server, or something between, ended the session; the next attempt may succeed. On a first "
    "connection, check that the port is a listener's.",
    errors.StatementTimeout: "Raise the statement time-out in the settings, or look again when the server is less busy.",
    errors.ReadDisturbed: "The dictionary changed too much while it was read; the next attempt sees it as it is then.",
    errors.VersionUnsupported: "12.1 and later are read.",
}
