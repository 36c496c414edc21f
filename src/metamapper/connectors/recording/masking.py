"""Taking the secrets of a connection out of whatever is recorded, in every spelling in which they may stand there."""

import ipaddress
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

import msgspec

from metamapper.connectors.base import EngineSettings

MASK = b"***"
PLACE = "<host>"
SHORTEST = 4
"""A secret of fewer characters is found everywhere by chance: nothing there says that it is one."""
SHORTEST_PART = 8
"""Characters of a line that is looked for by itself."""
PLACES = ("host", "account", "endpoint", "endpoint_url", "sts_endpoint_url")
"""Settings that say where a datastore is."""
_ADDRESS = re.compile(r"(?<![\w.:])[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*[0-9A-Fa-f:]")
"""What may be an address, of either kind."""
_HOST = re.compile(r"^\w+://([^/:]+).*$")

V = TypeVar("V")


class Mask:
    """What must not be recorded of these settings."""

    def __init__(self, settings: EngineSettings, hosts: Sequence[str] = ()) -> None:
        secrets: tuple[str, ...] = getattr(settings, "hidden", settings.secrets())
        spellings = {each.encode() for secret in secrets for each in _spellings(secret) if len(each) >= SHORTEST}
        self._secrets = _any_of(sorted(spellings, key=len, reverse=True))
        places = set(hosts) | {_HOST.sub(r"\1", str(getattr(settings, name, "") or "")) for name in PLACES}
        self._places = re.compile(
            "|".join(rf"(?<![\w.-]){re.escape(each)}(?![\w-])" for each in sorted(places - {""}, key=len, reverse=True))
            or r"(?!)"
        )

    def data(self, value: bytes) -> bytes:
        """Without secrets; names of schemas, tables and all that belongs to them stay."""
        return self._secrets.sub(MASK, value) if self._secrets else value

    def text(self, value: str) -> str:
        return self.data(value.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def words(self, value: str) -> str:
        """What is said about the connection: without its secrets, hosts and addresses."""
        return _ADDRESS.sub(_without_address, self._places.sub(PLACE, self.text(value)))

    def value(self, value: V, kind: type[V]) -> V:
        """A value of ours, without secrets in any of its texts."""
        return msgspec.convert(self._without(msgspec.to_builtins(value)), kind)

    def details(self, value: Any) -> Any:
        """Facts of a server as JSON values, without what says where it is."""
        return self._without(msgspec.to_builtins(value), words=True)

    def _without(self, value: Any, *, words: bool = False) -> Any:
        if isinstance(value, str):
            return self.words(value) if words else self.text(value)
        if isinstance(value, dict):
            return {key: self._without(each, words=words) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._without(each, words=words) for each in value]
        return value


def _without_address(found: re.Match[str]) -> str:
    address, colon, port = found[0], "", ""
    if address.count(":") == 1:
        address, colon, port = address.partition(":")
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return found[0]
    return PLACE + colon + port


def _any_of(spellings: list[bytes]) -> re.Pattern[bytes] | None:
    return re.compile(b"|".join(map(re.escape, spellings))) if spellings else None


def _spellings(secret: str) -> Iterator[str]:
    """As it is, line by line, in URLs, in JSON, as Python shows it, in Base64."""
    lines = (line.strip() for line in secret.splitlines())
    for plain in {secret, *(line for line in lines if len(line) >= SHORTEST_PART)}:
        yield plain
        yield from _in_urls(plain)
        for text in (json.dumps(plain), json.dumps(plain, ensure_ascii=False), repr(plain)):
            yield text[1:-1]
        yield from _in_base64(plain.encode())


def _in_urls(plain: str) -> Iterator[str]:
    for spelled in {quote(plain), quote(plain, safe=""), quote_plus(plain)}:
        yield spelled
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), spelled)


def _in_base64(data: bytes) -> Iterable[str]:
    """What its Base64 looks like wherever it begins in a longer text: the characters that hold nothing but it."""
    for before in range(3):
        first, last = -(-before * 8 // 6), (before + len(data)) * 8 // 6
        for encode in (b64encode, urlsafe_b64encode):
            yield encode(b"\0" * before + data).decode()[first:last]
