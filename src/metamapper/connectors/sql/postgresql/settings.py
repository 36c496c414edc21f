"""How a PostgreSQL is reached: an allow-list of settings. Nothing else ever gets to the driver."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.settings import EngineSettings, described, parse_settings
from metamapper.connectors.sql.server import (
    TLS_CHOICES,
    CaCertificate,
    ConnectTimeout,
    Password,
    Port,
    StatementTimeout,
    Tls,
    TlsMode,
    meant,
    parts_of,
)

__all__ = ["PORT", "TLS_CHOICES", "PostgresqlSettings", "Tls", "settings_from_url"]

PORT = 5432


class PostgresqlSettings(EngineSettings, frozen=True, kw_only=True):
    host: Annotated[str, described("Host", "A name or an address.", example="db.example.com", min_length=1)]
    port: Port = PORT
    database: Annotated[str, described("Database", example="warehouse", min_length=1)]
    user: Annotated[str, described("User", "A role that can sign in; it needs no rights on tables.", min_length=1)]
    password: Password = ""
    tls: TlsMode = Tls.AUTOMATIC
    ca_certificate: CaCertificate = ""
    connect_timeout: ConnectTimeout = 10
    statement_timeout: StatementTimeout = 300

    @property
    def is_socket(self) -> bool:
        """Whether ``host`` is the folder of a unix socket: possible only where the reach allows it."""
        return self.host.startswith(("/", "@"))

    @property
    def tls_mode(self) -> Tls:
        """What AUTOMATIC means for this host."""
        return Tls.OFF if self.is_socket else meant(self.tls, self.host)


_SSLMODES = {"disable": Tls.OFF, "require": Tls.UNVERIFIED, "verify-ca": Tls.VERIFY, "verify-full": Tls.VERIFY}
_WEAK = "prefer and allow fall back to no encryption without a word, so they are not offered."


def settings_from_url(parts: SplitResult) -> PostgresqlSettings:
    """``postgresql://user:password@host:5432/database?sslmode=verify-full&connect_timeout=10``.

    Every part may be percent-encoded. Raises ``SettingsInvalid``, never with the password in it.
    """
    values = parts_of(parts, PORT)
    values["host"] = values["host"] or "localhost"
    values.update(_options(dict(parse_qsl(parts.query, keep_blank_values=True))))
    if not values["database"]:
        values["database"] = values["user"]
    return parse_settings(PostgresqlSettings, values)


def _options(query: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, value in query.items():
        if name == "sslmode":
            values["tls"] = _sslmode(value)
        elif name in {"connect_timeout", "statement_timeout", "host"}:
            values[name] = value
        else:
            raise SettingsInvalid(
                f"“{name}” is not a setting that a URL can carry.",
                hint="It can carry sslmode, connect_timeout, statement_timeout and host.",
            )
    return values


def _sslmode(value: str) -> Tls:
    mode = _SSLMODES.get(value)
    if mode is None:
        known = ", ".join(_SSLMODES)
        raise SettingsInvalid(f"sslmode “{value}” is not known.", hint=f"One of {known}. {_WEAK}")
    return mode
