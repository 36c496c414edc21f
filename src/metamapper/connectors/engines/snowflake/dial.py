"""Making a connection with every parameter given: no variable and no file of the worker's has a say."""

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import snowflake.connector
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from snowflake.connector.errors import Error

from metamapper.connectors import errors
from metamapper.connectors.engines.snowflake.errors import translated
from metamapper.connectors.engines.snowflake.names import stored
from metamapper.connectors.engines.snowflake.settings import SignIn, SnowflakeSettings
from metamapper.connectors.gate import LOOPBACK, USER, Gate, gate
from metamapper.connectors.reach import Reach

# Else the driver asks the metadata services of three clouds, past every proxy, where it runs.
os.environ["SNOWFLAKE_DISABLE_PLATFORM_DETECTION"] = "true"

# What it tells of its calls names the places where results lie, which whoever knows them may fetch.
logging.getLogger("snowflake.connector").setLevel(logging.WARNING)

OWN_DOMAINS = (".snowflakecomputing.com", ".snowflakecomputing.cn")
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
ATTEMPTS = 3
LOGOUT_SECONDS = 5
BESIDE = 30
"""Seconds that the driver waits for a statement longer than the server lets it take."""

_FIXED: dict[str, Any] = {
    "application": "metamapper",
    "protocol": "https",
    "paramstyle": "qmark",
    "secondary_roles": "NONE",
    "no_proxy": "",
    "use_proxy_env": False,
    "client_store_temporary_credential": False,
    "enable_server_session_keep_alive_auto_detection": False,
    "server_session_keep_alive": False,
    "logout_max_attempts": 1,
    "logout_total_timeout_seconds": LOGOUT_SECONDS,
    "auto_cleanup": False,
    "retry_max_attempts": ATTEMPTS,
    "client_memory_limit": 64,
    "client_prefetch_threads": 2,
    "client_out_of_band_telemetry_enabled": False,
}
_AUTHENTICATORS = {
    SignIn.PASSWORD: "SNOWFLAKE",
    SignIn.KEY_PAIR: "SNOWFLAKE_JWT",
    SignIn.OAUTH: "OAUTH",
    SignIn.ACCESS_TOKEN: "PROGRAMMATIC_ACCESS_TOKEN",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A connection, and the gate that all it does goes through."""

    connection: Any
    gate: Gate


@contextmanager
def dialled(settings: SnowflakeSettings, reach: Reach) -> Iterator[Line]:
    """An open session, closed at the end; raises a ``ConnectorError``."""
    _refuse_strangers(settings, reach)
    with ExitStack() as stack:
        through = stack.enter_context(gate(reach, settings.connect_timeout))
        authority = stack.enter_context(_authority_file(settings))
        try:
            connection = snowflake.connector.connect(**parameters(settings, through, authority))
        except Error as error:
            raise translated(error, settings, through) from None
        try:
            yield Line(connection, through)
        finally:
            connection.close(retry=False)


def _refuse_strangers(settings: SnowflakeSettings, reach: Reach) -> None:
    """Only Snowflake's own hosts: the driver does what a server says, be it to send or to store files of this machine.

    This machine itself is left to the administrator's reach; it is where the tests have their server. Through a tunnel
    its name would be another machine's.
    """
    host = settings.address.rstrip(".").lower()
    reach.route(host, settings.port)
    if not host.endswith(OWN_DOMAINS) and (host not in THIS_MACHINE or reach.way):
        raise errors.AddressDenied(
            f"{settings.address} is no host of Snowflake.", hint=f"Its name ends in {' or '.join(OWN_DOMAINS)}."
        )


def parameters(settings: SnowflakeSettings, through: Gate, authority: str | None) -> dict[str, Any]:
    """Every connection parameter that matters; none that names a file or an address of the settings' own."""
    ours: dict[str, Any] = _FIXED | {
        "account": settings.account,
        "host": settings.address,
        "port": settings.port,
        "user": settings.user,
        "authenticator": _AUTHENTICATORS[settings.sign_in],
        "proxy_host": LOOPBACK,
        "proxy_port": through.port,
        "proxy_user": USER,
        "proxy_password": through.password,
        "connect_timeout": settings.connect_timeout,
        "login_timeout": settings.connect_timeout,
        "request_timeout": settings.connect_timeout,
        "query_timeout": settings.statement_timeout + BESIDE,
        "session_parameters": {
            "QUERY_TAG": "metamapper",
            "TIMEZONE": "UTC",
            "STATEMENT_TIMEOUT_IN_SECONDS": settings.statement_timeout,
            "ABORT_DETACHED_QUERY": True,
            "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
            "CLIENT_TELEMETRY_ENABLED": False,
        },
        **_credentials(settings),
    }
    optional = {
        "role": stored(settings.role),
        "warehouse": stored(settings.warehouse),
        "custom_root_store_path": authority,
    }
    return ours | {name: value for name, value in optional.items() if value}


def _credentials(settings: SnowflakeSettings) -> dict[str, str]:
    """Only what the kind of sign-in needs; raises ``SettingsInvalid`` where that is missing."""
    if settings.sign_in is SignIn.KEY_PAIR:
        _check_key(settings)
        given = {"private_key": settings.private_key, "private_key_password": settings.passphrase}
        return {name: value for name, value in given.items() if value}
    name = "password" if settings.sign_in is SignIn.PASSWORD else "token"
    value: str = getattr(settings, name)
    if not value:
        raise errors.SettingsInvalid(f"This kind of sign-in needs a {name}.")
    return {name: value}


def _check_key(settings: SnowflakeSettings) -> None:
    """Read the key here first: the driver's words for a bad one say nothing, and may show it."""
    passphrase = settings.passphrase.encode() or None
    try:
        load_pem_private_key(settings.private_key.encode(), passphrase)
    except TypeError:
        needs = "needs its passphrase" if passphrase is None else "has no passphrase"
        raise errors.SettingsInvalid(f"The private key {needs}.") from None
    except ValueError:
        raise errors.SettingsInvalid(
            "The private key is no PEM text, is damaged, or has another passphrase.",
            hint="It starts with -----BEGIN PRIVATE KEY----- or -----BEGIN ENCRYPTED PRIVATE KEY-----.",
        ) from None


@contextmanager
def _authority_file(settings: SnowflakeSettings) -> Iterator[str | None]:
    """The path of the certificate authorities to trust; the driver takes them from a file only."""
    if not settings.ca_certificate.strip():
        yield None
        return
    with tempfile.NamedTemporaryFile(
        "w", prefix="metamapper-ca-", suffix=".pem", encoding="ascii", errors="replace"
    ) as file:
        file.write(settings.ca_certificate)
        file.flush()
        yield file.name
