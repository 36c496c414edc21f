"""Sending signed requests: every address is looked up once and checked, no proxy, no redirect, TLS that verifies.

The driver hands each request to ``send`` (its event ``before-send``), so that it never opens a connection itself. What can
be tried again is raised as the driver's own error, and its bounded retries see to it; the rest is ours, and final.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import Any
from weakref import WeakSet

import urllib3
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from metamapper.connectors import errors
from metamapper.connectors.authorities import trusting
from metamapper.connectors.aws.settings import AwsSettings
from metamapper.connectors.reach import Reach

CHECK_HOST = "Check the region and the endpoint, and that no firewall drops what the workers send."
LARGEST = 256 * 1024 * 1024
"""Bytes of one answer. A page of a hundred tables has some megabytes at most."""

_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError)


class _Whole:
    """A body that was read to its end, as the driver wants one."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._body


class Transport:
    """The connections of one session. ``close`` may come from another thread, and ends what is under way."""

    def __init__(self, settings: AwsSettings, reach: Reach) -> None:
        self._settings = settings
        self._reach = reach
        self._open: WeakSet[HTTPConnection] = WeakSet()
        self._changing = Lock()
        self.cancelled = False
        self._pools = urllib3.PoolManager(
            num_pools=4,
            maxsize=1,
            timeout=urllib3.Timeout(connect=settings.connect_timeout, read=settings.call_timeout),
            ssl_context=trusting(settings.ca_certificate),
        )
        self._pools.pool_classes_by_scheme = self._dialling()

    def send(self, request: Any, **_: Any) -> AWSResponse:
        """The answer, read to its end; raises a ``ConnectorError`` or, where trying again can help, the driver's error."""
        if self.cancelled:
            raise errors.Cancelled
        try:
            answer = self._pools.urlopen(
                request.method,
                request.url,
                body=request.body,
                headers=dict(request.headers),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
                assert_same_host=False,
            )
            body = answer.read(LARGEST + 1)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            if self.cancelled:
                raise errors.Cancelled from None
            raise self._meaning(error, request.url) from None
        if len(body) > LARGEST:
            answer.close()
            raise errors.ServerForeign(hint="The answer is larger than any of AWS: check the endpoint.")
        return AWSResponse(request.url, answer.status, answer.headers, _Whole(body))

    def cancel(self) -> None:
        """End every connection; never raises."""
        self.cancelled = True
        with self._changing:
            found = list(self._open)
        for connection in found:
            # It may be closed already, or be closed right now by the one who reads.
            with suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._pools.clear()

    def dial(self, host: str, port: int) -> socket.socket:
        """A connection to one of the checked addresses, all of them within one connect time-out."""
        deadline = monotonic() + self._settings.connect_timeout
        failure: errors.ConnectorError = errors.ConnectionTimeout(hint=CHECK_HOST)
        route = self._reach.route(host, port)
        for address in route.addresses:
            try:
                found = socket.create_connection((address, route.port), timeout=max(0.1, deadline - monotonic()))
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                failure = unreachable(error)
            else:
                return found
            if monotonic() >= deadline:
                break
        raise failure

    def note(self, connection: HTTPConnection) -> None:
        """A connection is open, to be ended by a cancel; if one came while it was made, it ends here."""
        with self._changing:
            self._open.add(connection)
        if self.cancelled:
            connection.close()
            raise errors.Cancelled

    def _dialling(self) -> dict[str, type[HTTPConnectionPool]]:
        """Connections of urllib3 whose sockets are ours."""
        transport = self

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return transport.dial(self.host.strip("[]"), self.port)

            def connect(self) -> None:
                super().connect()
                transport.note(self)

        class Secured(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return transport.dial(self.host.strip("[]"), self.port)

            def connect(self) -> None:
                super().connect()
                transport.note(self)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecuredPool(HTTPSConnectionPool):
            ConnectionCls = Secured

        return {"http": PlainPool, "https": SecuredPool}

    def _meaning(self, error: Exception, url: str) -> Exception:
        cause = _innermost(error)
        if isinstance(cause, _CUT) or isinstance(error, urllib3.exceptions.ProtocolError):
            return ConnectionClosedError(endpoint_url=url, error=cause)  # type: ignore[no-any-return]
        if isinstance(cause, ssl.SSLError):
            return tls_failed(cause)
        if isinstance(error, urllib3.exceptions.TimeoutError) or isinstance(cause, TimeoutError):
            return errors.ConnectionTimeout(
                "The service is reached, but it says nothing.", hint=f"{CHECK_HOST} Or raise the call time-out."
            )
        return errors.HostUnreachable(server_said=str(cause), hint=CHECK_HOST)


def tls_failed(error: ssl.SSLError) -> errors.ConnectorError:
    """What a handshake that failed means. It may not have been TLS that answered at all."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return errors.TlsFailed(
            server_said=error.verify_message,
            hint="Use the name that stands in the certificate, or add the authority that signed it to the settings.",
        )
    if error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        return errors.ServerForeign(hint="What answers at this endpoint does not speak TLS: check its port.")
    return errors.TlsFailed(server_said=error.reason or "the handshake failed", hint="Check the endpoint.")


def unreachable(error: OSError) -> errors.ConnectorError:
    """What it means that no connection could be made."""
    said = error.strerror or str(error)
    if isinstance(error, TimeoutError):
        return errors.ConnectionTimeout(server_said=said, hint=CHECK_HOST)
    if isinstance(error, ConnectionRefusedError):
        return errors.ConnectionRefused(server_said=said, hint="Check the endpoint and its port.")
    return errors.HostUnreachable(server_said=said, hint=CHECK_HOST)


def _innermost(error: BaseException) -> BaseException:
    """What a chain of wrappers was made for."""
    for each in (getattr(error, "reason", None), error.__cause__, error.__context__, *error.args[::-1]):
        if isinstance(each, BaseException) and each is not error:
            return _innermost(each)
    return error
