"""Making a connection with every parameter given: no environment variable and no file of the worker's has a say."""

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
from psycopg import pq
from psycopg.types.string import TextLoader

from metamapper.connectors import errors
from metamapper.connectors.authorities import trusting
from metamapper.connectors.reach import Reach, Route
from metamapper.connectors.sql.postgresql.errors import from_connecting
from metamapper.connectors.sql.postgresql.settings import PostgresqlSettings, Tls

OLDEST = 10
NOWHERE = "/nonexistent/metamapper"
"""A path that is no file: libpq's defaults below the home folder are not looked at."""

_SSLMODE = {Tls.VERIFY: "verify-full", Tls.UNVERIFIED: "require", Tls.OFF: "disable"}
_FIXED = {
    "application_name": "metamapper",
    "client_encoding": "UTF8",
    "gssencmode": "disable",
    "min_protocol_version": "3.0",
    "max_protocol_version": "3.0",
    "require_auth": "scram-sha-256,md5,password,none",  # no tickets or tokens of the worker's own account
    "passfile": NOWHERE,
    "sslcert": NOWHERE,
    "sslkey": NOWHERE,
    "sslcertmode": "disable",
    "keepalives": "1",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class _Tolerant(TextLoader):
    """Text of a SQL_ASCII database may be in any encoding: what is not UTF-8 is shown as such, not refused."""

    def load(self, data: Any) -> str:
        return bytes(data).decode("utf-8", "replace")


@contextmanager
def dialled(settings: PostgresqlSettings, reach: Reach) -> Iterator[psycopg.Connection[Any]]:
    """An open connection in autocommit mode, closed at the end; raises a ``ConnectorError``."""
    with authority_file(settings) as authority:
        connection = _first_that_answers(settings, reach, authority)
    try:
        _refuse_old(connection)
        if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
            connection.execute("SET client_encoding TO 'SQL_ASCII'")
        for name in ("text", "name"):
            connection.adapters.register_loader(name, _Tolerant)
        yield connection
    finally:
        connection.close()


def _first_that_answers(settings: PostgresqlSettings, reach: Reach, authority: str) -> psycopg.Connection[Any]:
    """Try the addresses of the host in turn, all of them within one connect time-out."""
    deadline = monotonic() + settings.connect_timeout
    failure: errors.ConnectorError = errors.ConnectionTimeout()
    route = routed(settings, reach)
    for address in route.addresses:
        left = max(1, round(deadline - monotonic()))
        try:
            return psycopg.connect(
                **parameters(settings, (address, route.port), authority, seconds=left),
                autocommit=True,
                prepare_threshold=None,
            )
        except psycopg.Error as error:
            failure = from_connecting(error, settings)
        if monotonic() >= deadline or not isinstance(failure, _NEXT_ADDRESS_MAY_HELP):
            break
    raise failure from None


_NEXT_ADDRESS_MAY_HELP = (errors.ConnectionRefused, errors.HostUnreachable, errors.ConnectionTimeout)


def routed(settings: PostgresqlSettings, reach: Reach) -> Route:
    """Where to connect to, checked; a blank one for a socket. Raises a ``ConnectorError``."""
    if not settings.is_socket:
        return reach.route(settings.host, settings.port)
    if not reach.sockets:
        raise errors.SettingsInvalid("A unix socket is not allowed here.", hint="Give the name or address of a host.")
    return Route(("",), settings.port, "A unix socket of this machine")


def parameters(settings: PostgresqlSettings, where: tuple[str, int], authority: str, *, seconds: int) -> dict[str, Any]:
    """Every connection parameter that libpq knows, ours where we have one, its compiled default elsewhere."""
    ours = _FIXED | {
        "host": settings.host,
        "hostaddr": where[0],
        "port": str(where[1]),
        "dbname": settings.database,
        "user": settings.user,
        "password": settings.password,
        "sslmode": _SSLMODE[settings.tls_mode],
        "sslrootcert": authority if settings.tls_mode is Tls.VERIFY else NOWHERE,
        "connect_timeout": str(seconds),
    }
    known = {option.keyword.decode(): option for option in pq.Conninfo.get_defaults()}
    defaults = {name: (option.compiled or b"").decode() for name, option in known.items() if option.envvar}
    defaults.pop("service", None)  # even a blank one would be looked up
    return {name: value for name, value in (defaults | ours).items() if name in known}


@contextmanager
def authority_file(settings: PostgresqlSettings) -> Iterator[str]:
    """The path of the certificate authorities to trust; libpq takes them from a file only. Raises ``SettingsInvalid``."""
    if not settings.ca_certificate.strip():
        yield _trusted_by_this_machine()
        return
    if settings.tls_mode is Tls.VERIFY:
        trusting(settings.ca_certificate)
    with tempfile.NamedTemporaryFile(
        "w", prefix="metamapper-ca-", suffix=".pem", encoding="ascii", errors="replace"
    ) as file:
        file.write(settings.ca_certificate)
        file.flush()
        yield file.name


def _trusted_by_this_machine() -> str:
    """Where this machine keeps its authorities: the driver's own OpenSSL may have been built to look elsewhere."""
    paths = ssl.get_default_verify_paths()
    for path in (os.environ.get(paths.openssl_cafile_env), paths.cafile, *_BUNDLES):
        if path and Path(path).is_file():
            return path
    return "system"


def _refuse_old(connection: psycopg.Connection[Any]) -> None:
    version = connection.info.server_version // 10000
    if version < OLDEST:
        raise errors.VersionUnsupported(
            f"The server calls itself PostgreSQL {version}; {OLDEST} and later are read.",
            hint="Redshift and other relatives have engines of their own.",
        )
