"""Counts and kinds in words. Pure."""

from collections.abc import Iterable, Mapping

from metamapper.history.feed import Fold
from metamapper.web.moments import number

_NOUNS = {"relation": ("table", "tables"), "index": ("index", "indexes")}
_TOWARDS = {"added": "added to", "removed": "removed from", "restored": "restored in"}
_ORDER = ("relation", "column", "index", "constraint", "schema")


def nouns(asset: str, count: int) -> str:
    """``1 column``, ``2 046 tables``"""
    one, many = _NOUNS.get(asset, (asset, f"{asset}s"))
    return f"{number(count)} {one if count == 1 else many}"


def told_since(counts: Mapping[tuple[str, str], int]) -> str:
    """``3 changes since: 1 column added, 1 changed, 1 index added``, from counts by (asset, kind)."""
    total = sum(counts.values())
    if not total:
        return "Nothing has changed since"
    changes = "1 change" if total == 1 else f"{number(total)} changes"
    return f"{changes} since: {', '.join(_parts(counts))}"


def _parts(counts: Mapping[tuple[str, str], int]) -> Iterable[str]:
    before = ""
    for asset, kind in sorted(counts, key=lambda pair: (_rank(pair[0]), pair[1])):
        count = counts[asset, kind]
        # The noun is said once for each kind of asset.
        yield f"{number(count)} {kind}" if asset == before else f"{nouns(asset, count)} {kind}"
        before = asset


def _rank(asset: str) -> int:
    return _ORDER.index(asset) if asset in _ORDER else len(_ORDER)


def told_fold(fold: Fold) -> str:
    """``8 columns added to``, before the name of what they belong to."""
    return f"{nouns(fold.asset, fold.number)} {_TOWARDS.get(fold.kind, f'{fold.kind} in')}"
