"""What makes a method of the suite a promise: what it needs of an engine, and what a declared gap means for it."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

from metamapper.connectors.base import Ability, Capability, Engine
from metamapper.connectors.conformance.subject import Subject

S = TypeVar("S")
Promise = Callable[[S, Subject], None]


class PromiseBroken(AssertionError):
    """An engine does not do what the suite asks of every engine."""


class GapClosed(AssertionError):
    """An engine declares that it cannot do something, and it can: the declaration must go."""


def promise(*needs: Ability) -> Callable[[Promise[S]], Promise[S]]:
    """Mark a check that needs these abilities.

    Where an engine declares that it lacks one, the check must fail: a gap that starts to work is ``GapClosed``.
    """

    def decorate(check: Promise[S]) -> Promise[S]:
        @wraps(check)
        def kept_or_declared(self: S, subject: Subject) -> None:
            gaps = declared_gaps(subject.engine, needs)
            if not gaps:
                check(self, subject)
                return
            try:
                check(self, subject)
            except Exception:  # noqa: BLE001 - what is declared impossible may fail in any way
                return
            said = "; ".join(f"{ability}: {gap.support}, {gap.reason}" for ability, gap in gaps.items())
            raise GapClosed(f"{subject.engine.title} declares a gap that is none any more ({said}).")

        return kept_or_declared

    return decorate


def declared_gaps(engine: Engine, needs: tuple[Ability, ...]) -> Mapping[Ability, Capability]:
    """The abilities that are needed and missing; raises ``PromiseBroken`` for a gap without a reason."""
    gaps = {ability: engine.capabilities[ability] for ability in needs if not engine.capabilities[ability]}
    for ability, gap in gaps.items():
        if not gap.reason:
            raise PromiseBroken(f"{engine.title} declares no reason why it lacks {ability}.")
    return gaps


def same(found: Any, wanted: Any, what: str) -> None:
    """Raise ``PromiseBroken`` unless the two are equal; sets are told by what is missing and what is too much."""
    if found == wanted:
        return
    if isinstance(found, (set, frozenset)) and isinstance(wanted, (set, frozenset)):
        missing, extra = sorted(wanted - found), sorted(found - wanted)
        raise PromiseBroken(f"{what}: missing {missing}, unexpected {extra}")
    raise PromiseBroken(f"{what}: found {found!r}, wanted {wanted!r}")


def holds(condition: object, what: str) -> None:
    """Raise ``PromiseBroken`` unless the condition is true."""
    if not condition:
        raise PromiseBroken(what)
