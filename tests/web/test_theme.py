"""The theme's pairs of colours hold what DESIGN.md promises, in both themes: 4.5:1 for text, 3:1 for edges."""

import re
from pathlib import Path

import pytest

import metamapper.web

THEME = Path(metamapper.web.__file__).parent / "static" / "metamapper" / "theme.css"
_TOKEN = re.compile(r"--([\w-]+):\s*light-dark\(\s*(#[0-9a-f]{6})\s*,\s*(#[0-9a-f]{6})\s*\)")
_ALIAS = re.compile(r"--([\w-]+):\s*var\(--([\w-]+)\)")

TEXT = [
    *[
        (ink, ground)
        for ink in ("ink", "ink-2", "ink-3", "link")
        for ground in ("surface", "sunken", "raised", "hover")
    ],
    *[(kind, f"{kind}-bg") for kind in ("added", "changed", "renamed", "removed", "risky")],
    *[
        (run, "surface")
        for run in ("run-ok", "run-busy", "run-partial", "run-failed", "run-idle", "risky", "removed", "safe")
    ],
    ("on-breaking", "breaking"),
    ("surface", "ink"),
    ("ink", "mark"),
    ("ink", "risky-bg"),
    ("ink", "removed-bg"),
    ("ink-2", "risky-bg"),
    ("link", "risky-bg"),
    ("link", "line"),
    ("ink-2", "line"),
]
EDGES = [("edge", "surface"), ("edge", "raised"), ("link", "surface"), ("breaking", "surface")]


def tokens(theme: int) -> dict[str, str]:
    text = THEME.read_text(encoding="utf-8")
    found = {match[1]: match[2 + theme] for match in _TOKEN.finditer(text)}
    for match in _ALIAS.finditer(text):
        if match[2] in found:
            found.setdefault(match[1], found[match[2]])
    return found


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_formula() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_can_be_read(theme: int, ink: str, ground: str) -> None:
    found = tokens(theme)
    assert contrast(found[ink], found[ground]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_what_must_be_seen_to_be_used_can_be_seen(theme: int, edge: str, ground: str) -> None:
    found = tokens(theme)
    assert contrast(found[edge], found[ground]) >= 3


def test_no_colour_stands_outside_the_tokens() -> None:
    """A colour that is no token cannot follow the theme."""
    text = THEME.read_text(encoding="utf-8")
    rest = _TOKEN.sub("", text.partition("@layer base")[2])
    rest = re.sub(r"light-dark\([^()]*(?:\([^()]*\)[^()]*)*\)", "", rest)
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b", rest)


def test_nothing_comes_from_another_host() -> None:
    static = THEME.parent
    for path in [THEME, *static.glob("*.js")]:
        text = path.read_text(encoding="utf-8")
        assert "http://" not in text, path.name
        assert "https://" not in text.replace('"https:"', ""), path.name
