"""How a service of AWS is reached and signed in to: an allow-list of settings. Nothing else ever gets to the driver."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, TypeVar
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.reach import is_loopback
from metamapper.connectors.settings import EngineSettings, described, parse_settings

REGION = r"^[a-z]{2,}(-[a-z]+)+-\d{1,2}$"
ROLE = r"^(arn:aws[a-z-]*:iam::\d{12}:role/\S+)?$"
ENDPOINT = r"^(https?://[^\s/?#@]+/?)?$"


class SignIn(StrEnum):
    KEYS = "keys"
    OWN_ACCOUNT = "own account"


SIGN_IN_CHOICES = {
    SignIn.KEYS: "Access key",
    SignIn.OWN_ACCOUNT: "The worker's own account (default credential chain)",
}


_WITH_KEYS = {"sign_in": (SignIn.KEYS,)}


class AwsSettings(EngineSettings, frozen=True, kw_only=True):
    region: Annotated[str, described("Region", example="eu-west-1", pattern=REGION)]
    sign_in: Annotated[
        SignIn,
        described(
            "Sign-in",
            "Whether to use an access key, or the role or profile that the worker itself has, where the administrator allows it.",
            input="select",
            choices={kind.value: label for kind, label in SIGN_IN_CHOICES.items()},
        ),
    ] = SignIn.KEYS
    access_key_id: Annotated[
        str,
        described("Access key ID", example="AKIAIOSFODNN7EXAMPLE", max_length=128, when=_WITH_KEYS, needed=_WITH_KEYS),
    ] = ""
    secret_access_key: Annotated[
        str,
        described(
            "Secret access key",
            "Stored encrypted, never shown again.",
            secret=True,
            input="password",
            when=_WITH_KEYS,
            needed=_WITH_KEYS,
        ),
    ] = ""
    session_token: Annotated[
        str,
        described(
            "Session token",
            "Only for temporary keys, which end after some hours. Stored encrypted, never shown again.",
            secret=True,
            input="password",
            when=_WITH_KEYS,
        ),
    ] = ""
    role_arn: Annotated[
        str,
        described(
            "Role",
            "The ARN of a role to assume after the sign-in. Blank reads as whoever signed in.",
            example="arn:aws:iam::123456789012:role/metamapper",
            pattern=ROLE,
        ),
    ] = ""
    external_id: Annotated[
        str,
        described(
            "External ID",
            "What the role's trust policy asks for (sts:ExternalId). Stored encrypted, never shown again.",
            secret=True,
            input="password",
            max_length=1224,
        ),
    ] = ""
    endpoint_url: Annotated[
        str,
        described(
            "Endpoint",
            "Of an interface VPC endpoint, for example. Blank is the region's own; http:// only on this machine.",
            example="https://vpce-1.glue.eu-west-1.vpce.amazonaws.com",
            pattern=ENDPOINT,
        ),
    ] = ""
    sts_endpoint_url: Annotated[
        str,
        described(
            "Endpoint of STS",
            "Where a role is assumed and the account is asked for. Blank is the region's own.",
            pattern=ENDPOINT,
        ),
    ] = ""
    ca_certificate: Annotated[
        str,
        described(
            "Certificate authority",
            "PEM text, where an endpoint has a certificate of your own. Blank trusts whom this machine trusts.",
            input="textarea",
        ),
    ] = ""
    connect_timeout: Annotated[
        int,
        described(
            "Connect time-out", "Seconds until a silent server is given up.", input="number", tuning=True, ge=1, le=120
        ),
    ] = 10
    call_timeout: Annotated[
        int,
        described(
            "Call time-out", "Seconds that the service may stay silent.", input="number", tuning=True, ge=1, le=900
        ),
    ] = 60
    attempts: Annotated[
        int,
        described(
            "Attempts",
            "How often a call is made that is throttled or cut off, with growing pauses.",
            input="number",
            tuning=True,
            ge=1,
            le=12,
        ),
    ] = 6

    def __post_init__(self) -> None:
        for url in (self.endpoint_url, self.sts_endpoint_url):
            if url.startswith("http://") and not is_loopback(urlsplit(url).hostname or ""):
                raise ValueError("An endpoint that is not on this machine must start with https://")

    @property
    def hidden(self) -> tuple[str, ...]:
        """What is taken out of every text: the secrets, and the key's own name."""
        return (*self.secrets(), *((self.access_key_id,) if self.access_key_id else ()))


S = TypeVar("S", bound=AwsSettings)


def settings_of_url(settings: type[S], parts: SplitResult, *, path: str) -> S:
    """``glue://KEY:SECRET@eu-west-1/123456789012?role_arn=…``: region as the host, ``path`` is the setting that the path is.

    Without a key, the worker's own account signs in. The query carries the other settings by their names. Every part may be
    percent-encoded. Raises ``SettingsInvalid``, never with a secret in it.
    """
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    _refuse_unknown(settings, query, path)
    user = unquote(parts.username or "")
    values: dict[str, object] = {
        **query,
        "region": unquote(parts.netloc.rpartition("@")[2]),
        "sign_in": (SignIn.KEYS if user else SignIn.OWN_ACCOUNT).value,
        "access_key_id": user,
        "secret_access_key": unquote(parts.password or ""),
    }
    named = unquote(parts.path.removeprefix("/"))
    return parse_settings(settings, values | ({path: named} if named else {}))


def _refuse_unknown(settings: type[AwsSettings], query: Mapping[str, str], path: str) -> None:
    elsewhere = {"region", "sign_in", "access_key_id", "secret_access_key", path}
    allowed = [name for name in settings.__struct_fields__ if name not in elsewhere]
    for name in query:
        if name not in allowed:
            raise SettingsInvalid(
                f"“{name}” is not a setting that a URL can carry.", hint=f"It can carry {', '.join(allowed)}."
            )
