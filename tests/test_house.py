"""The house stays in order: sizes, places, and nothing of one machine in what everybody gets."""

import ast
import re
import shutil
import statistics
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "metamapper"
CODE = ("src", "benchmarks", "requirements", "docs", "tests/support")
LONGEST_FUNCTION = 50
LONGEST_MODULE = 400
LONGEST_BASE = 150


@dataclass(frozen=True, slots=True)
class Function:
    place: str
    lines: int


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that somebody who clones this gets."""
    git = shutil.which("git")
    if not git or not (ROOT / ".git").exists():
        pytest.skip("Not to be had: a git clone, to know which files are tracked")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file())


def modules() -> Iterator[tuple[str, str]]:
    """Every module of ours that is not a migration: where it is, and its text."""
    for part in CODE:
        for path in sorted((ROOT / part).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def functions() -> Iterator[Function]:
    for place, text in modules():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield Function(f"{place}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1)


def test_no_function_is_long() -> None:
    assert not [each for each in functions() if each.lines > LONGEST_FUNCTION]


def test_functions_are_small() -> None:
    """Half of them under 10 lines, nine in ten under 30."""
    sizes = [each.lines for each in functions()]
    assert statistics.median(sizes) < 10
    assert statistics.quantiles(sizes, n=10)[8] < 30


def test_no_module_is_long() -> None:
    assert not {place: lines for place, text in modules() if (lines := text.count("\n")) > LONGEST_MODULE}


def test_nothing_inherits_from_a_long_class() -> None:
    """A base class that many things inherit from, and that grows, is where comparable products went wrong."""
    # The conformance suite is a class of tests, which another package inherits to prove its engine.
    classes = [
        (place, node)
        for place, text in modules()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef)
    ]
    bases = {base.id for _, node in classes for base in node.bases if isinstance(base, ast.Name)}
    found = {
        f"{place}:{node.name}": lines
        for place, node in classes
        if node.name in bases
        and "/conformance/" not in place
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_BASE
    }
    assert not found


def test_every_module_says_what_it_is() -> None:
    assert not [
        place
        for place, text in modules()
        if text.strip() and not place.endswith(("apps.py", "urls.py")) and not ast.get_docstring(ast.parse(text))
    ]


def test_no_failure_is_swallowed() -> None:
    """``except Exception: pass`` hides what nobody will ever find."""
    broad = {"Exception", "BaseException", None}
    found = [
        f"{place}:{node.lineno}"
        for place, text in modules()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in broad))
        and all(isinstance(each, ast.Pass) for each in node.body)
    ]
    assert not found


# Each with a class of one letter, so that this file does not hold what it looks for.
FOREIGN = {
    "a package registry's host": [
        r"p[y]pi\.org",
        r"python[h]osted\.org",
        r"registry\.[n]pmjs\.org",
        r"deb\.[d]ebian\.org",
    ],
    "a path of one machine": ["/[w]ork/", "/[r]oot/", "/tmp/[w]t/", "/[h]ome/[a-z]+/"],
    "left for later": [r"\bT[O]DO\b", r"\bF[I]XME\b", r"\bX[X]X\b", r"\bH[A]CK\b"],
}
VENDORED = "/vendor/"


@pytest.mark.parametrize("what", FOREIGN)
def test_what_everybody_gets_holds_nothing_that(what: str) -> None:
    pattern = re.compile("|".join(FOREIGN[what]))
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        if VENDORED not in str(path)
        for number, line in enumerate(_lines(path), start=1)
        if pattern.search(line)
    ]
    assert not found


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []


# --- Engines ---------------------------------------------------------------------------------------------------------


def engines() -> dict[str, str]:
    """The engines that the package declares, each with where its facts are."""
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared: dict[str, str] = package["project"]["entry-points"]["metamapper.engines"]
    return declared


@pytest.mark.parametrize("name", engines())
def test_an_engine_has_its_places(name: str) -> None:
    """Its folder, its entry point, its tests, its page: adding an engine touches these and an optional dependency."""
    folder = SOURCE / "connectors" / "engines" / name
    assert engines()[name] == f"metamapper.connectors.engines.{name}:ENGINE"
    places = [
        *(folder / file for file in ("__init__.py", "connector.py")),
        ROOT / "tests" / "engines" / name,
        ROOT / "docs" / "datastores" / f"{name}.md",
    ]
    assert not [str(place.relative_to(ROOT)) for place in places if not place.exists()]
    # What it asks stands in one place: statements, or the calls of an interface that is not asked in SQL.
    assert any((folder / file).exists() for file in ("queries.sql", "calls.py"))


def test_whoever_wants_all_drivers_gets_them_all() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    [everything] = extras["all"]
    assert set(re.findall(r"\w+", everything.partition("[")[2])) == set(engines()) & set(extras)
