"""What a Data Catalog lists, and what it means."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from metamapper.connectors import errors
from metamapper.connectors.aws import policy
from metamapper.connectors.aws.calls import Answer, Caller
from metamapper.connectors.aws.session import Database, ListedSession
from metamapper.connectors.base import Observation, Server
from metamapper.connectors.engines.glue import calls
from metamapper.connectors.engines.glue.payload import raw_of
from metamapper.connectors.engines.glue.settings import GlueSettings
from metamapper.connectors.sql import hive_tables
from metamapper.connectors.sql.hive_relations import decode, encode, kind_of
from metamapper.schema import Relation

READER = b"glue-1"
"""Part of every fingerprint: a reader that sees more must not find everything unchanged."""

LAKE_FORMATION = "Lake Formation"
ENCRYPTED = "GlueEncryptionException"
"""The refusal of a key, which no statement about Glue would mend."""


class GlueListing:
    def __init__(self, caller: Caller, settings: GlueSettings) -> None:
        self._caller = caller
        self._settings = settings
        self.governed: Sequence[str] = ()
        """The databases of the last list that Lake Formation decides about."""

    def databases(self) -> tuple[Sequence[Database], bool]:
        told = tuple(calls.databases(self._caller, self._settings))
        self.governed = tuple(each["Name"] for each in told if is_governed(each))
        return [_database(each) for each in told], True

    def tables(self, database: Database) -> Iterator[Answer]:
        return calls.tables(self._caller, self._settings, database.own_name)

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
        """A statement of IAM, or a grant of Lake Formation."""
        if LAKE_FORMATION in error.server_said:
            return policy.lake_formation_grant(database.own_name, policy.principal(error.server_said))
        if isinstance(error, errors.PermissionMissing) and ENCRYPTED not in error.server_said:
            return calls.permissions(self._settings, error.server_said, database.own_name, [calls.LIST_TABLES])
        return None


def opened(caller: Caller, settings: GlueSettings) -> tuple[ListedSession, GlueListing]:
    """A session that has listed the databases; raises a ``ConnectorError``."""
    listing = GlueListing(caller, settings)
    server = Server(f"API {caller.version}", {"region": settings.region})
    return ListedSession(caller, listing, server), listing


def _database(told: Answer) -> Database:
    target = told.get("TargetDatabase") or {}
    facts = {
        "location": hive_tables.located(told.get("LocationUri")),
        "link_to": ".".join(filter(None, (target.get("CatalogId"), target.get("DatabaseName")))),
        "parameters": hive_tables.shown(hive_tables.settled(told.get("Parameters") or {})),
    }
    extras: Mapping[str, Any] = {name: fact for name, fact in facts.items() if fact}
    name = told["Name"]
    return Database(name, name, comment=told.get("Description") or None, extras=extras, is_link=bool(target))


def is_governed(told: Answer) -> bool:
    """Whether Lake Formation decides who sees the tables of a database: then IAM alone lets nobody see new ones.

    https://docs.aws.amazon.com/lake-formation/latest/dg/change-settings.html
    """
    if told.get("TargetDatabase"):
        return True
    granted = told.get("CreateTableDefaultPermissions")
    if granted is None:
        return False
    principals = {(each.get("Principal") or {}).get("DataLakePrincipalIdentifier") for each in granted}
    return "IAM_ALLOWED_PRINCIPALS" not in principals
