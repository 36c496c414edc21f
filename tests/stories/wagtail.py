"""The Wagtail site's process, and what its acts come to: the oracle of ``test_wagtail_history``."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent

Effect = tuple[str, str, str]
"""(kind of change, kind of asset, its path below the schema), such as ("renamed", "column", "auth_user.mail")."""


@dataclass(frozen=True, slots=True)
class Step:
    migration: str
    acts: Sequence[Mapping[str, Any]]


class Site:
    """A site in another process, migrated one step at a time."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.steps: int = self._answer()["steps"]

    def migrate(self) -> Iterator[Step]:
        """Apply one migration after the other, each when it is asked for."""
        assert self._process.stdin
        for _ in range(self.steps):
            self._process.stdin.write("next\n")
            self._process.stdin.flush()
            answer = self._answer()
            yield Step(answer["migration"], answer["acts"])

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the site's process has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def wagtail_site(database_url: str) -> Iterator[Site]:
    environment = os.environ | {"WAGTAIL_SITE_DATABASE": database_url, "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.stories.wagtail_site"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Site(process)
        finally:
            process.kill()


@dataclass
class Tables:
    """The site's tables and columns, each under a number that stays its own through every rename."""

    numbers: Iterator[int] = field(default_factory=itertools.count)
    tables: dict[int, str] = field(default_factory=dict)
    columns: dict[int, tuple[int, str]] = field(default_factory=dict)
    indexes: dict[str, int] = field(default_factory=dict)

    def copy(self) -> "Tables":
        return Tables(self.numbers, dict(self.tables), dict(self.columns), dict(self.indexes))

    def table(self, name: str) -> int:
        return next(number for number, each in self.tables.items() if each == name)

    def column(self, table: str, name: str) -> int:
        return next(number for number, each in self.columns.items() if each == (self.table(table), name))

    def follow(self, acts: Sequence[Mapping[str, Any]]) -> set[int]:
        """Go past these acts; the columns whose type or nullability was altered."""
        altered = set()
        for act in acts:
            match act["act"]:
                case "create table":
                    number = next(self.numbers)
                    self.tables[number] = act["table"]
                    self.columns |= {next(self.numbers): (number, column) for column in act["columns"]}
                case "drop table":
                    number = self.table(act["table"])
                    del self.tables[number]
                    self.columns = {key: each for key, each in self.columns.items() if each[0] != number}
                case "rename table":
                    self.tables[self.table(act["table"])] = act["to"]
                case "add column":
                    self.columns[next(self.numbers)] = (self.table(act["table"]), act["column"])
                case "drop column":
                    del self.columns[self.column(act["table"], act["column"])]
                case "rename column":
                    self.columns[self.column(act["table"], act["column"])] = (self.table(act["table"]), act["to"])
                case "alter column":
                    altered.add(self.column(act["table"], act["column"]))
                case "add index":
                    self.indexes[act["index"]] = self.table(act["table"])
                case unknown:
                    raise AssertionError(f"The oracle does not know the act “{unknown}”")
        return altered


def effects(before: Tables, after: Tables, altered: set[int]) -> set[Effect]:
    """What the step did to what was there before, as a reader of the catalog should be told."""
    return {*_table_effects(before, after), *_column_effects(before, after, altered), *_index_effects(before, after)}


def _table_effects(before: Tables, after: Tables) -> Iterator[Effect]:
    yield from (("added", "relation", after.tables[each]) for each in after.tables.keys() - before.tables.keys())
    yield from (("removed", "relation", before.tables[each]) for each in before.tables.keys() - after.tables.keys())
    for each in before.tables.keys() & after.tables.keys():
        if before.tables[each] != after.tables[each]:
            yield "renamed", "relation", after.tables[each]


def _column_effects(before: Tables, after: Tables, altered: set[int]) -> Iterator[Effect]:
    """Columns of tables that stay: those of new and dropped tables come and go with them."""
    lasting = before.tables.keys() & after.tables.keys()
    old = {number: each for number, each in before.columns.items() if each[0] in lasting}
    new = {number: each for number, each in after.columns.items() if each[0] in lasting}
    yield from (("added", "column", _path(after, new[each])) for each in new.keys() - old.keys())
    yield from (("removed", "column", _path(after, old[each])) for each in old.keys() - new.keys())
    for each in old.keys() & new.keys():
        if old[each][1] != new[each][1]:
            yield "renamed", "column", _path(after, new[each])
        elif each in altered:
            yield "changed", "column", _path(after, new[each])


def _path(tables: Tables, column: tuple[int, str]) -> str:
    return f"{tables.tables[column[0]]}.{column[1]}"


def _index_effects(before: Tables, after: Tables) -> Iterator[Effect]:
    for name in after.indexes.keys() - before.indexes.keys():
        if after.indexes[name] in before.tables:
            yield "added", "index", f"{after.tables[after.indexes[name]]}.{name}"
