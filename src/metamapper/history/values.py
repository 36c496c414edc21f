"""Recorded changes as the values they were."""

from collections.abc import Mapping
from typing import Any

import msgspec

from metamapper.history import codec, models
from metamapper.schema import Change


def as_change(row: models.Change) -> Change:
    """The recorded row as the value it was."""
    return msgspec.convert(
        {
            "kind": row.kind,
            "asset": row.asset,
            "asset_id": row.asset_id,
            "parent_id": row.parent_id,
            "path": row.path,
            "fields": row.fields,
            "severity": row.severity,
            "reason": row.reason,
            "certainty": row.certainty,
            "evidence": row.evidence,
            "before": _state(row.before),
            "after": _state(row.after),
        },
        Change,
    )


def _state(packed: bytes | memoryview | None) -> Any:
    return None if packed is None else codec.unpack_state(packed)


def own_facts(state: Mapping[str, Any] | None) -> dict[str, Any]:
    """The asset's own facts within a recorded state: without its identity, and without a relation's children."""
    if not state:
        return {}
    inner = state.get("value") or state.get("relation") or state.get("scope") or state
    facts = inner if isinstance(inner, Mapping) else state
    return {key: value for key, value in facts.items() if key not in {"columns", "indexes", "constraints"}}
