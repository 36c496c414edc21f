"""Taking the secrets of a connection out of whatever is recorded, in every spelling in which they may stand there."""

import ipaddress
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec

from metamapper.connectors.base import EngineSettings
from metamapper.connectors.errors import SettingsInvalid
from metamapper.schema import Scope

MASK = b"***"
PLACE = "<host>"
SHORTEST = 4
"""A secret of fewer characters is found everywhere by chance: nothing there says that it is one."""
SHORTEST_PART = 8
"""Characters of a line that is looked for by itself."""
PLACES = ("host", "account", "endpoint", "endpoint_url", "sts_endpoint_url")
"""Settings that say where a datastore is."""
_FIELD = re.compile(r"[a-z_]{1,40}")
"""What a key looks like that is a word of ours or of an engine's, and not of a catalog."""
_ADDRESS = re.compile(r"(?<![\w.:])[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*[0-9A-Fa-f:]")
"""What may be an address, of either kind."""
_HOST = re.compile(r"^\w+://([^/:]+).*$")


class Mask:
    """What must not be recorded of these settings."""

    def __init__(self, settings: EngineSettings, hosts: Sequence[str] = ()) -> None:
        secrets: tuple[str, ...] = getattr(settings, "hidden", settings.secrets())
        spellings = {each.encode() for secret in secrets for each in _spellings(secret) if len(each) >= SHORTEST}
        self._secrets = _any_of(sorted(spellings, key=len, reverse=True))
        self._places = re.compile(
            "|".join(
                rf"(?<![\w.-]){re.escape(each)}(?![\w-])"
                for each in sorted({*hosts, *_places_of(settings)} - {""}, key=len, reverse=True)
            )
            or r"(?!)",
            re.IGNORECASE,
        )

    def data(self, value: bytes) -> bytes:
        """Without secrets; names of schemas, tables and all that belongs to them stay."""
        return self._secrets.sub(MASK, value) if self._secrets else value

    def payload(self, value: bytes) -> bytes:
        """An engine's answer without secrets. Where it is JSON it stays JSON: only texts are looked into, not numbers."""
        if self._secrets is None or self.data(value) == value:
            return value
        try:
            found = msgspec.json.decode(value)
        except msgspec.DecodeError:
            return self.data(value)
        return msgspec.json.encode(self._without(found, keys=True))

    def text(self, value: str) -> str:
        return self.data(value.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def words(self, value: str) -> str:
        """What is said about the connection: without its secrets, hosts and addresses."""
        return _ADDRESS.sub(_without_address, self._places.sub(PLACE, self.text(value)))

    def scope(self, value: Scope) -> Scope:
        """Without secrets in any of its texts; what is said of why it cannot be read names no place either."""
        masked = msgspec.convert(self._without(msgspec.to_builtins(value)), Scope)
        reason, remedy = (self.words(each) if each else each for each in (masked.reason, masked.remedy))
        return msgspec.structs.replace(masked, reason=reason, remedy=remedy)

    def details(self, value: Any) -> Any:
        """Facts of a server as JSON values, without what says where it is."""
        return self._without(msgspec.to_builtins(value), words=True)

    def _without(self, value: Any, *, words: bool = False, keys: bool = False) -> Any:
        if isinstance(value, str):
            return self.words(value) if words else self.text(value)
        if isinstance(value, dict):
            return {
                self.text(key) if keys and not _FIELD.fullmatch(key) else key: self._without(
                    each, words=words, keys=keys
                )
                for key, each in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._without(each, words=words, keys=keys) for each in value]
        return value


def _places_of(settings: EngineSettings) -> Iterator[str]:
    """Where a datastore is, as it was given and as it is connected to."""
    given = [str(getattr(settings, name, "") or "") for name in PLACES]
    with suppress(SettingsInvalid):  # then there was no place to connect to
        given.append(str(getattr(settings, "address", "") or ""))
    for each in given:
        place = _HOST.sub(r"\1", each)
        # Where a name has a _, its address has a - instead.
        yield from {place, place.replace("_", "-")}


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
