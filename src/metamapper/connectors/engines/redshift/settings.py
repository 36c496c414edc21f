"""How a Redshift is reached: an allow-list of settings. Nothing else ever gets to the driver."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.settings import EngineSettings, described, parse_settings
from metamapper.connectors.sql.server import ConnectTimeout, Port, StatementTimeout, parts_of

PORT = 5439
REGION = r"^$|^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$"
"""What a region's name looks like: it becomes a part of the host that is asked for a password."""


class Tls(StrEnum):
    VERIFY = "verify"
    UNVERIFIED = "unverified"
    OFF = "off"


class SignIn(StrEnum):
    PASSWORD = "password"  # noqa: S105 - the name of a choice
    IAM = "iam"


TLS_CHOICES = {
    Tls.VERIFY: "Verify certificate and name",
    Tls.UNVERIFIED: "Encrypt, but trust any server (insecure)",
    Tls.OFF: "No TLS (insecure)",
}
SIGN_IN_CHOICES = {
    SignIn.PASSWORD: "A database user and its password",
    SignIn.IAM: "AWS IAM: a temporary password for each session",
}


_WITH_PASSWORD = {"sign_in": (SignIn.PASSWORD,)}
_WITH_IAM = {"sign_in": (SignIn.IAM,)}


class RedshiftSettings(EngineSettings, frozen=True, kw_only=True):
    host: Annotated[
        str,
        described(
            "Host",
            "The endpoint of the cluster or workgroup, without port and database.",
            example="shop.abc123.eu-west-1.redshift.amazonaws.com",
            min_length=1,
        ),
    ]
    port: Port = PORT
    database: Annotated[str, described("Database", example="warehouse", min_length=1)]
    sign_in: Annotated[
        SignIn,
        described(
            "Sign-in",
            input="select",
            choices={way.value: label for way, label in SIGN_IN_CHOICES.items()},
        ),
    ] = SignIn.PASSWORD
    user: Annotated[
        str,
        described(
            "User",
            "A database user; it needs no rights on tables. With IAM, blank takes the user that belongs to the identity.",
            needed=_WITH_PASSWORD,
        ),
    ] = ""
    password: Annotated[
        str,
        described(
            "Password", "Stored encrypted, never shown again.", secret=True, input="password", when=_WITH_PASSWORD
        ),
    ] = ""
    region: Annotated[
        str,
        described("AWS region", example="eu-west-1", pattern=REGION, max_length=40, when=_WITH_IAM, needed=_WITH_IAM),
    ] = ""
    cluster: Annotated[
        str, described("Cluster identifier", "Of a provisioned cluster.", example="shop", when=_WITH_IAM)
    ] = ""
    workgroup: Annotated[str, described("Workgroup", "Of Redshift Serverless.", example="default", when=_WITH_IAM)] = ""
    access_key_id: Annotated[
        str,
        described(
            "Access key ID",
            "Blank signs in as the workers themselves, where the administrator allows it.",
            when=_WITH_IAM,
        ),
    ] = ""
    secret_access_key: Annotated[
        str,
        described(
            "Secret access key", "Stored encrypted, never shown again.", secret=True, input="password", when=_WITH_IAM
        ),
    ] = ""
    tls: Annotated[
        Tls,
        described(
            "TLS",
            "Whether the server must prove who it is.",
            input="select",
            choices={mode.value: label for mode, label in TLS_CHOICES.items()},
        ),
    ] = Tls.VERIFY
    ca_certificate: Annotated[
        str,
        described(
            "Certificate authority",
            "PEM text. Blank trusts Amazon's own and the authorities that this machine trusts.",
            input="textarea",
        ),
    ] = ""
    connect_timeout: ConnectTimeout = 10
    statement_timeout: StatementTimeout = 300


_SSLMODES = {"disable": Tls.OFF, "require": Tls.UNVERIFIED, "verify-ca": Tls.VERIFY, "verify-full": Tls.VERIFY}
_OPTIONS = ("sign_in", "region", "cluster", "workgroup", "connect_timeout", "statement_timeout")


def settings_from_url(parts: SplitResult) -> RedshiftSettings:
    """``redshift://user:password@endpoint:5439/database?sslmode=verify-full``.

    With IAM ``?sign_in=iam&region=eu-west-1&cluster=shop`` (or ``&workgroup=…``), where the keys come from the machine's
    own chain. Every part may be percent-encoded. Raises ``SettingsInvalid``, never with the password in it.
    """
    values = parts_of(parts, PORT)
    values.update(_options(dict(parse_qsl(parts.query, keep_blank_values=True))))
    return parse_settings(RedshiftSettings, values)


def _options(query: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, value in query.items():
        if name == "sslmode":
            values["tls"] = _sslmode(value)
        elif name in _OPTIONS:
            values[name] = value
        else:
            raise SettingsInvalid(
                f"“{name}” is not a setting that a URL can carry.",
                hint=f"It can carry sslmode, {', '.join(_OPTIONS)}. Keys are never a part of it.",
            )
    return values


def _sslmode(value: str) -> Tls:
    mode = _SSLMODES.get(value)
    if mode is None:
        raise SettingsInvalid(f"sslmode “{value}” is not known.", hint=f"One of {', '.join(_SSLMODES)}.")
    return mode
