"""A snapshot as text: for a terminal, for a Markdown page. Values in, lines out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from rich.cells import cell_len

from metamapper.cli.telling import shown
from metamapper.schema import Column, ConstraintKind, Index, Relation, Snapshot

WIDEST = 60
"""Cells of a column of text are cut at this width."""


def counted(count: int, one: str, many: str = "") -> str:
    """``1 table``, ``1,204 tables``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def summary(snapshot: Snapshot) -> str:
    """What a snapshot holds, in one line."""
    relations = snapshot.relations
    parts = (
        counted(len(snapshot.scopes), "schema"),
        counted(len(relations), "relation"),
        counted(sum(len(each.columns) for each in relations), "column"),
        counted(sum(len(each.indexes) for each in relations), "index", "indexes"),
        counted(sum(len(each.constraints) for each in relations), "constraint"),
    )
    return f"{snapshot.engine} {snapshot.server_version}".strip() + ": " + ", ".join(parts)


def in_order(snapshot: Snapshot) -> list[Relation]:
    return sorted(snapshot.relations, key=lambda each: (each.schema, each.name))


# --- For a terminal --------------------------------------------------------------------------------------------------


def table(snapshot: Snapshot) -> Iterator[str]:
    """Each relation with its columns and indexes, aligned."""
    yield summary(snapshot)
    for relation in in_order(snapshot):
        yield ""
        yield _heading(relation)
        if relation.comment:
            yield f"  {_cut(shown(relation.comment), 2 * WIDEST)}"
        yield from aligned(_column_rows(relation), indent=2)
        yield from aligned(_index_rows(relation.indexes), indent=2)


def _heading(relation: Relation) -> str:
    facts = [str(relation.kind), counted(len(relation.columns), "column")]
    if relation.row_estimate is not None and relation.row_estimate >= 0:
        facts.append(f"about {counted(relation.row_estimate, 'row')}")
    return f"{shown(relation.schema)}.{shown(relation.name)}  " + ", ".join(facts)


def _column_rows(relation: Relation) -> list[Sequence[str]]:
    notes = notes_by_column(relation)
    return [
        (
            shown(".".join(column.path)),
            shown(column.type),
            "" if column.nullable else "not null",
            "; ".join(map(shown, notes.get(column.name, ()))),
            shown(column.comment or ""),
        )
        for column in relation.columns
    ]


def _index_rows(indexes: Iterable[Index]) -> list[Sequence[str]]:
    return [
        (f"index {shown(index.name)}", f"({shown(', '.join(index.keys))})", "unique" if index.unique else "")
        for index in indexes
    ]


def notes_by_column(relation: Relation) -> Mapping[str, list[str]]:
    """What is worth a word about each column: keys, what it points to, how its value comes about."""
    notes: dict[str, list[str]] = {column.name: list(_own_notes(column)) for column in relation.columns}
    for constraint in relation.constraints:
        for name in constraint.columns:
            if constraint.kind is ConstraintKind.PRIMARY_KEY:
                notes.setdefault(name, []).insert(0, "primary key")
            elif constraint.references:
                target = constraint.references
                place = target.relation if target.schema == relation.schema else f"{target.schema}.{target.relation}"
                notes.setdefault(name, []).append(f"-> {place}")
    return notes


def _own_notes(column: Column) -> Iterator[str]:
    if column.identity:
        yield f"identity {column.identity}"
    if column.generated:
        yield f"generated {column.generated}: {column.default}"
    elif column.default is not None:
        yield f"default {column.default}"


def aligned(rows: Sequence[Sequence[str]], *, indent: int = 0, gap: int = 2) -> Iterator[str]:
    """Rows of cells as lines with straight columns, also for wide characters; empty columns vanish."""
    cut = [[_cut(cell, WIDEST) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*cut, strict=True)] if cut else []
    for row in cut:
        cells = (cell + " " * (width - cell_len(cell) + gap) for cell, width in zip(row, widths, strict=True) if width)
        yield (" " * indent + "".join(cells)).rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


# --- For a Markdown page ---------------------------------------------------------------------------------------------


def markdown(snapshot: Snapshot) -> Iterator[str]:
    """A page: a section for each schema, a table of columns for each relation, the query of each view."""
    yield f"# {escaped(summary(snapshot))}"
    for schema, relations in groupby(in_order(snapshot), key=lambda each: each.schema):
        yield f"\n## {escaped(schema)}"
        for relation in relations:
            yield from _markdown_relation(relation)


def _markdown_relation(relation: Relation) -> Iterator[str]:
    yield f"\n### {escaped(relation.name)}\n"
    yield f"{str(relation.kind).capitalize()}, {counted(len(relation.columns), 'column')}."
    if relation.comment:
        yield f"\n{escaped(relation.comment)}"
    yield "\n| column | type | null | notes | comment |\n|---|---|---|---|---|"
    for name, kind, null, notes, comment in _column_rows(relation):
        yield f"| {escaped(name)} | {escaped(kind)} | {null} | {escaped(notes)} | {escaped(comment)} |"
    if relation.indexes:
        yield "\n| index | keys | |\n|---|---|---|"
        for cells in _index_rows(relation.indexes):
            yield "| " + " | ".join(map(escaped, cells)) + " |"
    if relation.definition:
        fence = "`" * max(3, _longest_run(relation.definition, "`") + 1)
        yield f"\n{fence}sql\n{relation.definition.strip()}\n{fence}"


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, within a table cell too."""
    return "".join(f"\\{each}" if each in r"\`*_[]<|~&#$" else each for each in shown(text))


def _longest_run(text: str, character: str) -> int:
    return max((len(list(run)) for each, run in groupby(text) if each == character), default=0)
