"""Traces: one for each run, whichever process it comes from; no words of errors in them; nothing where nobody asked."""

from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from metamapper.lib import tracing
from metamapper.lib.tracing import span

RUN = UUID("0199d0c2-1111-7000-8000-00000000abcd")
Spans = Callable[[], Sequence[ReadableSpan]]


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setenv(tracing.ENDPOINTS[0], "http://127.0.0.1:9/")
    monkeypatch.setattr(tracing, "_provider", lambda: provider)
    yield exporter.get_finished_spans
    provider.shutdown()


def test_all_of_a_run_is_one_trace_whose_id_is_the_run(spans: Spans) -> None:
    with span("publish", identity=RUN):
        pass
    with span("run", identity=RUN, attempt=1), span("read"):
        pass
    assert {each.context.trace_id for each in spans()} == {RUN.int}
    by_name = {each.name: each for each in spans()}
    assert by_name["read"].parent == by_name["run"].context
    assert by_name["run"].attributes == {"attempt": 1}


def test_an_error_is_told_by_its_type_alone(spans: Spans) -> None:
    with pytest.raises(ValueError, match="hunter2"), span("run", identity=RUN):
        raise ValueError("password=hunter2")
    assert "hunter2" not in spans()[0].to_json()
    assert spans()[0].status.description == "ValueError"


def test_where_nobody_asked_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tracing.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tracing, "_provider", lambda: pytest.fail("Nobody asked for traces"))
    with span("run", identity=RUN):
        pass
    assert tracing.problem() is None


def test_packages_that_are_missing_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tracing.ENDPOINTS[0], "http://127.0.0.1:9/")
    monkeypatch.setattr(tracing, "_provider", lambda: None)
    with span("run", identity=RUN):
        pass
    assert "metamapper[otel]" in str(tracing.problem())
