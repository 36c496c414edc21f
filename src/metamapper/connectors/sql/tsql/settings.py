"""How a server that speaks TDS is reached: an allow-list of settings. Nothing else ever gets to the driver."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, TypeVar
from urllib.parse import SplitResult, parse_qsl

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.settings import EngineSettings, described, parse_settings
from metamapper.connectors.sql.server import CaCertificate, ConnectTimeout, Tls, TlsMode, meant, parts_of

__all__ = ["PORT", "Intent", "SignIn", "Tls", "TsqlSettings", "from_parts"]

PORT = 1433


class SignIn(StrEnum):
    LOGIN = "login"
    SERVICE_PRINCIPAL = "service_principal"


class Intent(StrEnum):
    READ_ONLY = "read_only"
    READ_WRITE = "read_write"


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
    tls: TlsMode = Tls.AUTOMATIC
    ca_certificate: CaCertificate = ""
    intent: Annotated[
        Intent,
        described(
            "Application intent",
            "What is said to an availability group or a database with replicas.",
            input="select",
            choices={each.value: label for each, label in _INTENT_CHOICES.items()},
        ),
    ] = Intent.READ_ONLY
    connect_timeout: ConnectTimeout = 15
    statement_timeout: Annotated[
        int,
        described(
            "Statement time-out", "Seconds that a statement may be silent.", input="number", tuning=True, ge=1, le=3600
        ),
    ] = 300

    @property
    def tls_mode(self) -> Tls:
        """What AUTOMATIC means for this host."""
        return meant(self.tls, self.host)


S = TypeVar("S", bound=TsqlSettings)
_OPTIONS = {"tls", "sign_in", "tenant", "intent", "connect_timeout", "statement_timeout"}


def from_parts(settings: type[S], parts: SplitResult) -> S:
    """``scheme://user:password@host:1433/database?tls=verify&intent=read_only``.

    Every part may be percent-encoded. Raises ``SettingsInvalid``, never with the password in it.
    """
    values = parts_of(parts, PORT)
    values["host"] = values["host"] or "localhost"
    values.update(_options(dict(parse_qsl(parts.query, keep_blank_values=True))))
    return parse_settings(settings, values)


def _options(query: Mapping[str, str]) -> dict[str, object]:
    for name in query:
        if name not in _OPTIONS:
            raise SettingsInvalid(
                f"“{name}” is not a setting that a URL can carry.",
                hint=f"It can carry {', '.join(sorted(_OPTIONS))}.",
            )
    return dict(query)
