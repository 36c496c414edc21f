"""The suite that every engine passes, ours and other packages'. See ``docs/extensions.md``.

A test module of an engine has a subclass of ``ConformanceSuite`` whose name starts with ``Test``, and a fixture named
``subject``. The suite needs no test framework but one that collects methods and fills in that argument.
"""

from metamapper.connectors.conformance.changing import ChangingSuite
from metamapper.connectors.conformance.faults import FaultSuite
from metamapper.connectors.conformance.promises import GapClosed, PromiseBroken, promise
from metamapper.connectors.conformance.reading import ReadingSuite
from metamapper.connectors.conformance.recordings import RecordingSuite, record, replay
from metamapper.connectors.conformance.spelling import SqlSpelling
from metamapper.connectors.conformance.subject import GuardedSource, NetworkSource, Source, Subject


class ConformanceSuite(ReadingSuite, ChangingSuite, FaultSuite, RecordingSuite):
    """Every promise as a method that takes a subject."""


__all__ = [
    "ConformanceSuite",
    "GapClosed",
    "GuardedSource",
    "NetworkSource",
    "PromiseBroken",
    "Source",
    "SqlSpelling",
    "Subject",
    "promise",
    "record",
    "replay",
]
