"""The file: two lines for people, a line of JSON about the whole, then compressed lines of JSON, one for each answer.

``tail -n +4 FILE | zcat`` shows the answers. The last line holds how many there were and a hash over everything before it,
so that a file which was cut off, or changed, is known as such.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from metamapper.connectors.scope import ScopeFilter
from metamapper.schema import RelationKind, Scope

VERSION = 1
FIRST_LINE = "Metamapper recording, version "
SECOND_LINE = (
    "What a datastore answered to one inspection: names, types and comments; no rows, no secrets of the connection."
)
LONGEST = 256 * 1024 * 1024
"""Bytes that one line may have: nothing is that long which is not made to do harm."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What is known before the first answer. ``within`` is the scope that was asked for."""

    engine: str
    made: str
    metamapper: str
    within: ScopeFilter


class Event(msgspec.Struct, frozen=True, tag_field="event", tag=str.lower, omit_defaults=True):
    """Base of the lines."""


class Opened(Event, frozen=True):
    version: str
    details: Mapping[str, Any] = {}


class Probed(Event, frozen=True):
    token: str | None = None


class Listed(Event, frozen=True):
    """The answer to ``scopes``."""

    scopes: tuple[Scope, ...] = ()
    complete: bool = True
    expected: int | None = None


class Seen(Event, frozen=True):
    """One relation, undecoded: ``text`` where its payload is one, else ``data``."""

    schema: str
    name: str
    kind: RelationKind
    fingerprint: bytes
    text: str | None = None
    data: bytes = b""
    native_id: str | None = None
    row_estimate: int | None = None
    size_bytes: int | None = None


class Ended(Event, frozen=True):
    """The end of the relations."""


class Sent(Event, frozen=True):
    """A statement that was sent."""

    label: str
    sql: str
    seconds: float | None = None
    rows: int | None = None


class Failed(Event, frozen=True, kw_only=True):
    """What was raised: by which call, of which class, in which words, and where in the code."""

    at: str
    kind: str
    code: str = ""
    """Blank where it was no ``ConnectorError`` but a fault of ours."""
    title: str = ""
    permanent: bool = False
    detail: str = ""
    server_said: str = ""
    hint: str = ""
    remedy: str = ""
    unseen: str = ""
    trace: tuple[str, ...] = ()
    """``module:line function``, outermost first."""


class Sealed(Event, frozen=True):
    """The last line."""

    events: int
    digest: str


AnyEvent = Opened | Probed | Listed | Seen | Ended | Sent | Failed | Sealed
DECODER: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
