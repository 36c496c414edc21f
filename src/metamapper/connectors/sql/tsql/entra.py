"""Signing in as a Microsoft Entra application: its id and secret for a token that the database takes.

See https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow.
"""

import json
import ssl
from dataclasses import replace
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from socket import create_connection
from urllib.parse import urlencode

from metamapper.connectors import errors
from metamapper.connectors.reach import Reach
from metamapper.connectors.sql.redaction import redact
from metamapper.connectors.sql.tsql.settings import TsqlSettings

AUTHORITY = "login.microsoftonline.com"
PORT = 443
SCOPE = "https://database.windows.net/.default"
LARGEST = 64 * 1024


def access_token(settings: TsqlSettings, reach: Reach) -> str:
    """A token for an hour or so; raises a ``ConnectorError``."""
    if not settings.tenant:
        raise errors.SettingsInvalid(
            "Tenant: it is needed to sign in with Microsoft Entra.", hint="The directory's id or one of its domains."
        )
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.user,
        "client_secret": settings.password,
        "scope": SCOPE,
    }
    status, said = _posted(f"/{settings.tenant}/oauth2/v2.0/token", urlencode(form).encode(), settings, reach)
    token = said.get("access_token")
    if status == HTTPStatus.OK and isinstance(token, str):
        return token
    why = " ".join(str(said.get("error_description") or said.get("error") or f"status {status}").split())
    raise errors.SignInFailed(
        server_said=redact(why, settings.secrets()),
        hint="Check the application's id, its secret, which may have expired, and the tenant.",
    )


def _posted(path: str, body: bytes, settings: TsqlSettings, reach: Reach) -> tuple[int, dict[str, object]]:
    """The status and the JSON of one answer; follows no redirect."""
    request = (
        f"POST {path} HTTP/1.1\r\nHost: {AUTHORITY}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    ).encode()
    # Asked by the workers themselves, also where the database is behind a tunnel that lets through to it alone.
    (address, *_) = replace(reach, way=None).addresses(AUTHORITY, PORT)
    try:
        with (
            create_connection((address, PORT), timeout=settings.connect_timeout) as raw,
            ssl.create_default_context().wrap_socket(raw, server_hostname=AUTHORITY) as secured,
        ):
            secured.sendall(request + body)
            response = HTTPResponse(secured, method="POST")
            response.begin()
            said = json.loads(response.read(LARGEST))
    except ssl.SSLError as error:
        raise errors.TlsFailed(f"{AUTHORITY} could not be trusted.", server_said=str(error.reason)) from None
    except TimeoutError:
        raise errors.ConnectionTimeout(f"{AUTHORITY} did not answer.", hint=_NETWORK) from None
    except OSError as error:
        raise errors.HostUnreachable(
            f"{AUTHORITY} cannot be reached.", server_said=error.strerror or "", hint=_NETWORK
        ) from None
    except (HTTPException, ValueError):
        raise errors.ServerForeign(f"What answers as {AUTHORITY} is not Microsoft Entra.") from None
    return response.status, said if isinstance(said, dict) else {}


_NETWORK = "The workers must reach it on port 443 to sign in with Microsoft Entra."
