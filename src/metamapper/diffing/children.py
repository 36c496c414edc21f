"""Which column, index or constraint of a relation is which, before and after.

Native ids count only while the relation's own id is the same: a rebuilt relation numbers its columns anew. Then the
path, then what was retired under that path. What is still left may be a rename, if there is no doubt at all.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

from metamapper.diffing import evidence
from metamapper.diffing.claims import ChildMatching
from metamapper.diffing.siblings import infer_renames
from metamapper.schema import Column, Constraint, Identified, Index

C = TypeVar("C", Column, Index, Constraint)


def match_columns(
    before: Sequence[Identified[Column]],
    after: Sequence[Column],
    *,
    retired: Iterable[Identified[Column]] = (),
    by_native_id: bool,
) -> ChildMatching[Column]:
    """Pair columns level by level, so that the fields of a renamed struct are known by their parent's old path."""
    matching = ChildMatching(before, after, retired)
    if by_native_id:
        matching.by(_native_id, _native_id)
    moved: dict[tuple[str, ...], tuple[str, ...]] = {}
    for depth in sorted({len(column.nested_in) for column in after} | {len(c.value.nested_in) for c in before}):
        moved |= {pair.before.value.path: pair.after.path for pair in matching.pairs.values()}
        places = [place for place, column in matching.after.items() if len(column.nested_in) == depth]
        matching.by(partial(_new_path, moved=moved), _path, places)
        matching.by(partial(_new_path, moved=moved), _path, places, restored=True)
        infer_renames(matching, before, after, places, moved, by_native_id=by_native_id)
    return matching


def match_named(
    before: Sequence[Identified[C]],
    after: Sequence[C],
    *,
    retired: Iterable[Identified[C]] = (),
    by_native_id: bool,
    meaning: Callable[[C], Any],
    old_meaning: Callable[[C], Any],
    word: str,
) -> ChildMatching[C]:
    """Pair indexes or constraints: by id, by name, then by an equal meaning that only one on each side has.

    ``old_meaning`` speaks of a known child in the names of after. ``word`` names the kind for people.
    """
    matching = ChildMatching(before, after, retired)
    if by_native_id:
        matching.by(_native_id, _native_id)
    matching.by(_name, _name)
    matching.by(_name, _name, restored=True)
    _same_meaning(matching, old_meaning, meaning, word, by_native_id=by_native_id)
    return matching


def _same_meaning(
    matching: ChildMatching[C],
    old_meaning: Callable[[C], Any],
    meaning: Callable[[C], Any],
    word: str,
    *,
    by_native_id: bool,
) -> None:
    """Pair children that mean the same under another name: exactly one vanished and one appeared with that meaning."""
    vanished: dict[Any, list[Identified[C]]] = defaultdict(list)
    for child in matching.before.values():
        vanished[old_meaning(child.value)].append(child)
    appeared: dict[Any, list[int]] = defaultdict(list)
    for place, value in matching.after.items():
        appeared[meaning(value)].append(place)
    for key in vanished.keys() & appeared.keys():
        if len(vanished[key]) == len(appeared[key]) == 1:
            child, place = vanished[key][0], appeared[key][0]
            value = matching.after[place]
            if not (by_native_id and child.value.native_id and value.native_id):
                why = evidence.same_definition(word, child.value.name, value.name)
                matching.pair(child, place, why=why)


def _native_id(child: Column | Index | Constraint) -> str | None:
    return child.native_id


def _name(child: Column | Index | Constraint) -> str:
    return child.name


def _path(column: Column) -> tuple[str, ...]:
    return column.path


def _new_path(column: Column, moved: dict[tuple[str, ...], tuple[str, ...]]) -> tuple[str, ...]:
    return (*moved.get(column.nested_in, column.nested_in), column.name)
