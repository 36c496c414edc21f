"""The promise of every DDL step: exactly the differences that it makes, and no other."""

from collections.abc import Callable

from metamapper.connectors.base import Ability
from metamapper.connectors.conformance.differences import differences
from metamapper.connectors.conformance.promises import Promise, holds, promise, same
from metamapper.connectors.conformance.reads import Look, look, read
from metamapper.connectors.conformance.seed import seed
from metamapper.connectors.conformance.steps import STEPS, DdlStep
from metamapper.connectors.conformance.subject import Subject
from metamapper.schema import AssetKind, Snapshot


class ChangingSuite:
    """One method for each of ``STEPS``, named after it."""


def _promise_of(step: DdlStep) -> Promise[ChangingSuite]:
    @promise(*step.needs)
    def check(self: ChangingSuite, subject: Subject) -> None:  # noqa: ARG001 - pytest calls a method
        with subject.fresh() as source:
            source.perform(*seed(subject.engine), *step.first)
            before, looked = read(subject, source), look(subject, source)
            source.perform(step.operation)
            after, looked_again = read(subject, source), look(subject, source)
        found = differences(before, after)
        expected = {line.format_map(subject.schemas) for line in step.expected}
        same(found - _hints(subject, before), expected, f"Differences after {step.name}")
        _fingerprints_agree(looked, looked_again, found)
        if subject.engine.capabilities[Ability.PROBE]:
            holds(looked.token != looked_again.token, f"The probe says that nothing changed after {step.name}")

    return check


def _hints(subject: Subject, before: Snapshot) -> set[str]:
    """Differences that may be: where an engine's ids of relations are no more than hints, rebuilding one changes its."""
    if AssetKind.RELATION in subject.engine.stable_ids:
        return set()
    return {f"~ {relation.schema}.{relation.name}.native_id" for relation in before.relations}


def _fingerprints_agree(before: Look, after: Look, found: set[str]) -> None:
    """A relation has a new fingerprint if and only if something of it differs."""
    for key in before.fingerprints.keys() & after.fingerprints.keys():
        path = ".".join(key)
        differs = any(line[2:] == path or line[2:].startswith(f"{path}.") for line in found)
        same(before.fingerprints[key] != after.fingerprints[key], differs, f"Whether {path} has a new fingerprint")


def _install(name: str, check: Callable[..., None]) -> None:
    check.__name__ = check.__qualname__ = name
    setattr(ChangingSuite, name, check)


for _each in STEPS:
    _install(f"test_step_{_each.name}", _promise_of(_each))
