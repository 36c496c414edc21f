"""Two moments compared: what is left of any sequence of changes is what a look at both ends alone would say."""

import itertools
from uuid import UUID, uuid4

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from metamapper.history.difference import net
from metamapper.schema import AssetKind, Certainty, Change, ChangeKind, Evidence, FieldChange, Severity

TABLE = uuid4()


def column(kind: ChangeKind, *fields: FieldChange, asset_id: UUID | None = None, **facts: object) -> Change:
    values = {
        "asset": AssetKind.COLUMN,
        "asset_id": asset_id or UUID(int=1),
        "parent_id": TABLE,
        "path": ("s", "t", "c"),
    }
    return Change(kind=kind, fields=fields, **{**values, **facts})


def changed(field: str, before: object, after: object, **facts: object) -> Change:
    return column(ChangeKind.CHANGED, FieldChange(field, before, after), **facts)


def test_there_and_back_is_nothing() -> None:
    assert net([changed("type", "int", "text"), changed("type", "text", "int")]) == []


def test_come_and_gone_is_nothing() -> None:
    assert net([column(ChangeKind.ADDED), changed("type", "int", "text"), column(ChangeKind.REMOVED)]) == []


def test_steps_become_one_field() -> None:
    (found,) = net([changed("type", "int", "text"), changed("type", "text", "uuid"), changed("default", None, "1")])
    assert found.change.fields == (FieldChange("type", "int", "uuid"), FieldChange("default", None, "1"))


def test_renamed_and_widened_is_a_rename_with_both_fields() -> None:
    rename = column(ChangeKind.RENAMED, FieldChange("name", "a", "b"), path=("s", "t", "b"))
    (found,) = net([changed("type", "int", "bigint"), rename])
    assert found.change.kind is ChangeKind.RENAMED
    assert found.change.path == ("s", "t", "b")
    assert [each.field for each in found.change.fields] == ["type", "name"]


def test_added_then_changed_is_added_with_what_changed_later() -> None:
    (found,) = net([column(ChangeKind.ADDED, after={"type": "int"}), changed("type", "int", "text")])
    assert found.change.kind is ChangeKind.ADDED
    assert found.source == 0
    assert found.later == {"type": "text"}
    assert found.change.fields == ()


def test_changed_then_removed_is_removed() -> None:
    (found,) = net([changed("type", "int", "text"), column(ChangeKind.REMOVED)])
    assert (found.change.kind, found.source) == (ChangeKind.REMOVED, 1)


def test_removed_and_restored_alike_is_nothing_and_otherwise_what_differs() -> None:
    gone, same = column(ChangeKind.REMOVED), column(ChangeKind.RESTORED)
    other = column(ChangeKind.RESTORED, FieldChange("type", "int", "text"))
    assert net([gone, same]) == []
    (found,) = net([gone, other])
    assert found.change.kind is ChangeKind.CHANGED
    assert found.change.fields == (FieldChange("type", "int", "text"),)


def test_what_only_follows_is_not_told() -> None:
    type_, length = FieldChange("type", "varchar(1)", "varchar(9)"), FieldChange("length", 1, 9, quiet=True)
    (found,) = net([column(ChangeKind.CHANGED, type_, length)])
    assert found.change.fields == (type_,)
    assert net([column(ChangeKind.CHANGED, length)]) == []


def test_the_gravest_of_what_is_left_tells_why() -> None:
    breaking = changed("type", "int", "text", severity=Severity.BREAKING, reason="Joins stop.")
    undone = changed("nullable", False, True, severity=Severity.RISKY, reason="Joins may drop rows.")
    (found,) = net([undone, breaking, changed("nullable", True, False)])
    assert (found.change.severity, found.change.reason) == (Severity.BREAKING, "Joins stop.")
    (found,) = net([breaking, changed("type", "text", "int"), changed("default", None, "0", reason="Readers see it.")])
    assert (found.change.severity, found.change.reason) == (Severity.SAFE, "Readers see it.")


def test_evidence_stays_with_what_was_inferred() -> None:
    evidence = Evidence("position", "the only candidate")
    rename = column(ChangeKind.RENAMED, FieldChange("name", "a", "b"), certainty=Certainty.INFERRED, evidence=evidence)
    (found,) = net([rename, changed("type", "int", "text", severity=Severity.BREAKING)])
    assert (found.change.certainty, found.change.evidence) == (Certainty.INFERRED, evidence)


def test_children_of_what_came_or_went_are_left_to_it() -> None:
    table = Change(kind=ChangeKind.ADDED, asset=AssetKind.RELATION, asset_id=TABLE, path=("s", "t"))
    assert [each.change.asset for each in net([table, column(ChangeKind.ADDED)])] == [AssetKind.RELATION]
    table = msgspec.structs.replace(table, kind=ChangeKind.REMOVED)
    assert [each.change.asset for each in net([changed("type", "a", "b"), table])] == [AssetKind.RELATION]


def test_a_rebuilt_table_is_said_to_be() -> None:
    rebuilt = Change(kind=ChangeKind.REBUILT, asset=AssetKind.RELATION, asset_id=TABLE, path=("s", "t"))
    (found,) = net([rebuilt, rebuilt])
    assert found.change.kind is ChangeKind.REBUILT


values = st.one_of(st.none(), st.integers(0, 3))
looks = st.lists(st.none() | st.fixed_dictionaries({"type": values, "default": values}), min_size=2, max_size=8)


def recorded(looks: list[dict | None]) -> list[Change]:
    """The changes that inspections between the looks would have recorded; None is "not there"."""
    found, last = [], looks[0]
    for before, after in itertools.pairwise(looks):
        if before is None and after is not None:
            if last is None:
                found.append(column(ChangeKind.ADDED, after=after))
            else:
                found.append(column(ChangeKind.RESTORED, *between(last, after), after=after))
        elif before is not None and after is None:
            found.append(column(ChangeKind.REMOVED, before=before))
        elif before is not None and after is not None and before != after:
            found.append(column(ChangeKind.CHANGED, *between(before, after)))
        last = after or last
    return found


def between(before: dict, after: dict) -> list[FieldChange]:
    return [FieldChange(key, before[key], after[key]) for key in before if before[key] != after[key]]


@given(looks)
def test_what_is_left_is_what_both_ends_say(looks: list[dict | None]) -> None:
    first, last = looks[0], looks[-1]
    found = net(recorded(looks))
    if first == last:
        assert found == []
    elif first is None:
        (each,) = found
        assert each.change.kind is ChangeKind.ADDED
        assert each.change.after is not None
        assert dict(each.change.after) | dict(each.later) == last
    elif last is None:
        (each,) = found
        assert each.change.kind is ChangeKind.REMOVED
    else:
        (each,) = found
        fields = {each.field: (each.before, each.after) for each in each.change.fields}
        assert fields == {key: (first[key], last[key]) for key in first if first[key] != last[key]}
