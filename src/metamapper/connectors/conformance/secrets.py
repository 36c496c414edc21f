"""Everything that is said when a connection fails, so that it can be searched for secrets."""

import json
import logging
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from metamapper.connectors.base import Engine, EngineSettings
from metamapper.connectors.errors import ConnectorError
from metamapper.connectors.reach import Reach


def everything_said(engine: Engine, settings: EngineSettings) -> Mapping[str, str]:
    """By place: settings as they print, the error in every form, its traceback, the connection test, all logs."""
    with _all_logs() as lines:
        said = {"settings": repr(settings), **_error_said(engine, settings), "test": _test_said(engine, settings)}
    return said | {"log": "\n".join(lines)}


def _error_said(engine: Engine, settings: EngineSettings) -> Mapping[str, str]:
    try:
        with engine.connect(settings, Reach()).open():
            return {}
    except ConnectorError as error:
        return {
            "error": str(error),
            "error in full": json.dumps(dict(error.as_dict())),
            "error as it prints": repr(error),
            "traceback": "".join(traceback.format_exception(error)),
        }


def _test_said(engine: Engine, settings: EngineSettings) -> str:
    steps = engine.connect(settings, Reach()).test()
    return json.dumps([[step.detail, dict(step.error.as_dict()) if step.error else None] for step in steps])


@contextmanager
def _all_logs() -> Iterator[list[str]]:
    """Every line of every logger at its most talkative."""
    lines: list[str] = []
    handler = _Lines(lines)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


class _Lines(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))
