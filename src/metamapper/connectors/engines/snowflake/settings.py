"""How a Snowflake account is reached: an allow-list of settings. Nothing else ever gets to the driver."""

import base64
import binascii
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, unquote

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.settings import EngineSettings, described, parse_settings
from metamapper.connectors.sql.server import ConnectTimeout, Port, StatementTimeout

PORT = 443
DOMAIN = "snowflakecomputing.com"
SHORTEST_LINE = 8
_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")


class SignIn(StrEnum):
    PASSWORD = "password"  # noqa: S105 - a word
    KEY_PAIR = "key_pair"
    OAUTH = "oauth"
    ACCESS_TOKEN = "access_token"  # noqa: S105 - a word


SIGN_INS = {
    SignIn.PASSWORD: "Password",
    SignIn.KEY_PAIR: "Key pair",
    SignIn.OAUTH: "OAuth token",
    SignIn.ACCESS_TOKEN: "Programmatic access token",
}


_WITH_PASSWORD = {"sign_in": (SignIn.PASSWORD,)}
_WITH_KEY = {"sign_in": (SignIn.KEY_PAIR,)}
_WITH_TOKEN = {"sign_in": (SignIn.OAUTH, SignIn.ACCESS_TOKEN)}


class SnowflakeSettings(EngineSettings, frozen=True, kw_only=True):
    account: Annotated[
        str,
        described("Account", "The account's identifier.", example="acme-warehouse", min_length=1),
    ]
    user: Annotated[str, described("User", "A service user; it needs no rights on rows.", min_length=1)]
    sign_in: Annotated[
        SignIn,
        described(
            "Sign-in",
            "A key pair suits a service best: Snowflake asks for a second factor with a password.",
            input="select",
            choices={each.value: label for each, label in SIGN_INS.items()},
        ),
    ] = SignIn.KEY_PAIR
    password: Annotated[
        str,
        described(
            "Password",
            "Stored encrypted, never shown again.",
            secret=True,
            input="password",
            when=_WITH_PASSWORD,
            needed=_WITH_PASSWORD,
        ),
    ] = ""
    private_key: Annotated[
        str,
        described(
            "Private key",
            "PEM text (PKCS 8). Stored encrypted, never shown again.",
            secret=True,
            input="textarea",
            when=_WITH_KEY,
            needed=_WITH_KEY,
        ),
    ] = ""
    passphrase: Annotated[
        str,
        described("Passphrase", "Of the private key, where it has one.", secret=True, input="password", when=_WITH_KEY),
    ] = ""
    token: Annotated[
        str,
        described(
            "Token",
            "An OAuth access token or a programmatic access token.",
            secret=True,
            input="password",
            when=_WITH_TOKEN,
            needed=_WITH_TOKEN,
        ),
    ] = ""
    role: Annotated[str, described("Role", "Blank is the user's default role.", example="METAMAPPER")] = ""
    warehouse: Annotated[
        str, described("Warehouse", "It runs the catalog statements; the smallest suffices.", example="METAMAPPER_WH")
    ] = ""
    database: Annotated[str, described("Database", "Blank reads every database that the role can see.")] = ""
    sees_all: Annotated[
        bool,
        described(
            "The role sees everything in scope",
            "Say yes where it has rights on every table there, also on future ones: what is not listed is then taken as"
            " dropped. Not needed with the database role SNOWFLAKE.OBJECT_VIEWER, which proves it.",
        ),
    ] = False
    host: Annotated[
        str,
        described(
            "Host", f"Blank is the account's name under {DOMAIN}, which others, as with PrivateLink, end in too."
        ),
    ] = ""
    port: Port = PORT
    ca_certificate: Annotated[
        str,
        described(
            "Certificate authority",
            "PEM text. Blank trusts well-known authorities.",
            input="textarea",
        ),
    ] = ""
    connect_timeout: ConnectTimeout = 20
    statement_timeout: StatementTimeout = 600

    @property
    def address(self) -> str:
        """The host to connect to; raises ``SettingsInvalid``."""
        if self.host:
            return self.host
        if not _ACCOUNT.match(self.account):
            raise SettingsInvalid(
                "The account's identifier has letters, digits and hyphens only.",
                hint="It is what stands before .snowflakecomputing.com in the account's address.",
            )
        account = self.account.lower().removesuffix(f".{DOMAIN}")
        return f"{account.replace('_', '-')}.{DOMAIN}"

    def secrets(self) -> tuple[str, ...]:
        """What is secret, and each line of the private key: a library may repeat a part of the text."""
        lines = (line.strip() for line in self.private_key.splitlines())
        return (*super().secrets(), *(line for line in lines if len(line) >= SHORTEST_LINE and line[0] != "-"))


_CARRIED = {
    "role",
    "warehouse",
    "host",
    "port",
    "sees_all",
    "connect_timeout",
    "statement_timeout",
    "passphrase",
    "token",
}


def settings_from_url(parts: SplitResult) -> SnowflakeSettings:
    """``snowflake://user:password@account/database?role=R&warehouse=W``; without a database, all are read.

    ``private_key_base64``, ``token`` (with ``sign_in=oauth`` or ``access_token``) and ``passphrase`` sign in otherwise.
    Every part may be percent-encoded. Raises ``SettingsInvalid``, never with a secret in it.
    """
    account, _, port = parts.netloc.rpartition("@")[2].partition(":")
    values: dict[str, object] = {
        "account": unquote(account),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": unquote(parts.path.strip("/")),
        "sign_in": SignIn.PASSWORD,
        **({"port": port} if port else {}),
    }
    values.update(_options(dict(parse_qsl(parts.query, keep_blank_values=True))))
    return parse_settings(SnowflakeSettings, values)


def _options(query: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, value in query.items():
        if name == "private_key_base64":
            values |= {"private_key": _decoded(value), "sign_in": SignIn.KEY_PAIR}
        elif name == "sign_in" and value in {SignIn.OAUTH, SignIn.ACCESS_TOKEN}:
            values["sign_in"] = SignIn(value)
        elif name in _CARRIED:
            values[name] = value
        else:
            raise SettingsInvalid(
                f"“{name}” is not a setting that a URL can carry.",
                hint=f"It can carry private_key_base64, sign_in=oauth, {', '.join(sorted(_CARRIED))}.",
            )
    return values


def _decoded(value: str) -> str:
    try:
        # A plus sign means a blank in a query.
        return base64.b64decode(value.replace(" ", "+"), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise SettingsInvalid("private_key_base64 is not the Base64 of a PEM file.") from None
