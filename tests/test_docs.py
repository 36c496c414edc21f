"""The documentation is what the code says: everything has its page, no link is broken, the commands shown are run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from docs.derive import DOCS, derived, pages
from metamapper.cli.commands import COMMANDS, metamapper
from metamapper.connectors.registry import registry
from metamapper.plugins.specs import Specs
from metamapper.project.environment import VARIABLES
from tests.support.databases import run_sql

ROOT = DOCS.parent
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)
READABLE = [*pages(), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def short(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", pages(), ids=short)
def test_what_is_derived_is_what_the_code_says(page: Path) -> None:
    """`make docs` writes it."""
    assert page.read_text(encoding="utf-8") == derived(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("variable", [variable.name for variable in VARIABLES])
def test_every_variable_is_documented(variable: str) -> None:
    assert f"| `{variable}`" in text("configuration.md")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    assert f"`metamapper {command}`" in text("cli.md")


@pytest.mark.parametrize("hook", [name for name in vars(Specs) if not name.startswith("_")])
def test_every_hook_is_documented(hook: str) -> None:
    assert f"### `{hook}(" in text("extensions.md")


@pytest.mark.parametrize("engine", registry().engines)
def test_every_engine_has_a_page_with_what_it_needs(engine: str) -> None:
    page = text(f"datastores/{engine}.md")
    assert f"({engine}.md)" in text("datastores/index.md")
    assert all(f"derived: {part} {engine}" in page for part in ("settings", "abilities"))
    assert "## Least privileges" in page


def test_no_entry_point_of_ours_is_broken() -> None:
    assert not registry().broken


@pytest.mark.parametrize("page", READABLE, ids=short)
def test_no_link_is_broken(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_every_page_can_be_reached_from_the_first() -> None:
    reached, frontier = set[Path](), {DOCS / "index.md"}
    while frontier:
        page = frontier.pop()
        reached.add(page)
        links = LINK.findall(page.read_text(encoding="utf-8"))
        frontier |= {path for link in links if (path := (page.parent / link).resolve()).suffix == ".md"} - reached
    assert {page.resolve() for page in pages()} <= reached


def shown_commands() -> list[str]:
    """Every command of ours that a page or the README shows."""
    blocks = (block for page in READABLE for block in SHELL.findall(page.read_text(encoding="utf-8")))
    lines = {line.split("#")[0].strip() for block in blocks for line in block.splitlines()}
    return sorted(line for line in lines if line.startswith("metamapper "))


@pytest.mark.parametrize("line", shown_commands())
def test_a_command_that_is_shown_exists_with_its_options(line: str) -> None:
    """Each option that a page shows is one that the command's help tells of."""
    words = [word for word in line.split() if not word.startswith("-")]
    options = [word.partition("=")[0] for word in line.split() if word.startswith("--")]
    depth = 3 if words[1] == "datastore" else 2
    done = subprocess.run(
        [sys.executable, "-c", "from metamapper.cli import main; main()", *words[1:depth], "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert all(option in done.stdout for option in options)


SHOP = (
    "CREATE SCHEMA sales",
    "CREATE TABLE sales.customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL UNIQUE)",
    "COMMENT ON TABLE sales.customers IS 'Everybody who ever bought'",
)


@pytest.mark.live
def test_what_the_readme_shows_is_what_one_sees(postgresql_url: str) -> None:
    """The block after `$ metamapper inspect`, but for the line with the server's version and the counts."""
    run_sql(postgresql_url, *SHOP)
    [shown] = re.findall(r"\$ metamapper inspect \S+\n(.*?)\n\.\.\.", text("../README.md"), re.DOTALL)
    seen = CliRunner().invoke(metamapper, ["inspect", postgresql_url]).output
    assert shown.splitlines()[1:] == seen.splitlines()[1:]


@pytest.mark.parametrize(
    "named", sorted(set(re.findall(r"`((?:tests|benchmarks|src)/[\w/.]+(?:::\w+)?)`", text("reliability.md"))))
)
def test_a_test_that_is_named_as_proof_is_there(named: str) -> None:
    path, _, function = named.partition("::")
    assert not function or f"def {function}(" in (ROOT / path).read_text(encoding="utf-8")
    assert (ROOT / path).exists()


@pytest.mark.parametrize(
    "target", re.findall(r"^make (\w+)", "\n".join(SHELL.findall(text("../CONTRIBUTING.md"))), re.MULTILINE)
)
def test_a_make_target_that_is_shown_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
