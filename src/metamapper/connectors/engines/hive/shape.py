"""What a metastore's database has of the tables that a read needs: told by the columns, for versions are not always noted."""

from collections.abc import Mapping, Sequence
from typing import Any

from metamapper.connectors import errors
from metamapper.connectors.diagnosis import NOTHING_READ
from metamapper.connectors.engines.hive.rights import grants
from metamapper.connectors.engines.hive.settings import HiveSettings
from metamapper.connectors.engines.hive.statements import HIVE_2, HIVE_3, HIVE_4, NEEDED
from metamapper.connectors.engines.hive.stores import Store


def version_of(store: Store, settings: HiveSettings, rows: Sequence[Mapping[str, Any]]) -> int:
    """How the statements count this metastore; raises a ``ConnectorError`` where something is not there or not readable."""
    readable: dict[str, dict[str, bool]] = {}
    for row in rows:
        # MySQL tells names in small letters where lower_case_table_names says so, and takes them in any.
        table, column = (str(row[name]).upper() for name in ("table_name", "column_name"))
        readable.setdefault(table, {})[column] = bool(row["readable"])
    closed = [
        table
        for table, columns in NEEDED.items()
        if not all(readable.get(table, {}).get(name, True) for name in columns)
    ]
    missing = [table for table in NEEDED if table not in readable]
    if closed or missing:
        raise _refused(store, settings, closed, missing)
    lacking = [f"{table}.{name}" for table, names in NEEDED.items() for name in names if name not in readable[table]]
    if lacking:
        raise errors.VersionUnsupported(
            f"The metastore has no {', '.join(lacking)}; 2.3 and later are read.",
            hint="Upgrade its schema with schematool, which comes with Hive.",
        )
    databases = readable["DBS"]
    if "DATACONNECTOR_NAME" in databases:
        return HIVE_4
    return HIVE_3 if "CTLG_NAME" in databases else HIVE_2


def _refused(store: Store, settings: HiveSettings, closed: list[str], missing: list[str]) -> errors.ConnectorError:
    """Servers hide what an account has no right on, save PostgreSQL, which lists it."""
    names = ", ".join(closed or missing)
    if not closed and store.shows_what_is_closed:
        return errors.DatabaseUnknown(
            f"There is no metastore here: {names} {'is' if len(missing) == 1 else 'are'} missing.",
            hint="Check the database, and the schema that the metastore's tables are in.",
        )
    what = "may not be read" if closed else "are not there, or are hidden from the account"
    return errors.PermissionMissing(
        f"Tables of the metastore {what}: {names}",
        hint="If this is the metastore's database, paste this as an administrator. It can read the catalog and nothing else.",
        remedy=grants(settings, store.account),
        unseen=NOTHING_READ,
    )
