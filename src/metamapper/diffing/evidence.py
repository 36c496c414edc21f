"""The arguments for a match, in words and in lines: what was there, what is there now, and whether they agree."""

from metamapper.diffing.shape import Shape
from metamapper.diffing.values import KnownRelation, SeenRelation
from metamapper.schema import Column, Evidence, EvidenceItem


def kept_id(native_id: str | None) -> Evidence:
    return Evidence("native id", f"The engine kept its id {native_id}.")


def replaced(
    holder: KnownRelation, item: SeenRelation, elsewhere: SeenRelation | None, rival: KnownRelation | None
) -> Evidence:
    """The name was kept although another object bears it: where the old one went, and where the new one came from."""
    came = f", known as {rival.schema}.{rival.name} before," if rival else ""
    went = f"lives on as {elsewhere.schema}.{elsewhere.name}" if elsewhere else "is gone"
    return Evidence(
        "replacement",
        f"Another relation of nearly the same columns{came} took the name; the old one {went}.",
        (
            _item("Name", f"{holder.schema}.{holder.name}", f"{item.schema}.{item.name}"),
            _item("Kind", holder.kind, item.kind),
            _item("Native id", holder.native_id, item.native_id),
        ),
    )


def only_name(item: SeenRelation) -> Evidence:
    return Evidence("name", f"What stood here stands under another name now; {item.name} is all that still agrees.")


def same_columns(
    owner: KnownRelation, item: SeenRelation, before: Shape, after: Shape, *, same_definition: bool | None
) -> Evidence:
    """``same_definition`` is None where there is none to compare."""
    common = len(before & after)
    items = [
        EvidenceItem("Columns", f"{len(before)}", f"{common} of {len(after)} alike", before == after),
        _item("Schema", owner.schema, item.schema),
        _item("Name", owner.name, item.name),
        _item("Kind", owner.kind, item.kind),
    ]
    if same_definition is not None:
        items.append(EvidenceItem("Definition", agrees=same_definition))
    if owner.native_id or item.native_id:
        items.append(_item("Native id", owner.native_id, item.native_id))
    return Evidence("columns", _summary(before, after), tuple(items))


def _summary(before: Shape, after: Shape) -> str:
    if before == after:
        return f"The same {len(after)} columns under another name."
    return f"{len(before & after)} of {len(after)} columns are the same, under another name."


def same_place(before: Column, after: Column, places: tuple[int, int], candidates: int) -> Evidence:
    """``places`` count the columns from 1; ``candidates`` are those that vanished or appeared with this type."""
    only = "The only candidate" if candidates == 1 else f"One of {candidates} candidates"
    items = [
        _item("Position", str(places[0]), str(places[1])),
        _item("Type", before.type, after.type),
        _item("Nullable", _yes(before.nullable), _yes(after.nullable)),
        _item("Default", before.default, after.default),
    ]
    if before.native_id or after.native_id:
        items.append(_item("Native id, the table was rebuilt", before.native_id, after.native_id))
    return Evidence("column", f"{only}: the same type in the same place.", tuple(items))


def same_definition(kind: str, before: str, after: str) -> Evidence:
    return Evidence("definition", f"The same {kind} under another name.", (_item("Name", before, after),))


def same_scope(before: str, after: str) -> Evidence:
    return Evidence(
        "only candidate",
        "The only schema that vanished and the only one that appeared.",
        (_item("Name", before, after),),
    )


def _item(label: str, vanished: str | None, appeared: str | None) -> EvidenceItem:
    return EvidenceItem(label, vanished or "none", appeared or "none", vanished == appeared)


def _yes(answer: bool) -> str:  # noqa: FBT001 - a word for a truth
    return "yes" if answer else "no"
