"""The embedded broker: messages as files in a folder. For one machine, with nothing to install.

It is kombu's virtual transport over kombu's file-system channel, whose writes are not atomic: a reader can take a message
before it is written. Here a message appears and is taken by a rename. Queues are direct: an exchange delivers to the
queue of its own name.
"""

import os
import uuid
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from queue import Empty
from time import time_ns
from typing import Any

import structlog
from kombu.transport import filesystem, virtual
from kombu.utils.json import dumps, loads

log = structlog.get_logger(__name__)
READY, DRAFT, TAKEN = ".message", ".draft", ".taken"


LOOK_UP_SECONDS = 0.5


class Channel(filesystem.Channel):
    supports_fanout = False

    @cached_property
    def folder(self) -> Path:
        """Readable by this user only: who may write here may wake workers."""
        folder = Path(self.transport_options["folder"])
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        return folder

    def get_table(self, exchange: str) -> list[Any]:
        """Events, which go to a topic exchange, have no listener here and are dropped."""
        kind = (self.state.exchanges or {}).get(exchange, {}).get("type", "direct")
        return [filesystem.exchange_queue_t(exchange, "", exchange)] if kind == "direct" else []

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str | None) -> None:
        """Nothing to keep: see ``get_table``."""

    def _put(self, queue: str, message: Any, **_: Any) -> None:  # type: ignore[override] # kombu's own bases disagree
        name = f"{time_ns():020}-{uuid.uuid4().hex}.{queue}"
        draft = self.folder / (name + DRAFT)
        draft.write_text(dumps(message), encoding="utf-8")
        draft.replace(self.folder / (name + READY))

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ARG002 - kombu's signature
        for path in self._waiting(queue):
            taken = path.with_suffix(TAKEN)
            try:
                path.rename(taken)
            except FileNotFoundError:  # another worker was quicker
                continue
            text = taken.read_text(encoding="utf-8", errors="replace")
            taken.unlink()
            try:
                return loads(text)
            except ValueError:
                log.warning("broker.foreign_file_dropped", name=path.name)
        raise Empty

    def _waiting(self, queue: str) -> Iterator[Path]:
        """The oldest first: names begin with the time."""
        ending = f".{queue}{READY}"
        for name in sorted(name for name in os.listdir(self.folder) if name.endswith(ending)):  # noqa: PTH208 - polled: names suffice
            yield self.folder / name

    def _size(self, queue: str) -> int:
        return sum(1 for _ in self._waiting(queue))

    def _purge(self, queue: str) -> int:
        gone = list(self._waiting(queue))
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)

    def _delete(self, queue: str, *_: Any, **__: Any) -> None:
        self._purge(queue)


class Transport(filesystem.Transport):
    Channel = Channel
    implements = virtual.Transport.implements.extend(exchange_type=frozenset(["direct"]))
    driver_type = driver_name = "folder"

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:  # type: ignore[override] # as above
        """As kombu's, but never for long: a worker looks up between two calls, to see whether it is to stop."""
        super().drain_events(connection, timeout=min(timeout or LOOK_UP_SECONDS, LOOK_UP_SECONDS))
