"""What engines that are reached by host, port, user and password describe alike: fields, TLS, the parts of a URL.

An engine that has other words for a field writes them in its own settings.
"""

from enum import StrEnum
from typing import Annotated
from urllib.parse import SplitResult, unquote

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.reach import is_loopback
from metamapper.connectors.settings import described


class Tls(StrEnum):
    AUTOMATIC = "automatic"
    VERIFY = "verify"
    UNVERIFIED = "unverified"
    OFF = "off"


TLS_CHOICES = {
    Tls.AUTOMATIC: "Verify certificate and name, except on this machine",
    Tls.VERIFY: "Verify certificate and name",
    Tls.UNVERIFIED: "Encrypt, but trust any server (insecure)",
    Tls.OFF: "No TLS (insecure)",
}

Port = Annotated[int, described("Port", input="number", ge=1, le=65535)]
Password = Annotated[str, described("Password", "Stored encrypted, never shown again.", secret=True, input="password")]
TlsMode = Annotated[
    Tls,
    described(
        "TLS",
        "Whether the server must prove who it is.",
        input="select",
        choices={mode.value: label for mode, label in TLS_CHOICES.items()},
    ),
]
CaCertificate = Annotated[
    str,
    described(
        "Certificate authority", "PEM text. Blank trusts the authorities that this machine trusts.", input="textarea"
    ),
]
ConnectTimeout = Annotated[
    int,
    described(
        "Connect time-out", "Seconds until a silent server is given up.", input="number", tuning=True, ge=1, le=120
    ),
]
StatementTimeout = Annotated[
    int,
    described(
        "Statement time-out", "Seconds that one catalog statement may take.", input="number", tuning=True, ge=1, le=3600
    ),
]


def meant(tls: Tls, host: str) -> Tls:
    """What AUTOMATIC means for a host."""
    if tls is not Tls.AUTOMATIC:
        return tls
    return Tls.OFF if is_loopback(host) else Tls.VERIFY


def parts_of(url: SplitResult, port: int) -> dict[str, object]:
    """Host, port, database, user and password of ``scheme://user:password@host:port/database``, as settings call them.

    Every part may be percent-encoded; the host stays as it was written, for the path of a socket keeps its capitals, and
    is blank where there is none. Raises ``SettingsInvalid``, never with the password in it.
    """
    return {
        "host": _host(url),
        "port": _port(url, port),
        "database": unquote(url.path.removeprefix("/")),
        "user": unquote(url.username or ""),
        "password": unquote(url.password or ""),
    }


def _host(url: SplitResult) -> str:
    written = url.netloc.rpartition("@")[2]
    if written.startswith("["):
        return written[1:].partition("]")[0]
    return unquote(written.rpartition(":")[0] if ":" in written else written)


def _port(url: SplitResult, usual: int) -> int:
    try:
        return url.port or usual
    except ValueError:
        # The text of the error would repeat what stands there, which may be a part of the password.
        raise SettingsInvalid(
            "The port in the URL is not a number up to 65535.",
            hint="In user and password write @ : / ? # % as %40 %3A %2F %3F %23 %25.",
        ) from None
