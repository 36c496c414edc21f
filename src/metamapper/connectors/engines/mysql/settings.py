"""How a MySQL or MariaDB is reached: an allow-list of settings. Nothing else ever gets to the driver."""

import ipaddress
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, unquote

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.settings import EngineSettings, described, parse_settings

PORT = 3306


class Tls(StrEnum):
    AUTOMATIC = "automatic"
    VERIFY = "verify"
    UNVERIFIED = "unverified"
    OFF = "off"


TLS_CHOICES = {
    Tls.AUTOMATIC: "Verify certificate and name, except on this machine",
    Tls.VERIFY: "Verify certificate and name",
    Tls.UNVERIFIED: "Encrypt, but trust any server (insecure)",
    Tls.OFF: "No TLS (insecure)",
}


class MysqlSettings(EngineSettings, frozen=True, kw_only=True):
    host: Annotated[str, described("Host", "A name or an address.", example="db.example.com", min_length=1)]
    port: Annotated[int, described("Port", input="number", ge=1, le=65535)] = PORT
    database: Annotated[
        str, described("Database", "Blank reads every database that the account may see.", example="shop")
    ] = ""
    user: Annotated[str, described("User", "An account that may read and nothing else.", min_length=1)]
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
        described("Statement time-out", "Seconds that one catalog statement may take.", input="number", ge=1, le=3600),
    ] = 300

    @property
    def is_socket(self) -> bool:
        """Whether ``host`` is the path of a unix socket: possible only where the reach allows it."""
        return self.host.startswith("/")

    @property
    def tls_mode(self) -> Tls:
        """What AUTOMATIC means for this host."""
        if self.is_socket:
            return Tls.OFF
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
    values: dict[str, object] = {
        "host": _host(parts),
        "port": _port(parts),
        "database": unquote(parts.path.removeprefix("/")),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }
    values.update(_options(dict(parse_qsl(parts.query, keep_blank_values=True))))
    return parse_settings(MysqlSettings, values)


def _host(parts: SplitResult) -> str:
    """The host as it was written: a socket's path keeps its capitals."""
    written = parts.netloc.rpartition("@")[2]
    if written.startswith("["):
        return written[1:].partition("]")[0]
    return unquote(written.rpartition(":")[0] if ":" in written else written) or "localhost"


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or PORT
    except ValueError:
        # The text of the error would repeat what stands there, which may be a part of the password.
        raise SettingsInvalid(
            "The port in the URL is not a number up to 65535.",
            hint="In user and password write @ : / ? # % as %40 %3A %2F %3F %23 %25.",
        ) from None


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
