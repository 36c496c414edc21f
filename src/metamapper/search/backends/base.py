"""The protocol of a backend, and what all have in common: names, their ids, and the one question in SQL."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from django.db import connection

from metamapper.connectors.sql.blocks import Blocks, load
from metamapper.search import words
from metamapper.search.documents import Document
from metamapper.search.plan import Found, Group, Place, Plan
from metamapper.search.query import Term

T = TypeVar("T")
MOST_TEXT_WORDS = 3000
BATCH = 20_000
"""Documents in memory at a time."""
RETIRED, COMMENTED, DESCRIBED = 1, 2, 4
"""Bits of a document's state; the last is known only when it is asked for."""
_END = re.compile(r";$(?=\s*^(?!END)\S|\s*\Z)", re.MULTILINE)
SHARED: Blocks = load("metamapper.search.sql", "search.sql")


class NewName(NamedTuple):
    """A row of ``search_name``, with its distinct words."""

    id: int
    name: str
    words: str
    size: int
    parts: frozenset[str]


class Backend(ABC):
    """Keeps documents and answers questions. Everything works in the caller's transaction on the default connection.

    One writer at a time works on one datastore; any number may read. Subclasses give the metastore's own way of writing
    rows in bulk, and the blocks of SQL that ``search.sql`` leaves open.
    """

    blocks: Blocks

    def write(self, datastore_id: UUID, documents: Iterable[Document]) -> None:
        """Add documents of assets that have none (``erase`` them first if they may)."""
        for batch in batched(documents, BATCH):
            names = self._names(datastore_id, batch)
            self.write_documents(batch, names)

    @abstractmethod
    def write_documents(self, documents: Sequence[Document], names: dict[str, int]) -> None:
        """Add rows; ``names`` has the id of every name in them."""

    @abstractmethod
    def write_names(self, datastore_id: UUID, names: Sequence[NewName]) -> None:
        """Add names and their words, all new."""

    @abstractmethod
    def known_names(self, ids: Sequence[int]) -> set[int]:
        """Those of the ids that are kept."""

    @abstractmethod
    def erase(self, asset_ids: Sequence[UUID]) -> list[int]:
        """Remove every document of these assets; the ids of the names they bore."""

    @abstractmethod
    def sweep(self, name_ids: Sequence[int]) -> None:
        """Remove those of the names that no document bears any more."""

    @abstractmethod
    def write_text(self, datastore_id: UUID, asset_id: UUID, text: str) -> None:
        """Keep the words of what people wrote about an asset, in place of what they wrote before."""

    @abstractmethod
    def erase_text(self, asset_id: UUID) -> None:
        """Forget what people wrote about an asset."""

    @abstractmethod
    def forget(self, datastore_id: UUID) -> None:
        """Remove everything of a datastore."""

    @abstractmethod
    def ids(self, values: Iterable[UUID]) -> Any:
        """Asset ids as one bound value."""

    @abstractmethod
    def numbers(self, values: Iterable[int]) -> Any:
        """Name ids as one bound value."""

    @abstractmethod
    def stored(self, value: UUID) -> Any:
        """An id as it is stored."""

    @abstractmethod
    def text_query(self, term: Term) -> str:
        """A term in the language of this metastore's full text."""

    @abstractmethod
    def identity(self, value: Any) -> UUID:
        """A stored id as an id."""

    def parameters(self, plan: Plan) -> dict[str, Any]:
        """The plan's values as this metastore takes them."""
        texts = {f"text{at}": self.text_query(term) for at, (_, term) in enumerate(plan.texts)}
        return texts | {
            "datastores": self.ids(plan.datastores),
            "schemas": self.numbers(plan.schemas),
            "chosen_schemas": self.numbers(plan.chosen_schemas or ()),
            "wanted": msgspec.json.encode(plan.wanted).decode(),
            "whole": plan.whole,
            "length": len(plan.whole),
            "required": plan.required,
            "excluded": plan.excluded,
            "after_score": plan.after.score,
            "after_id": self.stored(plan.after.asset_id),
            "limit": plan.limit,
        }

    def fragments(self, plan: Plan) -> dict[str, str]:
        """What fills the braces of ``search.sql``."""
        names = ("wanted", "in_datastores", "schemas", "in_schemas", "in_chosen_schemas", "no_id", "any_named")
        texts = [self.blocks["texts"].format(bit=bit, number=at) for at, (bit, _) in enumerate(plan.texts)]
        filled = "\nUNION ALL\n".join(texts) or SHARED["no_texts"]
        left_out = SHARED["left_out"] if plan.excluded else ""
        return {name: self.blocks[name] for name in names} | {"texts": filled, "left_out": left_out}

    def create(self) -> Iterator[str]:
        """The statements that make the tables."""
        return _statements(self.blocks["create"])

    def drop(self) -> Iterator[str]:
        return _statements(self.blocks["drop"])

    def places(self, plan: Plan) -> list[Place]:
        """The schemas of the plan's datastores, by their names."""
        rows = self._ask("schemas_of", plan)
        return [Place(name_id, self.identity(datastore_id), name) for name_id, datastore_id, name in rows]

    def vocabulary(self, plan: Plan, low: str, high: str) -> list[str]:
        """The distinct words of names within a range, in the plan's datastores."""
        sql = SHARED["vocabulary"].format(**self.fragments(plan))
        return [row[0] for row in fetch(sql, self.parameters(plan) | {"low": low, "high": high})]

    def find(self, plan: Plan) -> tuple[list[Found], list[Group]]:
        """A page of what the plan asks for, best first, and how all of it divides (empty unless ``plan.count``)."""
        found: list[Found] = []
        groups: list[Group] = []
        for part, asset_id, score, kind, schema_name_id, state, amount in self._find(plan):
            if part:
                found.append(Found(self.identity(asset_id), score, kind))
            else:
                flags = bool(state & RETIRED), bool(state & DESCRIBED), bool(state & COMMENTED)
                groups.append(Group(kind, schema_name_id, *flags, amount))
        return found, groups

    def _find(self, plan: Plan) -> list[tuple[Any, ...]]:
        fragments = self.fragments(plan)
        page = SHARED["page"].format(conditions=conditions(plan, fragments))
        tail = SHARED["cube"].format(page=page, **fragments) if plan.count else page
        head = SHARED["find" if plan.required else "browse"].format(**fragments)
        return fetch(f"{head}\n{tail}", self.parameters(plan))

    def _ask(self, block: str, plan: Plan) -> list[tuple[Any, ...]]:
        return fetch(SHARED[block].format(**self.fragments(plan)), self.parameters(plan))

    def _names(self, datastore_id: UUID, documents: Sequence[Document]) -> dict[str, int]:
        """The id of every name in the documents; those that are new are written."""
        space = datastore_id.bytes
        spelled = {name for each in documents for name in (each.name, each.relation, each.schema)}
        spelled.update(each.current for each in documents if each.current is not None)
        ids = {name: name_id(space, name) for name in spelled}
        known = self.known_names(list(ids.values()))
        self.write_names(
            datastore_id, [_new(identity, name) for name, identity in ids.items() if identity not in known]
        )
        return ids


@lru_cache(maxsize=100_000)
def name_id(space: bytes, name: str) -> int:
    """The id of a name within a datastore (its id's bytes): 63 bits of a digest, so that nothing has to be looked up.

    Two names share one with a chance of 1 in 10⁹ at 100,000 names; the worse is that one is found as the other.
    """
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8, person=space)
    return int.from_bytes(digest.digest()) >> 1


def state_of(document: Document) -> int:
    return (RETIRED if document.retired else 0) | (COMMENTED if document.comment else 0)


def text_words(text: str) -> list[str]:
    """The words of a text that are kept: as many as fit a PostgreSQL ``tsvector`` whatever they are."""
    return words.words(text)[:MOST_TEXT_WORDS]


def conditions(plan: Plan, fragments: Mapping[str, str]) -> str:
    """What the filters leave, as a tail of WHERE; values are bound or integers of ours."""
    kept = (
        [f"AND kind IN ({', '.join(str(int(kind)) for kind in sorted(plan.kinds))})"] if plan.kinds is not None else []
    )
    if plan.chosen_schemas is not None:
        kept.append(f"AND schema_name_id {fragments['in_chosen_schemas']}")
    for bit, wanted in ((RETIRED, plan.retired), (DESCRIBED, plan.described), (COMMENTED, plan.commented)):
        if wanted is not None:
            kept.append(f"AND state & {bit} {'<>' if wanted else '='} 0")
    return "\n  ".join(kept)


def fetch(sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def execute(sql: str, parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def _new(identity: int, name: str) -> NewName:
    found = words.of_name(name)
    return NewName(identity, name, " ".join(found), min(len(found), 15), frozenset(found))


def _statements(block: str) -> Iterator[str]:
    """One by one, for SQLite takes no more; a semicolon within a trigger does not end a line that is not indented."""
    return (statement.strip() for statement in _END.split(block) if statement.strip())
