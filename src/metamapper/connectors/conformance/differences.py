"""What differs between two snapshots, as lines that can be listed in a test."""

from collections.abc import Iterator, Mapping, Set
from typing import Any

import msgspec

from metamapper.schema import Relation, Snapshot

Path = tuple[str, ...]
Facts = Mapping[Path, Any]

_CHILDREN = ("columns", "indexes", "constraints")
_STATISTICS = ("row_estimate", "size_bytes")
_MEASURES = ("length", "precision", "scale")


def differences(before: Snapshot, after: Snapshot) -> set[str]:
    """``+ main.customer``, ``- main.customer.columns.email``, ``~ main.customer.columns.email.type``.

    What is inside of something that came or went is not listed, nor what only says in numbers how a type is spelled now.
    Native ids and definitions count like any other fact.
    """
    old, new = _facts(before), _facts(after)
    changed = {path for path in old.keys() & new.keys() if old[path] != new[path]}
    signed = (("-", _outermost(old.keys() - new.keys())), ("+", _outermost(new.keys() - old.keys())), ("~", changed))
    spelled = {(*path[:-1], measure) for path in changed if path[-1] == "type" for measure in _MEASURES}
    return {f"{sign} {'.'.join(path)}" for sign, paths in signed for path in paths if path not in spelled}


def _outermost(paths: Set[Path]) -> set[Path]:
    """Without what is inside of another of them."""
    return {path for path in paths if not any(path[:length] in paths for length in range(1, len(path)))}


def _facts(snapshot: Snapshot) -> Facts:
    """Every fact under its path. A thing that exists has a fact of its own, True."""
    found: dict[tuple[str, ...], Any] = {}
    for scope in snapshot.scopes:
        found.update(_of((scope.name,), msgspec.structs.asdict(scope)))
    for relation in snapshot.relations:
        found.update(_of_relation(relation))
    return found


def _of_relation(relation: Relation) -> Iterator[tuple[tuple[str, ...], Any]]:
    path = (relation.schema, relation.name)
    own = msgspec.structs.asdict(relation)
    children = {kind: own.pop(kind) for kind in _CHILDREN}
    for name in _STATISTICS:
        own.pop(name)
    yield from _of(path, own)
    for kind, values in children.items():
        for value in values:
            yield from _of((*path, kind, value.name), msgspec.structs.asdict(value))


def _of(path: tuple[str, ...], facts: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, True
    for name, fact in facts.items():
        if name not in {"name", "schema"} and fact not in (None, (), {}):
            yield (*path, name), fact
