"""What a difference means for those who read the asset: a severity and the reason in a sentence."""

from collections.abc import Iterable
from typing import NamedTuple

from metamapper.schema import Severity

_WEIGHT = {Severity.SAFE: 0, Severity.RISKY: 1, Severity.BREAKING: 2}


class Verdict(NamedTuple):
    severity: Severity
    reason: str


def safe(reason: str) -> Verdict:
    return Verdict(Severity.SAFE, reason)


def risky(reason: str) -> Verdict:
    return Verdict(Severity.RISKY, reason)


def breaking(reason: str) -> Verdict:
    return Verdict(Severity.BREAKING, reason)


NO_DIFFERENCE = safe("Readers see no difference.")


def worst(severities: Iterable[Severity]) -> Severity | None:
    """The gravest of them, None of none."""
    return max(severities, key=_WEIGHT.__getitem__, default=None)


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """One verdict for several differences: the worst severity with every reason for it, once each."""
    found = list(verdicts)
    severity = worst(verdict.severity for verdict in found)
    if severity is None:
        return NO_DIFFERENCE
    reasons = dict.fromkeys(verdict.reason for verdict in found if verdict.severity is severity)
    if len(reasons) > 1:
        reasons.pop(NO_DIFFERENCE.reason, None)
    return Verdict(severity, " ".join(reasons))
