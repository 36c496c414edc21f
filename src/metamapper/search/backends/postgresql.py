"""Documents in PostgreSQL: binary COPY to write them, GIN for texts."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from struct import Struct
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from metamapper.connectors.sql.blocks import load
from metamapper.search.backends.base import RETIRED, Backend, NewName, batched, execute, fetch, state_of, text_words
from metamapper.search.documents import Document
from metamapper.search.plan import Found, Group, Plan
from metamapper.search.query import Term

# https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format": a signature, flags, an empty extension; each row a
# count of fields, each field a length and its bytes, -1 for NULL.
_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_ROWS = 500
_TAIL = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_PLAIN = Struct(">h i16s iq iq iq i ih ih i").pack
_START = Struct(">h i16s iq iq iq").pack
_BIGINT = Struct(">iq").pack
_STATE = Struct(">ihih").pack
_LENGTH = Struct(">i").pack
_UUID = Struct(">i16s").pack
_SMALL = Struct(">ih").pack
_COUNT = Struct(">h").pack


class PostgresqlBackend(Backend):
    blocks = load("metamapper.search.sql", "postgresql.sql")

    def write_documents(self, documents: Sequence[Document], names: dict[str, int]) -> None:
        self._copy("copy_documents", (_document(each, names) for each in documents))

    def write_names(self, datastore_id: UUID, names: Sequence[NewName]) -> None:
        place = _UUID(16, datastore_id.bytes)
        self._copy(
            "copy_names",
            (
                b"".join(
                    (_COUNT(5), _BIGINT(8, each.id), place, _text(each.name), _text(each.words), _SMALL(2, each.size))
                )
                for each in names
            ),
        )
        self._copy(
            "copy_words",
            (b"".join((_COUNT(3), place, _text(word), _BIGINT(8, each.id))) for each in names for word in each.parts),
        )

    def known_names(self, ids: Sequence[int]) -> set[int]:
        return {row[0] for row in fetch(self.blocks["known_names"], [_array(ids)])}

    def erase(self, asset_ids: Sequence[UUID]) -> list[int]:
        return [row[0] for row in fetch(self.blocks["erase"], [list(asset_ids)])]

    def sweep(self, name_ids: Sequence[int]) -> None:
        execute(self.blocks["sweep"], [_array(name_ids)])

    def write_text(self, datastore_id: UUID, asset_id: UUID, text: str) -> None:
        vector = " ".join(f"{word}:{at}" for at, word in enumerate(text_words(text), 1))
        execute(self.blocks["write_text"], [asset_id, datastore_id, vector])

    def erase_text(self, asset_id: UUID) -> None:
        execute(self.blocks["erase_text"], [asset_id])

    def forget(self, datastore_id: UUID) -> None:
        for block in ("forget_texts", "forget_documents", "forget_words", "forget_names"):
            execute(self.blocks[block], [datastore_id])

    def text_query(self, term: Term) -> str:
        if term.phrase:
            return " <-> ".join(f"'{word}'" for word in term.words)
        return f"'{term.words[0]}'" if term.whole else f"'{term.words[0]}':*"

    def ids(self, values: Iterable[UUID]) -> list[UUID]:
        return list(values)

    def numbers(self, values: Iterable[int]) -> str:
        return _array(values)

    def stored(self, value: UUID) -> UUID:
        return value

    def identity(self, value: Any) -> UUID:
        found: UUID = value
        return found

    def find(self, plan: Plan) -> tuple[list[Found], list[Group]]:
        with transaction.atomic():
            # The planner cannot know the costs of the query before its first part has run: compiling it would take longer
            # than the query, and its hits would go to disk.
            execute(self.blocks["settle"], None)
            return super().find(plan)

    def _copy(self, block: str, rows: Iterable[bytes]) -> None:
        with (
            connection.wrap_database_errors,  # Django itself knows nothing of COPY
            connection.cursor() as cursor,
            _opened(cursor, self.blocks[block]) as copy,
        ):
            copy.write(_HEAD)
            # In pieces, so that the server stores one while the next is made.
            for piece in batched(rows, _ROWS):
                copy.write(b"".join(piece))
            copy.write(_TAIL)


def _opened(cursor: Any, sql: str) -> AbstractContextManager[Any]:
    """The driver's COPY, which Django's cursor passes on but does not know of."""
    opened: AbstractContextManager[Any] = cursor.copy(sql)
    return opened


def _array(ids: Iterable[int]) -> str:
    """Thousands of numbers as one value, which the driver would otherwise adapt one by one."""
    return f"{{{','.join(map(str, ids))}}}"


def _document(each: Document, names: dict[str, int]) -> bytes:
    own, relation, schema = names[each.name], names[each.relation], names[each.schema]
    comment, current = each.comment, each.current
    if comment is None and current is None:
        state = RETIRED if each.retired else 0
        return _PLAIN(8, 16, each.asset_id.bytes, 8, own, 8, relation, 8, schema, -1, 2, each.kind, 2, state, -1)
    start = _START(8, 16, each.asset_id.bytes, 8, own, 8, relation, 8, schema)
    alias = _NULL if current is None else _BIGINT(8, names[current])
    return start + alias + _STATE(2, each.kind, 2, state_of(each)) + _vector(comment)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return _LENGTH(len(encoded)) + encoded


def _vector(text: str | None) -> bytes:
    """A text as the bytes of a ``tsvector``: each word, ended by a zero, with the places where it stands."""
    places: dict[str, list[int]] = {}
    for at, word in enumerate(text_words(text or ""), 1):
        places.setdefault(word, []).append(at)
    if not places:
        return _NULL
    lexemes = b"".join(
        word.encode() + b"\0" + Struct(f">{len(found) + 1}H").pack(len(found), *found)
        for word, every in places.items()
        for found in [every[:255]]
    )
    return _LENGTH(len(lexemes) + 4) + _LENGTH(len(places)) + lexemes
