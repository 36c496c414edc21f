"""An engine is known in its own places and nowhere else: what is added or taken away there is all there is to do.

Its folder, one line of an entry point, one of a dependency, its tests, its stand-in, its page, its source for benchmarks.
Everybody else learns of it from the registry. What is known elsewhere stands in the two short lists below, with the reason;
a line that is no longer true fails as well.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.test_house import ROOT, engines, tracked

OF_ALL = (
    "benchmarks/engines/",  # each has its row source there
    "tests/support/",  # stand-ins
    "docs/datastores/index.md",  # derived
    "docs/index.md",  # derived
    "docs/performance.md",  # what was measured of each
    "docs/decisions/",
    "requirements/",  # derived: drivers that are named as the engine is
    "CHANGELOG.md",
)
"""Where engines may be named: made for them all, or written by the registry itself."""

RELATIVES = {
    "src/metamapper/connectors/engines/athena/": {"glue"},  # the AWS service behind it
    "src/metamapper/connectors/engines/hive/": {"mysql"},  # a database that holds a metastore
    "tests/engines/athena/": {"glue"},
    "tests/engines/hive/": {"mysql", "sqlserver"},
    "docs/datastores/athena.md": {"glue"},
    "docs/datastores/sqlserver.md": {"synapse"},
    "docs/datastores/synapse.md": {"sqlserver"},
}
"""Engines that are made of another's service or server, and pages of two. What relatives share names neither of them."""

EXAMPLES = {
    "src/metamapper/inspection/example/__init__.py": {"sqlite"},  # what a first look is at, without a server
    "tests/cli/test_doctor.py": {"postgresql"},  # a doctor that finds what is really wrong
    "tests/connectors/test_conformance_kit.py": {"sqlite"},  # a suite that finds faults made on purpose
    "tests/connectors/test_hive_tables.py": {"glue"},  # the two keep one thing in two shapes
    "tests/connectors/test_recording.py": {"postgresql", "snowflake", "sqlite"},  # an address that is made of a name
    "tests/connectors/test_settings.py": {"hive"},  # a port that depends on a choice
    "tests/datastores/test_refusal.py": {"hive"},  # the same
    "tests/engines/test_names.py": {"postgresql", "sqlite"},  # random names, through a server and a file
    "tests/outside/broken/": {"sqlite"},  # what takes its place
    "tests/test_benchmarks.py": {"oracle", "sqlserver"},  # stand-ins that need no server
    "tests/tunnels/": {"bigquery", "glue", "mysql", "redshift", "sqlserver"},  # each way to name an address, behind SSH
    "tests/web/test_ssh.py": {"hive"},  # the same
    "tests/web/test_kept_secrets.py": {  # secrets of every kind of sign-in
        *("glue", "hive", "mysql", "oracle", "redshift", "snowflake", "sqlserver"),
    },
    "tests/web/test_connecting.py": {  # fields that go with a kind of sign-in
        *("athena", "bigquery", "glue", "oracle", "postgresql"),
        *("redshift", "snowflake", "sqlserver", "synapse"),
    },
}
"""Where an engine is named because it is the one that is meant: tests that show something of all by one or two."""

METASTORES = {"postgresql", "sqlite"}
"""Words for where the catalog itself is kept, too, and the engines that tests and guides of everything else take as example.

Of these, outside of the code that is about datastores, only an import of the engine counts.
"""
ABOUT_DATASTORES = tuple(
    f"src/metamapper/{part}/" for part in ("connectors", "datastores", "diffing", "inspection", "mcp", "schema", "web")
)
"""Code in which a metastore is never spoken of."""


@cache
def names() -> frozenset[str]:
    return frozenset(engines())


def test_each_engine_is_declared_in_two_lines() -> None:
    """One entry point, and one optional dependency where it needs a driver; ``all`` takes them up."""
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    extras = tomllib.loads("\n".join(lines))["project"]["optional-dependencies"]
    for name in names():
        told = [line for line in lines if re.search(rf"(?<![\w.])(?:{name} = |engines\.{name}\b)", line)]
        everything = [
            line for line in lines if re.search(rf"\[[\w,]*\b{name}\b[\w,]*\]\"", line) and "metamapper[" in line
        ]
        assert len(told) == 1 + (name in extras), told
        assert len(everything) == (name in extras), everything


@pytest.mark.parametrize("name", sorted(names()))
def test_an_engine_is_known_in_its_own_places_only(name: str) -> None:
    found = {place for place, known in mentions().items() if name in known and not is_its_own(name, place)}
    assert found == set()


def test_no_exception_is_left_over() -> None:
    for place, expected in {**RELATIVES, **EXAMPLES}.items():
        known = {name for path, found in mentions().items() if path.startswith(place) for name in found}
        assert expected <= known, f"{place} knows nothing of {expected - known}"


@pytest.mark.parametrize(
    "text",
    [
        "engine = 'glue'",
        "url = f'glue://{key}@eu-west-1'",
        "kinds = {'a': ('x', 'glue')}",
        "from metamapper.connectors.engines.glue import ENGINE",
        "from metamapper.connectors.engines import glue",
        "import tests.engines.glue.subject",
        "patched = 'metamapper.connectors.engines.glue.calls.FIRST_WAIT'",
        "def connect(glue): ...",
    ],
)
def test_a_mention_would_be_seen(text: str) -> None:
    assert set(_named_in_code(text)) == {"glue"}


def test_a_driver_or_a_sentence_is_no_mention() -> None:
    text = "import duckdb\n'Of glue and athena'\nduckdb.connect()\nfrom metamapper.connectors.sql import mysql_names"
    assert set(_named_in_code(text)) == set()


def is_its_own(name: str, place: str) -> bool:
    own = (
        f"src/metamapper/connectors/engines/{name}/",
        f"tests/engines/{name}/",
        f"docs/datastores/{name}.md",
        *OF_ALL,
    )
    if place.startswith(own) or place == "pyproject.toml":
        return True
    return any(place.startswith(path) and name in known for path, known in {**RELATIVES, **EXAMPLES}.items())


@cache
def mentions() -> dict[str, frozenset[str]]:
    """By file, the engines that are named in it."""
    found = {}
    for path in tracked():
        place = str(path.relative_to(ROOT))
        if "/vendor/" in place or "/migrations/" in place or path == Path(__file__).resolve():
            continue
        known = set(_named(path))
        if not place.startswith(ABOUT_DATASTORES):
            known -= METASTORES - (_imported(path) if path.suffix == ".py" else set())
        if known:
            found[place] = frozenset(known)
    return found


def _named(path: Path) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    if path.suffix == ".py":
        yield from _named_in_code(text)
        return
    quoted = r"""[`"']({0})[`"']|\b({0})://|metamapper\[({0})\]|datastores/({0})\b|engines[./]({0})\b|\b({0})\.md\b"""
    for groups in re.findall(quoted.format("|".join(names())), text):
        yield from filter(None, groups)


def _named_in_code(text: str) -> Iterator[str]:
    """Texts that are a name or a URL of it, identifiers, imports. A driver that is called like its engine is no mention."""
    tree = ast.parse(text)
    drivers = {
        each.asname or each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(value)) if value in names() or value.partition(":/")[0] in names():
                yield value.partition(":/")[0]
            case ast.Name(id=name) | ast.arg(arg=name) if name in names() - drivers:
                yield name
    yield from _imported_by(tree)


def _imported(path: Path) -> set[str]:
    return set(_imported_by(ast.parse(path.read_text(encoding="utf-8"))))


def _imported_by(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        modules = []
        if isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
        elif isinstance(node, ast.Import):
            modules = [each.name for each in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            modules = [node.value]
        for module in modules:
            found = re.match(r"(?:metamapper\.connectors|tests)\.engines\.(\w+)", module)
            if found and found[1] in names():
                yield found[1]
