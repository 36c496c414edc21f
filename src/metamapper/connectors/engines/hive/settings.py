"""How a metastore is reached, by its database or by its service: an allow-list. Nothing else ever gets to a driver."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import SplitResult, parse_qsl

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.reach import is_loopback
from metamapper.connectors.settings import NOT_ASKED, EngineSettings, described, parse_settings
from metamapper.connectors.sql.server import CaCertificate, ConnectTimeout, Tls, TlsMode, meant, parts_of


class Access(StrEnum):
    """By which of its two doors a metastore is read."""

    THRIFT = "thrift_service"
    POSTGRESQL = "postgresql_database"
    MYSQL = "mysql_database"
    SQLSERVER = "sqlserver_database"


class SignIn(StrEnum):
    PASSWORD = "password"  # noqa: S105 - a kind, not a secret
    NONE = "none"


class Shows(StrEnum):
    """How much a service shows to this user: it does not say so itself."""

    PERHAPS_PART = "perhaps_part"
    EVERYTHING = "everything"


ACCESS_CHOICES = {
    Access.THRIFT: "The Thrift service (thrift://)",
    Access.POSTGRESQL: "Its database, on PostgreSQL",
    Access.MYSQL: "Its database, on MySQL or MariaDB",
    Access.SQLSERVER: "Its database, on SQL Server or Azure SQL",
}
SIGN_IN_CHOICES = {
    SignIn.PASSWORD: "User and password (SASL PLAIN)",
    SignIn.NONE: "None: the service asks nobody who they are",
}
SHOWS_CHOICES = {
    Shows.PERHAPS_PART: "Perhaps not everything: nothing is taken for gone",
    Shows.EVERYTHING: "Everything: what it no longer lists is gone",
}
_ON_A_SERVER = {"access": [each for each in Access if each is not Access.THRIFT]}
PORTS = {Access.THRIFT: 9083, Access.POSTGRESQL: 5432, Access.MYSQL: 3306, Access.SQLSERVER: 1433}


class HiveSettings(EngineSettings, frozen=True, kw_only=True):
    access: Annotated[
        Access,
        described(
            "Read through",
            "The database tells more: keys and other constraints, ids that outlive a rename, and whether anything has changed.",
            input="select",
            choices={each.value: label for each, label in ACCESS_CHOICES.items()},
        ),
    ] = Access.THRIFT
    host: Annotated[
        str, described("Host", "Of the service or of the database.", example="metastore.example.com", min_length=1)
    ]
    port: Annotated[
        int,
        described("Port", "0 is the usual one: 9083, or the database's own.", input="number", ge=0, le=65535),
    ] = 0
    database: Annotated[
        str,
        described(
            "Database",
            "The metastore's own.",
            example="metastore",
            max_length=128,
            when=_ON_A_SERVER,
            needed=_ON_A_SERVER,
        ),
    ] = ""
    schema: Annotated[
        str,
        described(
            "Schema",
            "The one that the metastore's tables are in.",
            min_length=1,
            max_length=63,
            when={"access": [Access.POSTGRESQL]},
        ),
    ] = "public"
    sign_in: Annotated[
        SignIn,
        described(
            "Sign-in",
            "Kerberos is not offered.",
            input="select",
            choices={each.value: label for each, label in SIGN_IN_CHOICES.items()},
            when={"access": [Access.THRIFT]},
        ),
    ] = SignIn.PASSWORD
    shows: Annotated[
        Shows,
        described(
            "What it shows this user",
            "Where an authorizer hides tables without a word, lost rights look like lost tables.",
            input="select",
            choices={each.value: label for each, label in SHOWS_CHOICES.items()},
            when={"access": [Access.THRIFT]},
        ),
    ] = Shows.PERHAPS_PART
    user: Annotated[
        str,
        described(
            "User",
            "An account that may read and nothing else. Without a sign-in: whom the service shall take us for, if anybody.",
            max_length=256,
            needed=_ON_A_SERVER,
        ),
    ] = ""
    password: Annotated[
        str,
        described(
            "Password",
            "Stored encrypted, never shown again.",
            secret=True,
            input="password",
            when={"sign_in": [SignIn.PASSWORD, NOT_ASKED]},
        ),
    ] = ""
    tls: TlsMode = Tls.AUTOMATIC
    ca_certificate: CaCertificate = ""
    connect_timeout: ConnectTimeout = 10
    statement_timeout: Annotated[
        int,
        described(
            "Statement time-out",
            "Seconds that one statement may take, or one call of the service.",
            input="number",
            tuning=True,
            ge=1,
            le=3600,
        ),
    ] = 300

    def __post_init__(self) -> None:
        if self.is_database and not (self.database and self.user):
            raise ValueError("To read the metastore's database, its name and a user are needed")
        if self.access is Access.THRIFT and self.sign_in is SignIn.PASSWORD and not self.user:
            raise ValueError("A sign-in with a password needs a user; without a sign-in choose None")

        if self.access is Access.THRIFT and self.sign_in is SignIn.PASSWORD and self.would_be_overheard:
            raise ValueError("Without TLS a password would be sent in clear, and is not")

    @property
    def would_be_overheard(self) -> bool:
        return self.tls_mode is Tls.OFF and not is_loopback(self.host)

    @property
    def is_database(self) -> bool:
        return self.access is not Access.THRIFT

    @classmethod
    def port_meant(cls, given: Mapping[str, Any]) -> int:
        """0 is the usual one of the chosen door."""
        access = given.get("access") or Access.THRIFT
        return super().port_meant(given) or (PORTS[Access(access)] if access in list(Access) else 0)

    @property
    def tls_mode(self) -> Tls:
        """What AUTOMATIC means for this host."""
        return Tls.OFF if self.is_socket else meant(self.tls, self.host)

    @property
    def is_socket(self) -> bool:
        """Whether ``host`` is the path of a database's unix socket: possible only where the reach allows it."""
        return self.is_database and self.host.startswith(("/", "@"))


CARRIED = ("access", "schema", "sign_in", "shows", "tls", "connect_timeout", "statement_timeout")


def settings_from_url(parts: SplitResult) -> HiveSettings:
    """``hive://user:password@host/metastore?access=postgresql_database``, or ``thrift://host:9083``.

    A URL without a database means the service; one without a password signs in to it as nobody, and the user is whom the
    service shall take us for. Every part may be percent-encoded. Raises ``SettingsInvalid``, never with a secret in it.
    """
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    _refuse_unknown(query)
    values = parts_of(parts, 0)
    values["host"] = values["host"] or "localhost"
    if values["database"] and "access" not in query:
        raise SettingsInvalid(
            "The URL names a database, and not on which server it is.",
            hint=f"Add ?access= and one of {', '.join(each for each in Access if each is not Access.THRIFT)}.",
        )
    if not values["database"] and not values["password"]:
        values["sign_in"] = SignIn.NONE.value
    return parse_settings(HiveSettings, values | query)


def _refuse_unknown(query: Mapping[str, str]) -> None:
    for name in query:
        if name not in CARRIED:
            raise SettingsInvalid(
                f"“{name}” is not a setting that a URL can carry.", hint=f"It can carry {', '.join(CARRIED)}."
            )
