from collections.abc import Iterator
from importlib.resources import files

import pytest

from metamapper.connectors.registry import registry
from metamapper.connectors.sql.blocks import Blocks, load

TEXT = """\
-- A file begins with words for readers.

-- name: first
SELECT a
     , b    -- since 12
     , c    -- before 12
  FROM t  -- a comment that is no bound

-- This introduces the second one.
-- name: second
SELECT 2
"""


def test_a_block_ends_where_the_words_for_the_next_begin() -> None:
    blocks = Blocks(TEXT)
    assert list(blocks) == ["first", "second"]
    assert blocks["second"] == "SELECT 2"
    assert blocks["first"].endswith("no bound")


@pytest.mark.parametrize(("version", "kept", "dropped"), [(11, ", c", ", b"), (12, ", b", ", c"), (18, ", b", ", c")])
def test_lines_are_chosen_by_the_servers_version(version: int, kept: str, dropped: str) -> None:
    statement = Blocks(TEXT).at("first", version)
    assert kept in statement
    assert dropped not in statement
    assert "since" not in statement


@pytest.mark.parametrize(("version", "kept"), [(11, False), (12, True), (14, True), (15, False)])
def test_a_line_can_have_both_bounds(version: int, kept: bool) -> None:
    statement = Blocks("-- name: only\nSELECT a\n     , b  -- since 12 before 15\n").at("only", version)
    assert (", b" in statement) is kept
    assert "since" not in statement


def packages() -> Iterator[str]:
    """Of the engines that ask in SQL, and keep it in one file."""
    for each in registry().engines.values():
        package = each.connector.partition(":")[0].rpartition(".")[0]
        if files(package).joinpath("queries.sql").is_file():
            yield package


@pytest.mark.parametrize("package", list(packages()))
def test_every_block_of_every_engine_is_named_once(package: str) -> None:
    assert len(set(load(package))) == len(list(load(package)))
