"""From what DuckDB says to errors with a next step. It has no codes: its exceptions' types and texts are all there is."""

import re

import duckdb

from metamapper.connectors import errors

# Looked at from the surest sign to the vaguest.
_SIGNS: tuple[tuple[re.Pattern[str], type[errors.ConnectorError], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), error, hint)
    for pattern, error, hint in (
        (r"could not set lock", errors.LockTimeout, "A program has the file open to write; try again when it is done."),
        (
            r"different configuration",
            errors.LockTimeout,
            "This very process has the file open to write; try again when it is done.",
        ),
        (
            r"storage version|newer version|older version|version number",
            errors.VersionUnsupported,
            "Another release of the Python package “duckdb” reads this file: install it, or export the file anew.",
        ),
        (
            r"encrypt|decrypt|crypto",
            errors.FileUnreadable,
            "The file is encrypted; only files without encryption are read.",
        ),
        (
            r"corrupt|checksum|serializ|deserializ",
            errors.FileUnreadable,
            "The file is damaged: restore it, or export what can still be read.",
        ),
        (
            r"not a valid DuckDB|external extensions is disabled|extension",
            errors.FileUnreadable,
            "This is not a DuckDB database, or it needs an extension.",
        ),
        (
            r"permission denied|cannot open file|is a directory|does not exist|could not read",
            errors.FileUnreadable,
            "Let the account of the workers read the file and its folder.",
        ),
        (r"out of memory", errors.ConnectorError, "The catalog needs more memory than a read may take."),
    )
)


def translated(error: duckdb.Error) -> errors.ConnectorError:
    said = " ".join(str(error).split())
    if isinstance(error, duckdb.InterruptException):
        return errors.StatementTimeout(server_said=said)
    for pattern, kind, hint in _SIGNS:
        if pattern.search(said):
            # Who holds a lock is told with the path of a program and its process: nobody's business.
            return kind(server_said="" if kind is errors.LockTimeout else said, hint=hint)
    kind = errors.FileUnreadable if isinstance(error, duckdb.IOException) else errors.ConnectorError
    return kind(server_said=said)
