"""The difference between two moments, read from the recorded changes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from metamapper.history import codec
from metamapper.history.difference import net
from metamapper.history.feed import Asked, Tally, matching
from metamapper.history.models import Change
from metamapper.history.values import own_facts
from metamapper.lib.lookups import AnyOf
from metamapper.schema import AssetKind, Certainty, ChangeKind, Evidence, FieldChange, Severity
from metamapper.schema import Change as Value

if TYPE_CHECKING:
    from metamapper.catalog.selectors import Person

LIMIT = 20_000
"""Changes between two moments that are still compared for a page."""
_ORDER = {Severity.BREAKING: 0, Severity.RISKY: 1, Severity.SAFE: 2}
# Tuples in place of model instances: of thousands that are compared, a page shows a hundred.
_READ = (
    "kind", "asset", "asset_id", "parent_id", "path", "fields", "severity", "reason", "certainty", "evidence", "id",
)  # fmt: skip
_fields = tuple[FieldChange, ...]


class TooManyChanges(Exception):
    """More changes lie between the two moments than a page compares."""

    def __init__(self) -> None:
        super().__init__(f"More than {LIMIT} changes lie between the two moments. Choose a shorter span or one schema.")


@dataclass(frozen=True, slots=True)
class Difference:
    """What is left of one asset's changes. ``source_id`` is the recorded change whose state shows it; ``later`` are the
    fields that changed after that state was kept.
    """

    change: Value
    source_id: UUID
    later: Mapping[str, Any]


def difference(user: "Person", asked: Asked) -> list[Difference]:
    """What is left of the asked changes, the gravest first. One query.

    Severity, kind and certainty filter what is left, not what is compared: ``narrowed`` does it. ``shown`` turns a page
    of it into rows. Raises ``TooManyChanges``.
    """
    found = matching(user, replace(asked, severity="", kind="", certainty=""))
    rows = list(found.order_by("at", "order").values_list(*_READ)[: LIMIT + 1])
    if len(rows) > LIMIT:
        raise TooManyChanges
    left = [Difference(each.change, rows[each.source][-1], each.later) for each in net([_value(row) for row in rows])]
    return sorted(left, key=lambda each: (_ORDER[each.change.severity], each.change.path))


def _value(row: tuple[Any, ...]) -> Value:
    kind, asset, asset_id, parent_id, path, fields, severity, reason, certainty, evidence, _ = row
    return Value(
        kind=ChangeKind(kind),
        asset=AssetKind(asset),
        asset_id=asset_id,
        parent_id=parent_id,
        path=tuple(path),
        fields=msgspec.convert(fields, _fields) if fields else (),
        severity=Severity(severity),
        reason=reason,
        certainty=Certainty(certainty),
        evidence=msgspec.convert(evidence, Evidence) if evidence else None,
    )


def narrowed(left: Sequence[Difference], asked: Asked) -> list[Difference]:
    """What of the difference has the asked severity, kind and certainty."""
    return [
        each
        for each in left
        if asked.severity in {"", each.change.severity}
        and asked.kind in {"", each.change.kind}
        and asked.certainty in {"", each.change.certainty}
    ]


def tally_of(left: Sequence[Difference], asked: Asked) -> Tally:
    severities = Counter(each.change.severity.value for each in narrowed(left, replace(asked, severity="")))
    kinds = Counter(each.change.kind.value for each in narrowed(left, replace(asked, kind="")))
    return Tally(len(narrowed(left, asked)), severities, kinds, severities.total(), kinds.total())


def shown(user: "Person", page: Sequence[Difference]) -> list[Change]:
    """One page of the difference as rows that are not to be saved: the recorded ones, saying what is left. One query."""
    ids = [each.source_id for each in page]
    found = Change.objects.visible_to(user).filter(AnyOf("id", ids)).select_related("datastore", "datastore__workspace")
    rows = {row.id: row for row in found}
    return [_told(rows[each.source_id], each) for each in page if each.source_id in rows]


def _told(row: Change, each: Difference) -> Change:
    change = each.change
    row.kind, row.certainty = change.kind.value, change.certainty.value
    row.path, row.subject = list(change.path), ".".join(change.path)
    row.fields = msgspec.to_builtins(change.fields)
    row.severity, row.reason = change.severity.value, change.reason
    row.evidence = None if change.evidence is None else msgspec.to_builtins(change.evidence)
    row.after = _brought_up(row.after, each.later)
    return row


def _brought_up(packed: bytes | memoryview | None, later: Mapping[str, Any]) -> bytes | memoryview | None:
    if packed is None or not later:
        return packed
    return codec.pack_state(own_facts(codec.unpack_state(packed)) | dict(later))
