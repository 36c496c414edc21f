"""The steps of a connection test that all services of AWS have in common: from the name lookup to who we are."""

import ssl
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from metamapper.connectors import errors
from metamapper.connectors.authorities import trusting
from metamapper.connectors.aws import policy
from metamapper.connectors.aws.dial import Account, signed_in
from metamapper.connectors.aws.session import ListedSession
from metamapper.connectors.aws.settings import AwsSettings
from metamapper.connectors.aws.transport import tls_failed
from metamapper.connectors.diagnosis import Check, Finding, inside
from metamapper.connectors.reach import Reach
from metamapper.connectors.scope import ScopeFilter

HTTPS, HTTP = 443, 80


class Approach:
    """How far we get. The steps after the sign-in are the engine's."""

    def __init__(self, service: str, settings: AwsSettings, reach: Reach, stack: ExitStack) -> None:
        self._service = service
        self._settings = settings
        self._reach = reach
        self._stack = stack
        self._account: Account | None = None
        self.arn = ""
        """Who we are, where STS told it."""
        self.refused: errors.PermissionMissing | None = None
        """Why the first call was refused to somebody who is signed in."""

    def steps(self, first_call: Callable[[Account], None]) -> tuple[tuple[str, Check], ...]:
        """The steps in order. ``first_call`` is what tells whether the keys are accepted."""
        return (
            ("Name lookup", self._name_lookup),
            ("Port", self._port),
            ("TLS", self._tls),
            ("Sign-in", lambda: self._sign_in(first_call)),
        )

    def rights_to_write(self) -> Finding:
        """Only a simulation of policies would tell, and that is a right of its own; the root user has every right."""
        if self.arn.endswith(":root"):
            error = errors.PermissionMissing(
                hint="Make a role or user whose policy holds no more than the page of this engine says."
            )
            return Finding("The keys are the account's root user's, who may do everything.", warning=True, error=error)
        return Finding("Not known: AWS tells nobody. Nothing is called but what lists and describes.", warning=True)

    @property
    def account(self) -> Account:
        if self._account is None:
            self._account = self._stack.enter_context(signed_in(self._settings, self._reach))
        return self._account

    def _place(self) -> tuple[str, str, int]:
        client = self.account.client(self._service, self._settings.endpoint_url)
        parts = urlsplit(client.meta.endpoint_url)
        return parts.scheme, parts.hostname or "", parts.port or (HTTPS if parts.scheme == "https" else HTTP)

    def _name_lookup(self) -> Finding:
        _, host, port = self._place()
        return Finding(self._reach.route(host, port).words)

    def _port(self) -> Finding:
        _, host, port = self._place()
        self.account.transport.dial(host, port).close()
        return Finding(f"{port} is open")

    def _tls(self) -> Finding:
        scheme, host, port = self._place()
        context = trusting(self._settings.ca_certificate)
        if scheme != "https":
            return Finding("Not used on this machine")
        with self.account.transport.dial(host, port) as raw:
            try:
                with context.wrap_socket(raw, server_hostname=host) as secured:
                    return Finding(_secured(secured))
            except ssl.SSLError as error:
                raise tls_failed(error) from None
            except TimeoutError:
                raise errors.ConnectionTimeout(
                    "The port is open, but what listens there says nothing.", hint="Check the endpoint."
                ) from None
            except OSError as error:
                raise errors.ConnectionLost(server_said=error.strerror or "", hint="Check the endpoint.") from None

    def _sign_in(self, first_call: Callable[[Account], None]) -> Finding:
        """Rights are told in a step of their own."""
        self.account.assume_role()
        try:
            first_call(self.account)
        except errors.PermissionMissing as error:
            self.refused = error
        try:
            self.arn = self.account.identity()
        except errors.ConnectorError as error:
            said = error.detail or error.server_said or error.title
            return Finding(f"Accepted; as whom is not known, for STS could not be asked: {said}", warning=True)
        return Finding(f"As {self.arn}")


def _secured(connection: ssl.SSLSocket) -> str:
    version = (connection.version() or "TLS").replace("TLSv", "TLS ")
    certificate: Any = connection.getpeercert() or {}
    names = {key: value for part in certificate.get("issuer", ()) for key, value in part}
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    issuer = names.get("commonName") or names.get("organizationName") or "unnamed authority"
    return f"{version}, {issuer}, until {until:%-d %b %Y}"


def rights_on_tables(session: ListedSession, who: str, *, most: int = 25) -> Finding:
    """Ask for a page of the tables of each database, as far as a test should: it is no read."""
    listed = session.databases(ScopeFilter())
    tried = listed[:most]
    closed = {database.name: why for database in tried if (why := session.closed(database))}
    count = f"{len(tried) - len(closed)} of {len(tried)} databases can be read"
    tail = f"; of {len(listed)}, the first {most} were asked" if len(listed) > most else ""
    if not listed:
        missing = errors.PermissionMissing(
            "No database is listed: there is none in this region, or none is shown to whoever signed in.",
            hint="Check region, account and catalog; where Lake Formation decides, paste this as its administrator.",
            remedy=policy.lake_formation_grant("<database>", who),
            unseen="anything",
        )
        return Finding(missing.detail, warning=True, error=missing)
    if not closed:
        return Finding(count + tail)
    missing = errors.PermissionMissing(
        f"{count}{tail}. Not {', '.join(closed)}.",
        server_said=next(iter(closed.values()))[0].server_said,
        hint="Add what shall be seen to a policy of the role or user that reads; the rest can stay closed.",
        remedy="\n".join(dict.fromkeys(remedy for _, remedy in closed.values() if remedy)),
        unseen=inside(closed),
    )
    if len(closed) == len(tried):
        raise missing
    return Finding(missing.detail, warning=True, error=missing)
