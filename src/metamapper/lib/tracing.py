"""Traces for whoever collects them with OpenTelemetry; nothing at all where nobody does.

They are sent where ``OTEL_EXPORTER_OTLP_ENDPOINT`` or ``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`` says, by OpenTelemetry's own
variables, if its packages are installed. What belongs to one identity (a run) is one trace, whichever process it comes
from: the trace's id is that identity, so that no message has to carry it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from typing import Any
from uuid import UUID

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
MISSING = "Traces are asked for, but OpenTelemetry is not installed: pip install 'metamapper[otel]'"
FLUSH_MILLISECONDS = 2000


def wanted() -> bool:
    """Whether anybody asked for traces."""
    return any(os.environ.get(name) for name in ENDPOINTS) and os.environ.get("OTEL_SDK_DISABLED", "").lower() != "true"


def problem() -> str | None:
    """Why traces that were asked for are not sent; None if all is well."""
    return MISSING if wanted() and _provider() is None else None


@contextmanager
def span(name: str, *, identity: UUID | None = None, **attributes: str | int) -> Iterator[None]:
    """A step that takes time; within another it is that one's child, else it belongs to ``identity``'s trace.

    An error is told by its type alone: its words may hold what no trace should.
    """
    provider = _provider() if wanted() else None
    if provider is None:
        yield
        return
    from opentelemetry.trace import Status, StatusCode

    tracer = provider.get_tracer("metamapper")
    parent = _trace_of(identity) if identity else None
    with tracer.start_as_current_span(
        name, parent, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except BaseException as error:
            current.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def flush() -> None:
    """Send what waits: before a process ends without the interpreter's farewell."""
    if _provider.cache_info().currsize and (provider := _provider()):
        provider.force_flush(FLUSH_MILLISECONDS)


def _trace_of(identity: UUID) -> Any:
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    sampled = TraceFlags(TraceFlags.SAMPLED)
    root = SpanContext(identity.int, identity.int & (2**64 - 1), is_remote=True, trace_flags=sampled)
    return set_span_in_context(NonRecordingSpan(root))


@cache
def _provider() -> Any:
    """Made at the first span of a process; None if the packages are not there."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        return None
    service = os.environ.get("OTEL_SERVICE_NAME", "metamapper")
    provider = TracerProvider(
        resource=Resource.create({"service.name": service, "service.version": version("metamapper")})
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
