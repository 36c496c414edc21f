"""SQL kept as SQL: named blocks of a ``.sql`` file, cut to the server's version."""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)
_BOUND = re.compile(r" *-- (?:since (?P<since>\d+))? *(?:before (?P<before>\d+))? *$")


class Blocks:
    """The blocks of one file by their names (``-- name: columns``); comments between blocks are for readers."""

    def __init__(self, text: str) -> None:
        parts = _NAME.split(text)
        self._blocks = dict(zip(parts[1::2], map(_without_tail, parts[2::2]), strict=True))

    def __getitem__(self, name: str) -> str:
        return self._blocks[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._blocks)

    def at(self, name: str, version: int) -> str:
        """The block as a server of this version gets it: lines marked ``-- since 12``, ``-- before 12`` or
        ``-- since 12 before 15`` are chosen.
        """
        return _cut(self._blocks[name], version)


def load(package: str, file: str = "queries.sql") -> Blocks:
    """The blocks of a file that ships in ``package``."""
    return Blocks(files(package).joinpath(file).read_text(encoding="utf-8"))


def _without_tail(block: str) -> str:
    """Drop the comment lines after the statement: they introduce the next block."""
    lines = block.strip().splitlines()
    while lines and (not lines[-1].strip() or lines[-1].startswith("--")):
        lines.pop()
    return "\n".join(lines)


@cache
def _cut(block: str, version: int) -> str:
    return "\n".join(kept for line in block.splitlines() if (kept := _line(line, version)) is not None)


def _line(line: str, version: int) -> str | None:
    bound = _BOUND.search(line)
    if bound is None or not (bound["since"] or bound["before"]):
        return line
    meant = int(bound["since"] or 0) <= version and (bound["before"] is None or version < int(bound["before"]))
    return line[: bound.start()] if meant else None
