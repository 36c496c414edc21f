"""From SQLite's result codes to errors with a next step. See https://www.sqlite.org/rescode.html."""

import sqlite3

from metamapper.connectors import errors

_MEANING: dict[int, tuple[type[errors.ConnectorError], str]] = {
    sqlite3.SQLITE_PERM: (errors.PermissionMissing, "Let the account of the workers read the file and its folder."),
    sqlite3.SQLITE_AUTH: (errors.PermissionMissing, "Let the account of the workers read the file and its folder."),
    sqlite3.SQLITE_BUSY: (errors.LockTimeout, "Another program is writing; the next attempt may succeed."),
    sqlite3.SQLITE_LOCKED: (errors.LockTimeout, "Another program is writing; the next attempt may succeed."),
    sqlite3.SQLITE_INTERRUPT: (errors.StatementTimeout, "Look again when the machine is less busy."),
    sqlite3.SQLITE_IOERR: (errors.ConnectionLost, "The disk or network share failed; the next attempt may succeed."),
    sqlite3.SQLITE_CORRUPT: (
        errors.FileUnreadable,
        "The file is damaged; `sqlite3 FILE .recover` may save what is left.",
    ),
    sqlite3.SQLITE_NOTADB: (errors.FileUnreadable, "This is not a SQLite database, or it is encrypted."),
    sqlite3.SQLITE_CANTOPEN: (
        errors.FileUnreadable,
        "Let the account of the workers read the file and its folder (a database in WAL mode needs its folder, too).",
    ),
    sqlite3.SQLITE_READONLY: (
        errors.FileUnreadable,
        "A database in WAL mode that was not closed properly must be opened once by a program that may write.",
    ),
    sqlite3.SQLITE_SCHEMA: (errors.ReadDisturbed, "The schema changed in mid-read; the next attempt will see it."),
}
_PRIMARY = 0xFF
"""The lowest byte of an extended result code is the primary one."""


def translated(error: sqlite3.Error) -> errors.ConnectorError:
    code = getattr(error, "sqlite_errorcode", None) or 0
    kind, hint = _MEANING.get(code & _PRIMARY, (errors.ConnectorError, ""))
    name = getattr(error, "sqlite_errorname", "")
    return kind(server_said=f"{error} ({name})" if name else str(error), hint=hint)
