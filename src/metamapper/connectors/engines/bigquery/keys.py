"""Who signs in: a service account by its key, or the account that this process runs as."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import google.auth
import msgspec
import requests
from google.auth.credentials import Credentials
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from metamapper.connectors import errors
from metamapper.connectors.engines.bigquery.settings import BigquerySettings, SignIn
from metamapper.connectors.reach import Reach
from metamapper.connectors.wire import Origin

SCOPES = ("https://www.googleapis.com/auth/cloud-platform.read-only",)
"""A token of this scope is refused whatever would change something, whoever holds it."""

TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
_PROJECT = re.compile(r"(?:[a-z0-9][a-z0-9.-]*:)?[a-z][a-z0-9-]*\Z")
"""An id, that of an old project with its domain before it; it becomes part of an address."""
_KIND = "service_account"
_NOT_OURS = "Give a service account's key, or ask the administrator to set METAMAPPER_ALLOW_OWN_ACCOUNT."
_WHERE = "Make a key for the service account (IAM & Admin, Service Accounts, Keys) and paste the whole JSON file."

THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class _Key(msgspec.Struct, frozen=True):
    """What a key's file must hold. Other kinds of credentials can name commands and addresses, so none is taken."""

    type: str
    client_email: str
    private_key: str
    private_key_id: str = ""
    token_uri: str = TOKEN_URI


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can ask for tokens. ``ask`` is how a token is fetched; ``name`` is None where it is not known."""

    credentials: Credentials
    ask: Callable[..., Any]
    name: str | None

    @property
    def member(self) -> str:
        """How IAM spells it, to be pasted into a grant."""
        return f"serviceAccount:{self.name}" if self.name else "serviceAccount:<the account of the workers>"


def account(settings: BigquerySettings, session: requests.Session, reach: Reach) -> Account:
    """The account of these settings; raises ``SettingsInvalid`` or ``SignInFailed``. ``session`` fetches its tokens."""
    if not _PROJECT.match(settings.project):
        raise errors.SettingsInvalid(
            f"“{settings.project}” is no id of a project.", hint="Use the id, not the name or the number."
        )
    seconds = (settings.connect_timeout, settings.call_timeout)
    if settings.sign_in is SignIn.KEY:
        return _of_key(_key(settings), partial(Request(session), timeout=seconds))
    if not reach.own_account:
        raise errors.SettingsInvalid("The workers' own account signs in to nothing here.", hint=_NOT_OURS)
    if (host := urlsplit(settings.endpoint).hostname or "") and not _is_googles(settings.endpoint, host, reach):
        raise errors.SettingsInvalid(
            f"The workers' own account signs in to Google only, and {host} is not Google's.",
            hint="Leave the endpoint blank, name one under googleapis.com, or sign in with a key.",
        )
    return _of_this_process(seconds)


def _is_googles(endpoint: str, host: str, reach: Reach) -> bool:
    """Whoever gets the token may read with it what the account may, for an hour.

    This machine is the administrator's, but through a tunnel its name is another machine's.
    """
    return (host in THIS_MACHINE and not reach.way) or (
        endpoint.startswith("https://") and host.rstrip(".").endswith(".googleapis.com")
    )


def _of_key(key: _Key, ask: Callable[..., Any]) -> Account:
    try:
        found = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]  # Google's
            {**msgspec.to_builtins(key), "private_key": key.private_key}, scopes=SCOPES
        )
    except ValueError:
        # Its text may tell of the key.
        raise errors.SettingsInvalid(
            "The private key within the service account key is damaged.", hint=_WHERE
        ) from None
    return Account(found, ask, key.client_email)


def _of_this_process(seconds: tuple[int, int]) -> Account:
    """Where its tokens come from is told by the machine, not by anybody's settings, so its address is not checked."""
    try:
        found, _ = google.auth.default(scopes=SCOPES)
    except google.auth.exceptions.DefaultCredentialsError:
        raise errors.SignInFailed(
            "The account that the workers run as has no credentials.",
            hint="Set GOOGLE_APPLICATION_CREDENTIALS there, or give a service account's key instead.",
        ) from None
    name = getattr(found, "service_account_email", None)
    return Account(found, partial(Request(), timeout=seconds), name if name != "default" else None)


def _key(settings: BigquerySettings) -> _Key:
    try:
        key = msgspec.json.decode(settings.key, type=_Key)
    except msgspec.DecodeError:
        raise errors.SettingsInvalid("The service account key is no key's file in JSON.", hint=_WHERE) from None
    if key.type != _KIND:
        raise errors.SettingsInvalid("Only keys of service accounts are taken.", hint=_WHERE)
    if not _may_give_tokens(key.token_uri, settings):
        raise errors.SettingsInvalid(
            "The key asks for tokens at an address that is not Google's.", hint=f"Its token_uri is usually {TOKEN_URI}."
        )
    return key


def _may_give_tokens(uri: str, settings: BigquerySettings) -> bool:
    """Google's own hosts, or the endpoint's: a key must not send the workers to somebody else's server."""
    try:
        parts = urlsplit(uri)
        where = Origin.of(f"{parts.scheme}://{parts.netloc}")
    except (ValueError, errors.SettingsInvalid):
        return False
    return where == Origin.of(settings.endpoint) or (where.secure and where.host.endswith(".googleapis.com"))
