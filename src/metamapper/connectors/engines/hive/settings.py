"""How a metastore is reached, by its database or by its service: an allow-list. Nothing else ever gets to a driver."""

import ipaddress
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, unquote

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.settings import EngineSettings, described, parse_settings
from metamapper.connectors.sql.postgresql.settings import TLS_CHOICES, Tls


class Access(StrEnum):
    """By which of its two doors a metastore is read."""

    THRIFT = "thrift_service"
    POSTGRESQL = "postgresql_database"
    MYSQL = "mysql_database"
    SQLSERVER = "sqlserver_database"


class SignIn(StrEnum):
    PASSWORD = "password"  # noqa: S105 - a kind, not a secret
    NONE = "none"


ACCESS_CHOICES = {
    Access.THRIFT: "The Thrift service (thrift://)",
    Access.POSTGRESQL: "Its database, on PostgreSQL",
    Access.MYSQL: "Its database, on MySQL or MariaDB",
    Access.SQLSERVER: "Its database, on SQL Server or Azure SQL",
}
SIGN_IN_CHOICES = {
    SignIn.PASSWORD: "User and password (for the service: SASL PLAIN)",
    SignIn.NONE: "None: the service asks nobody who they are",
}
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
        str, described("Metastore's database", "Not for the service.", example="metastore", max_length=128)
    ] = ""
    schema: Annotated[str, described("Schema of its tables", "On PostgreSQL only.", min_length=1, max_length=63)] = (
        "public"
    )
    sign_in: Annotated[
        SignIn,
        described(
            "Sign-in",
            "A database always asks for a user. Kerberos is not offered.",
            input="select",
            choices={each.value: label for each, label in SIGN_IN_CHOICES.items()},
        ),
    ] = SignIn.PASSWORD
    user: Annotated[
        str,
        described(
            "User",
            "An account that may read and nothing else. Without a sign-in: whom the service shall take us for, if anybody.",
            max_length=256,
        ),
    ] = ""
    password: Annotated[
        str, described("Password", "Stored encrypted, never shown again.", secret=True, input="password")
    ] = ""
    tls: Annotated[
        Tls,
        described(
            "TLS",
            "Whether the server must prove who it is.",
            input="select",
            choices={mode.value: label for mode, label in TLS_CHOICES.items()},
        ),
    ] = Tls.AUTOMATIC
    ca_certificate: Annotated[
        str,
        described(
            "Certificate authority",
            "PEM text. Blank trusts the authorities that this machine trusts.",
            input="textarea",
        ),
    ] = ""
    connect_timeout: Annotated[
        int, described("Connect time-out", "Seconds until a silent server is given up.", input="number", ge=1, le=120)
    ] = 10
    statement_timeout: Annotated[
        int,
        described(
            "Statement time-out",
            "Seconds that one statement may take, or that the service may be silent.",
            input="number",
            ge=1,
            le=3600,
        ),
    ] = 300

    def __post_init__(self) -> None:
        if self.is_database and not (self.database and self.user):
            raise ValueError("To read the metastore's database, its name and a user are needed")
        if self.is_database and self.sign_in is SignIn.NONE:
            raise ValueError("A database lets nobody in without a sign-in")
        if self.access is Access.THRIFT and self.sign_in is SignIn.PASSWORD and not self.user:
            raise ValueError("A sign-in with a password needs a user; without a sign-in choose None")

        if self.access is Access.THRIFT and self.sign_in is SignIn.PASSWORD and self.would_be_overheard:
            raise ValueError("Without TLS a password would be sent in clear, and is not")

    @property
    def would_be_overheard(self) -> bool:
        return self.tls_mode is Tls.OFF and not _is_loopback(self.host)

    @property
    def is_database(self) -> bool:
        return self.access is not Access.THRIFT

    @property
    def real_port(self) -> int:
        return self.port or PORTS[self.access]

    @property
    def tls_mode(self) -> Tls:
        """What AUTOMATIC means for this host."""
        if self.tls is not Tls.AUTOMATIC:
            return self.tls
        return Tls.OFF if _is_loopback(self.host) else Tls.VERIFY


def _is_loopback(host: str) -> bool:
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


CARRIED = ("access", "schema", "sign_in", "tls", "connect_timeout", "statement_timeout")


def settings_from_url(parts: SplitResult) -> HiveSettings:
    """``hive://user:password@host/metastore?access=postgresql_database``, or ``thrift://host:9083``.

    A URL without a database means the service; one without a password signs in to it as nobody, and the user is whom the
    service shall take us for. Every part may be percent-encoded. Raises ``SettingsInvalid``, never with a secret in it.
    """
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    _refuse_unknown(query)
    database = unquote(parts.path.removeprefix("/"))
    if database and "access" not in query:
        raise SettingsInvalid(
            "The URL names a database, and not on which server it is.",
            hint=f"Add ?access= and one of {', '.join(each for each in Access if each is not Access.THRIFT)}.",
        )
    values: dict[str, object] = {
        "host": unquote(parts.hostname or "") or "localhost",
        "port": _port(parts),
        "database": database,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }
    if not database and not parts.password:
        values["sign_in"] = SignIn.NONE.value
    return parse_settings(HiveSettings, values | query)


def _refuse_unknown(query: Mapping[str, str]) -> None:
    for name in query:
        if name not in CARRIED:
            raise SettingsInvalid(
                f"“{name}” is not a setting that a URL can carry.", hint=f"It can carry {', '.join(CARRIED)}."
            )


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or 0
    except ValueError:
        # The text of the error would repeat what stands there, which may be a part of the password.
        raise SettingsInvalid(
            "The port in the URL is not a number up to 65535.",
            hint="In user and password write @ : / ? # % as %40 %3A %2F %3F %23 %25.",
        ) from None
