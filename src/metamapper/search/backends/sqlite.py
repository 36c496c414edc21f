"""Documents in SQLite: executemany to write them, FTS5 for texts."""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from metamapper.connectors.sql.blocks import load
from metamapper.search.backends.base import Backend, NewName, execute, fetch, state_of, text_words
from metamapper.search.documents import Document
from metamapper.search.query import Term


class SqliteBackend(Backend):
    blocks = load("metamapper.search.sql", "sqlite.sql")

    def write_documents(self, documents: Sequence[Document], names: dict[str, int]) -> None:
        first = fetch(self.blocks["last_document"], None)[0][0] + 1
        self._many(
            "insert_documents",
            [
                (
                    number, each.asset_id.hex, names[each.name], names[each.relation], names[each.schema],
                    None if each.current is None else names[each.current], each.kind, state_of(each),
                )
                for number, each in enumerate(documents, first)
            ],
        )  # fmt: skip
        self._many(
            "insert_comments",
            [
                (number, " ".join(text_words(each.comment)))
                for number, each in enumerate(documents, first)
                if each.comment
            ],
        )

    def write_names(self, datastore_id: UUID, names: Sequence[NewName]) -> None:
        place = datastore_id.hex
        self._many("insert_names", [(each.id, place, each.name, each.words, each.size) for each in names])
        self._many("insert_words", [(place, word, each.id) for each in names for word in each.parts])

    def known_names(self, ids: Sequence[int]) -> set[int]:
        return {row[0] for row in fetch(self.blocks["known_names"], [self.numbers(ids)])}

    def erase(self, asset_ids: Sequence[UUID]) -> list[int]:
        return [row[0] for row in fetch(self.blocks["erase"], [self.ids(asset_ids)])]

    def sweep(self, name_ids: Sequence[int]) -> None:
        orphans = fetch(self.blocks["orphans"], [self.numbers(set(name_ids))])
        words = [(place, word, identity) for identity, place, text in orphans for word in set(text.split(" "))]
        self._many("erase_word", words)
        self._many("erase_name", [(identity,) for identity, *_ in orphans])

    def write_text(self, datastore_id: UUID, asset_id: UUID, text: str) -> None:
        self.erase_text(asset_id)
        [(number,)] = fetch(self.blocks["write_text"], [asset_id.hex, datastore_id.hex])
        execute(self.blocks["write_words"], [number, " ".join(text_words(text))])

    def erase_text(self, asset_id: UUID) -> None:
        execute(self.blocks["erase_text"], [asset_id.hex])

    def forget(self, datastore_id: UUID) -> None:
        for block in ("forget_texts", "forget_documents", "forget_words", "forget_names"):
            execute(self.blocks[block], [datastore_id.hex])

    def text_query(self, term: Term) -> str:
        return f'"{" ".join(term.words)}"{"" if term.whole else "*"}'

    def ids(self, values: Iterable[UUID]) -> str:
        return json.dumps([value.hex for value in values])

    def numbers(self, values: Iterable[int]) -> str:
        return json.dumps(list(values))

    def stored(self, value: UUID) -> str:
        return value.hex

    def identity(self, value: Any) -> UUID:
        return UUID(value)

    def _many(self, block: str, rows: Sequence[Sequence[Any]]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(self.blocks[block], rows)
