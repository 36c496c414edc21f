"""What a SQLSTATE means for us. Classes are the standard's (ISO/IEC 9075), exact codes PostgreSQL's and its relatives'."""

from metamapper.connectors import errors

_MEANING: dict[str, type[errors.ConnectorError]] = {
    "08": errors.ConnectionLost,
    "28": errors.SignInFailed,
    "3D": errors.DatabaseUnknown,
    "40": errors.ReadDisturbed,
    "42501": errors.PermissionMissing,
    "42P01": errors.ReadDisturbed,  # the catalog itself is always there: a relation vanished under a definition
    "53300": errors.TooManyConnections,
    "55P03": errors.LockTimeout,
    "57014": errors.StatementTimeout,
    "57P01": errors.ConnectionLost,
    "57P02": errors.ConnectionLost,
    "57P03": errors.ServerUnavailable,
    "57P05": errors.ConnectionLost,
    "25P03": errors.ConnectionLost,
    "25P04": errors.ConnectionLost,
    "XX000": errors.ReadDisturbed,  # "cache lookup failed": how a server says that something was dropped meanwhile
}


def meaning(sqlstate: str | None) -> type[errors.ConnectorError] | None:
    """The error type of an exact code, else of its class, else None."""
    code = sqlstate or ""
    return _MEANING.get(code) or _MEANING.get(code[:2])
