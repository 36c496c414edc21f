"""The icons as one sprite, built at the first request from the vendored files, which stay as they were published."""

import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent / "static" / "metamapper" / "vendor" / "tabler-icons" / "outline"
_BACKGROUND = re.compile(r'<path stroke="none"[^>]*/>')
_BODY = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Sprite:
    text: str
    digest: str
    names: frozenset[str]


@cache
def sprite() -> Sprite:
    """Every vendored icon as a symbol ``i-NAME``; its digest makes the address change when an icon does."""
    files = sorted(FOLDER.glob("*.svg"))
    text = f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(map(_symbol, files))}</svg>'
    return Sprite(text, sha256(text.encode()).hexdigest()[:12], frozenset(file.stem for file in files))


def _symbol(file: Path) -> str:
    found = _BODY.search(file.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{file.name} is not an icon")
    body = " ".join(_BACKGROUND.sub("", found[1]).split())
    return f'<symbol id="i-{file.stem}" viewBox="0 0 24 24">{body}</symbol>'
