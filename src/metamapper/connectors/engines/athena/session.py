"""What Athena's catalogs list, and what it means."""

from collections.abc import Iterator, Sequence
from hashlib import blake2b

from metamapper.connectors import errors
from metamapper.connectors.aws.calls import Answer, Caller
from metamapper.connectors.aws.session import CLOSED, Database, ListedSession
from metamapper.connectors.base import Observation, Server
from metamapper.connectors.engines.athena import calls
from metamapper.connectors.engines.athena.payload import decode, encode, kind_of, raw_of
from metamapper.connectors.engines.athena.settings import EVERY_CATALOG, AthenaSettings
from metamapper.connectors.sql import hive_tables
from metamapper.schema import Relation

READER = b"athena-1"
"""Part of every fingerprint: a reader that sees more must not find everything unchanged."""

ABOUT_ITSELF = "information_schema"


class AthenaListing:
    def __init__(self, caller: Caller, settings: AthenaSettings) -> None:
        self._caller = caller
        self._settings = settings
        self.unlisted: dict[str, errors.ConnectorError] = {}
        """Catalogs whose databases could not be listed the last time, where every catalog is read."""

    def databases(self) -> tuple[Sequence[Database], bool]:
        """One catalog that fails, as one behind a function may, leaves the list incomplete and the others readable."""
        found: list[Database] = []
        self.unlisted = {}
        for catalog in calls.catalogs(self._caller, self._settings):
            try:
                found.extend(self._of(catalog))
            except (*CLOSED, errors.SettingsInvalid) as error:
                if self._settings.catalog != EVERY_CATALOG:
                    raise
                self.unlisted[catalog] = error
        if self.unlisted and not found:
            raise next(iter(self.unlisted.values()))
        return found, not self.unlisted

    def tables(self, database: Database) -> Iterator[Answer]:
        return calls.tables(self._caller, self._settings, database.within, database.own_name)

    def observation(self, database: Database, told: Answer) -> Observation:
        raw = raw_of(database.name, told)
        payload = encode(raw)
        parameters = told.get("Parameters") or {}
        return Observation(
            schema=database.name,
            name=raw.name,
            kind=kind_of(raw),
            fingerprint=blake2b(payload, digest_size=16, person=READER).digest(),
            payload=payload,
            row_estimate=hive_tables.row_estimate(parameters),
            size_bytes=hive_tables.size_bytes(parameters),
        )

    def decode(self, payload: bytes) -> Relation:
        return decode(payload)

    def mend(self, database: Database, error: errors.ConnectorError) -> str | None:
        if not isinstance(error, errors.PermissionMissing):
            return None
        return calls.permissions(self._settings, error.server_said, database.within, database.own_name)

    def _of(self, catalog: str) -> Iterator[Database]:
        """A catalog's name has no dot, so that ``catalog.database`` is never two things."""
        prefix = f"{catalog}." if self._settings.catalog == EVERY_CATALOG else ""
        for told in calls.databases(self._caller, self._settings, catalog):
            name, parameters = told["Name"], hive_tables.settled(told.get("Parameters") or {})
            extras = {"parameters": parameters} if parameters else {}
            if name != ABOUT_ITSELF:
                yield Database(f"{prefix}{name}", name, catalog, told.get("Description") or None, extras)


def opened(caller: Caller, settings: AthenaSettings) -> tuple[ListedSession, AthenaListing]:
    """A session that has listed the databases; raises a ``ConnectorError``."""
    listing = AthenaListing(caller, settings)
    server = Server(f"API {caller.version}", {"region": settings.region, "catalog": settings.catalog})
    return ListedSession(caller, listing, server), listing
