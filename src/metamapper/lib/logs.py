"""Structured logs: readable lines in development, JSON elsewhere."""

import logging
import os
import sys
from collections.abc import Mapping
from typing import Any

import structlog

_SHARED: tuple[Any, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure(options: Mapping[str, Any]) -> None:
    """Send every logger, ours and the libraries', through one formatter on standard error."""
    development = bool(options.get("development"))
    # Plain tracebacks: the default one prints local variables, and secrets are among them.
    readable = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty() or "FORCE_COLOR" in os.environ, exception_formatter=structlog.dev.plain_traceback
    )
    renderer: Any = readable if development else structlog.processors.JSONRenderer()
    final: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if not development:
        final.append(structlog.processors.format_exc_info)
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_SHARED, processors=[*final, renderer])
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
