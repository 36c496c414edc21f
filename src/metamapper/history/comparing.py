"""The difference between two moments, read from the recorded changes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from metamapper.history import codec
from metamapper.history.difference import Net, net
from metamapper.history.feed import Asked, Tally, matching
from metamapper.history.models import Change
from metamapper.history.values import as_change, own_facts
from metamapper.lib.lookups import AnyOf
from metamapper.schema import ChangeKind, Severity

if TYPE_CHECKING:
    from metamapper.catalog.selectors import Person

LIMIT = 20_000
"""Changes between two moments that are still compared for a page."""
_ORDER = {Severity.BREAKING: 0, Severity.RISKY: 1, Severity.SAFE: 2}
_STATED = {ChangeKind.ADDED, ChangeKind.RESTORED, ChangeKind.REMOVED}


class TooManyChanges(Exception):
    """More changes lie between the two moments than a page compares."""

    def __init__(self) -> None:
        super().__init__(f"More than {LIMIT} changes lie between the two moments. Choose a shorter span or one schema.")


@dataclass(frozen=True, slots=True)
class Difference:
    """What is left of one asset's changes, as a row that was never saved; ``later`` changed after its state was kept."""

    row: Change
    later: Mapping[str, Any]


def difference(user: "Person", asked: Asked) -> list[Difference]:
    """What is left of the asked changes, the gravest first. One query.

    Severity, kind and certainty filter what is left, not what is compared: pass them to ``narrowed``. The rows carry
    no whole states: ``with_states`` loads them for what is shown. Raises ``TooManyChanges``.
    """
    found = matching(user, replace(asked, severity="", kind="", certainty=""))
    light = found.select_related("datastore", "datastore__workspace").defer("before", "after").order_by("at", "order")
    rows = list(light[: LIMIT + 1])
    if len(rows) > LIMIT:
        raise TooManyChanges
    left = [
        Difference(_row(each, rows[each.source]), each.later)
        for each in net([as_change(row, states=False) for row in rows])
    ]
    return sorted(left, key=lambda each: (_ORDER[Severity(each.row.severity)], each.row.subject))


def _row(each: Net, source: Change) -> Change:
    told = each.change
    evidence = None if told.evidence is None else msgspec.to_builtins(told.evidence)
    return Change(
        id=source.id,
        datastore=source.datastore,
        run_id=source.run_id,
        at=source.at,
        order=source.order,
        kind=told.kind.value,
        asset=told.asset.value,
        asset_id=told.asset_id,
        parent_id=told.parent_id,
        schema_id=source.schema_id,
        relation_id=source.relation_id,
        path=list(told.path),
        subject=".".join(told.path),
        fields=msgspec.to_builtins(told.fields),
        severity=told.severity.value,
        reason=told.reason,
        certainty=told.certainty.value,
        evidence=evidence,
        decision=source.decision,
    )


def narrowed(left: Sequence[Difference], asked: Asked) -> list[Difference]:
    """What of the difference has the asked severity, kind and certainty."""
    return [
        each
        for each in left
        if asked.severity in {"", each.row.severity}
        and asked.kind in {"", each.row.kind}
        and asked.certainty in {"", each.row.certainty}
    ]


def tally_of(left: Sequence[Difference], asked: Asked) -> Tally:
    severities = Counter(each.row.severity for each in narrowed(left, replace(asked, severity="")))
    kinds = Counter(each.row.kind for each in narrowed(left, replace(asked, kind="")))
    return Tally(len(narrowed(left, asked)), severities, kinds, severities.total(), kinds.total())


def with_states(shown: Sequence[Difference]) -> list[Change]:
    """The rows with the states that their recorded changes carry, brought up to the later moment. One query."""
    wanted = [each.row.id for each in shown if each.row.kind in _STATED]
    found = Change.objects.filter(AnyOf("id", wanted)).only("before", "after") if wanted else []
    states = {row.id: row for row in found}
    for each in shown:
        source = states.get(each.row.id)
        if source is not None:
            each.row.before = source.before
            each.row.after = _brought_up(source.after, each.later)
    return [each.row for each in shown]


def _brought_up(packed: bytes | memoryview | None, later: Mapping[str, Any]) -> bytes | memoryview | None:
    if packed is None or not later:
        return packed
    return codec.pack_state(own_facts(codec.unpack_state(packed)) | dict(later))
