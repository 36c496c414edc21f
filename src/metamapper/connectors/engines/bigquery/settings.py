"""How a BigQuery project is reached: an allow-list of settings. Nothing else ever gets to the client."""

import base64
import binascii
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, unquote

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.settings import EngineSettings, described, parse_settings

ENDPOINT = "https://bigquery.googleapis.com"
SHORTEST_LINE = 8


class SignIn(StrEnum):
    KEY = "key"
    DEFAULT = "default"


SIGN_INS = {
    SignIn.KEY: "A service account's key",
    SignIn.DEFAULT: "The account that the workers run as",
}


class BigquerySettings(EngineSettings, frozen=True, kw_only=True):
    project: Annotated[
        str,
        described("Project", "The id of the project whose datasets are read.", example="acme-warehouse", min_length=1),
    ]
    sign_in: Annotated[
        SignIn,
        described(
            "Sign-in",
            "The workers' own account is found by application default credentials, and used where the administrator"
            " allows it.",
            input="select",
            choices={each.value: label for each, label in SIGN_INS.items()},
        ),
    ] = SignIn.KEY
    key: Annotated[
        str,
        described(
            "Service account key",
            "The JSON text of the key's file. Stored encrypted, never shown again.",
            secret=True,
            input="textarea",
            when={"sign_in": (SignIn.KEY,)},
            needed={"sign_in": (SignIn.KEY,)},
        ),
    ] = ""
    endpoint: Annotated[
        str,
        described("Endpoint", "Another address only where Private Service Connect gives one.", min_length=1),
    ] = ENDPOINT
    parallel: Annotated[
        int,
        described("Calls at a time", "Each table takes a call of its own.", input="number", tuning=True, ge=1, le=32),
    ] = 8
    connect_timeout: Annotated[
        int,
        described(
            "Connect time-out", "Seconds until a silent server is given up.", input="number", tuning=True, ge=1, le=120
        ),
    ] = 10
    call_timeout: Annotated[
        int, described("Call time-out", "Seconds that one call may take.", input="number", tuning=True, ge=1, le=600)
    ] = 60

    def secrets(self) -> tuple[str, ...]:
        """The key, and each line of the private key in it: a library may repeat a part of the text."""
        lines = self.key.replace("\\n", "\n").splitlines()
        return (self.key, *(line for line in lines if len(line.strip()) >= SHORTEST_LINE)) if self.key else ()


_CARRIED = {"endpoint", "parallel", "connect_timeout", "call_timeout"}


def settings_from_url(parts: SplitResult) -> BigquerySettings:
    """``bigquery://project`` signs in as the caller's own account; ``?credentials_base64=…`` carries a key.

    Raises ``SettingsInvalid``, never with the key in it.
    """
    if parts.path.strip("/"):
        raise SettingsInvalid("A BigQuery URL names a project and nothing else.", hint="Choose datasets by the scope.")
    values: dict[str, object] = {"project": unquote(parts.netloc), "sign_in": SignIn.DEFAULT}
    values.update(_options(dict(parse_qsl(parts.query, keep_blank_values=True))))
    return parse_settings(BigquerySettings, values)


def _options(query: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, value in query.items():
        if name == "credentials_base64":
            values |= {"key": _decoded(value), "sign_in": SignIn.KEY}
        elif name in _CARRIED:
            values[name] = value
        else:
            raise SettingsInvalid(
                f"“{name}” is not a setting that a URL can carry.",
                hint=f"It can carry credentials_base64, {', '.join(sorted(_CARRIED))}.",
            )
    return values


def _decoded(value: str) -> str:
    try:
        # A plus sign means a blank in a query.
        return base64.b64decode(value.replace(" ", "+"), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise SettingsInvalid("credentials_base64 is not the Base64 of a key's file.") from None
