"""How an Oracle is reached: an allow-list of settings. Nothing else ever gets to the driver, and no file is named."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.settings import EngineSettings, described, parse_settings
from metamapper.connectors.sql.server import CaCertificate, ConnectTimeout, Password, parts_of

NAME = r"^[\w$#.-]*$"
PORT = 1521


class Tls(StrEnum):
    VERIFY = "verify"
    UNVERIFIED = "unverified"
    OFF = "off"


TLS_CHOICES = {
    Tls.VERIFY: "TCPS: verify certificate and name",
    Tls.UNVERIFIED: "TCPS, but trust any server (insecure)",
    Tls.OFF: "TCP without TLS (insecure)",
}


_WITH_TLS = {"tls": (Tls.VERIFY, Tls.UNVERIFIED)}


class OracleSettings(EngineSettings, frozen=True, kw_only=True):
    host: Annotated[str, described("Host", "A name or an address.", example="db.example.com", min_length=1)]
    port: Annotated[
        int,
        described("Port", "Of the listener; where it has one for TLS, often 2484.", input="number", ge=1, le=65535),
    ] = PORT
    service: Annotated[
        str, described("Service name", "Or a SID, for an old database.", example="ORCLPDB1", pattern=NAME)
    ] = ""
    sid: Annotated[str, described("SID", "Only where there is no service name.", example="ORCL", pattern=NAME)] = ""
    user: Annotated[
        str, described("User", "It needs to sign in and to see the dictionary, and no rights on tables.", min_length=1)
    ]
    password: Password = ""
    tls: Annotated[
        Tls,
        described(
            "TLS",
            "Whether the session is encrypted, and whether the server must prove who it is.",
            input="select",
            choices={mode.value: label for mode, label in TLS_CHOICES.items()},
        ),
    ] = Tls.VERIFY
    ca_certificate: CaCertificate = ""
    wallet: Annotated[
        str,
        described(
            "Wallet (ewallet.pem)",
            "Its text, where the server asks the client for a certificate (mutual TLS).",
            input="textarea",
            secret=True,
            when=_WITH_TLS,
        ),
    ] = ""
    wallet_password: Annotated[
        str,
        described(
            "Wallet password", "Of the private key in the wallet.", secret=True, input="password", when=_WITH_TLS
        ),
    ] = ""
    connect_timeout: ConnectTimeout = 10
    statement_timeout: Annotated[
        int,
        described(
            "Statement time-out", "Seconds that one answer may take.", input="number", tuning=True, ge=1, le=3600
        ),
    ] = 300


_OPTIONS = ("tls", "sid", "connect_timeout", "statement_timeout")


def settings_from_url(parts: SplitResult) -> OracleSettings:
    """``oracle://user:password@host:1521/service?tls=off``, or ``…/?sid=ORCL`` for an old database.

    Every part may be percent-encoded. Raises ``SettingsInvalid``, never with the password in it.
    """
    values = parts_of(parts, PORT)
    values["service"] = values.pop("database")
    values.update(_options(dict(parse_qsl(parts.query, keep_blank_values=True))))
    return parse_settings(OracleSettings, values)


def _options(query: Mapping[str, str]) -> dict[str, object]:
    unknown = [name for name in query if name not in _OPTIONS]
    if unknown:
        raise SettingsInvalid(
            f"“{unknown[0]}” is not a setting that a URL can carry.",
            hint=f"It can carry {', '.join(_OPTIONS)}. A wallet is pasted into the form.",
        )
    return dict(query)
