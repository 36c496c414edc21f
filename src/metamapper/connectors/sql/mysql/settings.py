"""How a MySQL or MariaDB is reached: an allow-list of settings. Nothing else ever gets to the driver."""

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

__all__ = ["PORT", "TLS_CHOICES", "MysqlSettings", "Tls", "settings_from_url"]

PORT = 3306


class MysqlSettings(EngineSettings, frozen=True, kw_only=True):
    host: Annotated[str, described("Host", "A name or an address.", example="db.example.com", min_length=1)]
    port: Port = PORT
    database: Annotated[
        str, described("Database", "Blank reads every database that the account may see.", example="shop")
    ] = ""
    user: Annotated[str, described("User", "An account that may read and nothing else.", min_length=1)]
    password: Password = ""
    tls: TlsMode = Tls.AUTOMATIC
    ca_certificate: CaCertificate = ""
    connect_timeout: ConnectTimeout = 10
    statement_timeout: StatementTimeout = 300

    @property
    def is_socket(self) -> bool:
        """Whether ``host`` is the path of a unix socket: possible only where the reach allows it."""
        return self.host.startswith("/")

    @property
    def tls_mode(self) -> Tls:
        """What AUTOMATIC means for this host."""
        return Tls.OFF if self.is_socket else meant(self.tls, self.host)


# The words of MySQL's own clients: https://dev.mysql.com/doc/refman/en/connection-options.html#option_general_ssl-mode
_SSL_MODES = {
    "DISABLED": Tls.OFF,
    "REQUIRED": Tls.UNVERIFIED,
    "VERIFY_CA": Tls.VERIFY,
    "VERIFY_IDENTITY": Tls.VERIFY,
}
_WEAK = "PREFERRED gives up encryption without a word, so it is not offered."
_CARRIED = {"connect_timeout": "connect_timeout", "statement_timeout": "statement_timeout", "socket": "host"}


def settings_from_url(parts: SplitResult) -> MysqlSettings:
    """``mysql://user:password@host:3306/database?ssl-mode=VERIFY_IDENTITY&connect_timeout=10``.

    Every part may be percent-encoded; the database may be left out. Raises ``SettingsInvalid``, never with the
    password in it.
    """
    values = parts_of(parts, PORT)
    values["host"] = values["host"] or "localhost"
    values.update(_options(dict(parse_qsl(parts.query, keep_blank_values=True))))
    return parse_settings(MysqlSettings, values)


def _options(query: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, value in query.items():
        if name == "ssl-mode":
            values["tls"] = _ssl_mode(value)
        elif name in _CARRIED:
            values[_CARRIED[name]] = value
        else:
            raise SettingsInvalid(
                f"“{name}” is not a setting that a URL can carry.",
                hint=f"It can carry ssl-mode, {', '.join(_CARRIED)}.",
            )
    return values


def _ssl_mode(value: str) -> Tls:
    mode = _SSL_MODES.get(value.upper())
    if mode is None:
        raise SettingsInvalid(f"ssl-mode “{value}” is not known.", hint=f"One of {', '.join(_SSL_MODES)}. {_WEAK}")
    return mode
