"""How a server that speaks TDS is reached: an allow-list of settings. Nothing else ever gets to the driver."""

import ipaddress
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, TypeVar
from urllib.parse import SplitResult, parse_qsl, unquote

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.settings import EngineSettings, described, parse_settings

PORT = 1433


class Tls(StrEnum):
    AUTOMATIC = "automatic"
    VERIFY = "verify"
    UNVERIFIED = "unverified"
    OFF = "off"


class SignIn(StrEnum):
    LOGIN = "login"
    SERVICE_PRINCIPAL = "service_principal"


class Intent(StrEnum):
    READ_ONLY = "read_only"
    READ_WRITE = "read_write"


_TLS_CHOICES = {
    Tls.AUTOMATIC: "Verify certificate and name, except on this machine",
    Tls.VERIFY: "Verify certificate and name",
    Tls.UNVERIFIED: "Encrypt, but trust any server (insecure)",
    Tls.OFF: "No TLS (insecure)",
}
_SIGN_IN_CHOICES = {
    SignIn.LOGIN: "Login and password",
    SignIn.SERVICE_PRINCIPAL: "Microsoft Entra application and secret",
}
_INTENT_CHOICES = {
    Intent.READ_ONLY: "Read-only: a readable replica where there is one",
    Intent.READ_WRITE: "Read and write: always the primary (nothing is written)",
}


_WITH_ENTRA = {"sign_in": (SignIn.SERVICE_PRINCIPAL,)}


class TsqlSettings(EngineSettings, frozen=True, kw_only=True):
    host: Annotated[
        str, described("Host", "A name or an address, without an instance.", example="db.example.com", min_length=1)
    ]
    port: Annotated[int, described("Port", "Of the instance.", input="number", ge=1, le=65535)] = PORT
    database: Annotated[str, described("Database", example="warehouse", min_length=1)]
    sign_in: Annotated[
        SignIn,
        described("Sign-in", input="select", choices={each.value: label for each, label in _SIGN_IN_CHOICES.items()}),
    ] = SignIn.LOGIN
    user: Annotated[str, described("User", "A login; for Microsoft Entra the application's (client) id.", min_length=1)]
    password: Annotated[
        str,
        described(
            "Password",
            "Or the application's secret. Stored encrypted, never shown again.",
            secret=True,
            input="password",
        ),
    ] = ""
    tenant: Annotated[
        str,
        described(
            "Tenant",
            "The directory (tenant) id or a domain of it.",
            example="example.onmicrosoft.com",
            when=_WITH_ENTRA,
            needed=_WITH_ENTRA,
            pattern=r"^[A-Za-z0-9.-]*$",
        ),
    ] = ""
    tls: Annotated[
        Tls,
        described(
            "TLS",
            "Whether the server must prove who it is.",
            input="select",
            choices={mode.value: label for mode, label in _TLS_CHOICES.items()},
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
    intent: Annotated[
        Intent,
        described(
            "Application intent",
            "What is said to an availability group or a database with replicas.",
            input="select",
            choices={each.value: label for each, label in _INTENT_CHOICES.items()},
        ),
    ] = Intent.READ_ONLY
    connect_timeout: Annotated[
        int, described("Connect time-out", "Seconds until a silent server is given up.", input="number", ge=1, le=120)
    ] = 15
    statement_timeout: Annotated[
        int,
        described("Statement time-out", "Seconds that a statement may be silent.", input="number", ge=1, le=3600),
    ] = 300

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


S = TypeVar("S", bound=TsqlSettings)
_OPTIONS = {"tls", "sign_in", "tenant", "intent", "connect_timeout", "statement_timeout"}


def from_parts(settings: type[S], parts: SplitResult) -> S:
    """``scheme://user:password@host:1433/database?tls=verify&intent=read_only``.

    Every part may be percent-encoded. Raises ``SettingsInvalid``, never with the password in it.
    """
    values: dict[str, object] = {
        "host": unquote(parts.hostname or "") or "localhost",
        "port": _port(parts),
        "database": unquote(parts.path.removeprefix("/")),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }
    values.update(_options(dict(parse_qsl(parts.query, keep_blank_values=True))))
    return parse_settings(settings, values)


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
    for name in query:
        if name not in _OPTIONS:
            raise SettingsInvalid(
                f"“{name}” is not a setting that a URL can carry.",
                hint=f"It can carry {', '.join(sorted(_OPTIONS))}.",
            )
    return dict(query)
