"""Texts that differ only because something they mention was renamed."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from metamapper.diffing.values import KnownRelation, Pair, SeenRelation
from metamapper.schema import ChangeKind

Renames = Mapping[str, Collection[str]]
"""Old name to its new ones: two schemas may each have a table of that name."""

NO_RENAMES: Renames = {}


def renames_of(
    known: Sequence[KnownRelation],
    seen: Sequence[SeenRelation],
    pairs: Iterable[Pair],
    schemas: Iterable[tuple[str, str]] = (),
) -> Renames:
    """What a run found renamed: relations, the schemas they moved between, and ``schemas`` as (old, new) names."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, new_name in schemas:
        found[name].add(new_name)
    travelled = [pair for pair in pairs if pair.kind_hint in {ChangeKind.RENAMED, ChangeKind.MOVED}]
    if travelled:
        before = {item.id: item for item in known}
        after = {item.ordinal: item for item in seen}
        for pair in travelled:
            old, new = before[pair.known_id], after[pair.ordinal]
            found[old.name].add(new.name)
            found[old.schema].add(new.schema)
    return {old: new for old, new in found.items() if new != {old}}


_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|\w+|\s+|.""", re.DOTALL)


def only_renamed(before: str | None, after: str | None, renames: Renames) -> bool:
    """Whether every word of ``after`` is that of ``before`` or its new name, however either is quoted."""
    if before is None or after is None:
        return before is after
    if not renames:
        return before == after
    old, new = _words(before), _words(after)
    return len(old) == len(new) and all(map(lambda one, other: same_name(one, other, renames), old, new))


def same_name(before: str, after: str, renames: Renames) -> bool:
    return before == after or after in renames.get(before, ())


def _words(text: str) -> list[str]:
    return [_bare(token) for token in _TOKEN.findall(text) if not token.isspace()]


def _bare(token: str) -> str:
    """A name without its quotes; a text literal stays what it is."""
    if len(token) > 1 and token[0] in '"`':
        return token[1:-1].replace(token[0] * 2, token[0])
    return token[1:-1] if len(token) > 1 and token[0] == "[" else token
