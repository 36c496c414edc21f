"""How a PostgreSQL is reached: an allow-list of settings. Nothing else ever gets to the driver."""

import ipaddress
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, unquote

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.settings import EngineSettings, described, parse_settings

PORT = 5432


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


class PostgresqlSettings(EngineSettings, frozen=True, kw_only=True):
    host: Annotated[str, described("Host", "A name or an address.", example="db.example.com", min_length=1)]
    port: Annotated[int, described("Port", input="number", ge=1, le=65535)] = PORT
    database: Annotated[str, described("Database", example="warehouse", min_length=1)]
    user: Annotated[str, described("User", "A role that can sign in; it needs no rights on tables.", min_length=1)]
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
        """Whether ``host`` is the folder of a unix socket: possible only where the reach allows it."""
        return self.host.startswith(("/", "@"))

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


_SSLMODES = {"disable": Tls.OFF, "require": Tls.UNVERIFIED, "verify-ca": Tls.VERIFY, "verify-full": Tls.VERIFY}
_WEAK = "prefer and allow fall back to no encryption without a word, so they are not offered."


def settings_from_url(parts: SplitResult) -> PostgresqlSettings:
    """``postgresql://user:password@host:5432/database?sslmode=verify-full&connect_timeout=10``.

    Every part may be percent-encoded. Raises ``SettingsInvalid``, never with the password in it.
    """
    values: dict[str, object] = {
        "host": _host(parts),
        "port": _port(parts),
        "database": unquote(parts.path.removeprefix("/")),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }
    values.update(_options(dict(parse_qsl(parts.query, keep_blank_values=True))))
    if not values["database"]:
        values["database"] = values["user"]
    return parse_settings(PostgresqlSettings, values)


def _host(parts: SplitResult) -> str:
    """The host as it was written: a socket's folder keeps its capitals."""
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
