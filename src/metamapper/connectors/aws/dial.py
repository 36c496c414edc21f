"""Signing in: clients of AWS's services that sign as who the settings say, and send through our transport.

Where an access key signs in, no variable and no file of the worker's has a say. Where its own account does, only that
account's credentials come from there: region, endpoints, retries and time-outs are the settings' in either case.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any

from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES as VARIABLES
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialResolver,
    Credentials,
    DeferredRefreshableCredentials,
)
from botocore.session import Session

from metamapper.connectors import errors
from metamapper.connectors.aws.errors import in_our_words
from metamapper.connectors.aws.settings import AwsSettings, SignIn
from metamapper.connectors.aws.transport import Transport
from metamapper.connectors.reach import Reach

APPLICATION = "metamapper"
NOWHERE = "/nonexistent/metamapper"
_TALKATIVE = ("botocore", "boto3")


class Account:
    """Who signs in, and the clients that do."""

    def __init__(self, settings: AwsSettings, reach: Reach) -> None:
        _keep_quiet()
        self._settings = settings
        self.transport = Transport(settings, reach)
        self._signing_in = self._session_of_whoever_signs_in(reach)

    def client(self, service: str, endpoint_url: str = "") -> Any:
        """A client that acts as the role where there is one, else as whoever signed in."""
        return self._made(self._role if self._settings.role_arn else self._signing_in, service, endpoint_url)

    @cached_property
    def security(self) -> Any:
        """A client of STS that acts as ``client`` does."""
        return self.client("sts", self._settings.sts_endpoint_url)

    def assume_role(self) -> None:
        """Assume the role now, if there is one, so that it is known whether that works; raises a ``ConnectorError``."""
        with in_our_words(self._settings):
            credentials = (self._role if self._settings.role_arn else self._signing_in).get_credentials()
            if credentials is None:
                raise errors.SignInFailed(
                    "The worker has no credentials of its own: no variable, no profile, no role of its machine.",
                    hint="Give the workers a role, or sign in with an access key.",
                )
            credentials.get_frozen_credentials()

    def identity(self) -> str:
        """The ARN of whom STS says that we are, which needs no permission; raises a ``ConnectorError``."""
        with in_our_words(self._settings):
            arn: str = self.security.get_caller_identity()["Arn"]
            return arn

    def _session_of_whoever_signs_in(self, reach: Reach) -> Session:
        settings = self._settings
        if settings.sign_in is SignIn.OWN_ACCOUNT:
            if not reach.own_account:
                raise errors.SettingsInvalid(
                    "The worker's own account may not be used here.",
                    hint="Sign in with an access key, or ask the administrator: METAMAPPER_ALLOW_OWN_ACCOUNT can allow it.",
                )
            return self._sending(Session())
        if not (settings.access_key_id and settings.secret_access_key):
            raise errors.SettingsInvalid("Access key: its ID and its secret are needed.", hint="Give both, or neither.")
        key = Credentials(settings.access_key_id, settings.secret_access_key, settings.session_token or None)
        return self._sending(_deaf_session(key))

    @cached_property
    def _role(self) -> Session:
        """A session as the role, which is assumed again before it ends."""
        extra = {"RoleSessionName": APPLICATION}
        if self._settings.external_id:
            extra["ExternalId"] = self._settings.external_id
        base = self._signing_in
        fetcher = AssumeRoleCredentialFetcher(
            partial(self._security_of, base), base.get_credentials(), self._settings.role_arn, extra_args=extra
        )
        role = _deaf_session(DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role"))
        role.register_component("data_loader", base.get_component("data_loader"))
        return self._sending(role)

    def _security_of(self, session: Session, service: str, **_: Any) -> Any:
        return self._made(session, service, self._settings.sts_endpoint_url)

    def _sending(self, session: Session) -> Session:
        session.register("before-send", self.transport.send)
        return session

    def _made(self, session: Session, service: str, endpoint_url: str) -> Any:
        settings = self._settings
        config = Config(
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.call_timeout,
            retries={"mode": "standard", "total_max_attempts": settings.attempts},
            user_agent_extra=APPLICATION,
            ignore_configured_endpoint_urls=True,
        )
        return session.create_client(
            service, region_name=settings.region, endpoint_url=endpoint_url or None, config=config
        )


@contextmanager
def signed_in(settings: AwsSettings, reach: Reach) -> Iterator[Account]:
    """An account whose connections end with the block; raises a ``ConnectorError``."""
    account = Account(settings, reach)
    try:
        yield account
    finally:
        account.transport.close()


class _Given:
    """A provider of credentials, as the driver's resolver wants one."""

    METHOD = CANONICAL_NAME = APPLICATION

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def load(self) -> Credentials:
        return self._credentials


def _deaf_session(credentials: Credentials) -> Session:
    """A session that reads no variable and no file."""
    variables = {name: (None, None, default, convert) for name, (_, _, default, convert) in VARIABLES.items()}
    for file in ("config_file", "credentials_file"):
        variables[file] = (None, None, NOWHERE, None)
    session = Session(session_vars=variables)
    session.register_component("credential_provider", CredentialResolver([_Given(credentials)]))
    return session


def _keep_quiet() -> None:
    """At DEBUG the driver logs every header and answer, session tokens included: it never gets there."""
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.INFO))
