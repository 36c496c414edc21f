"""Engines that must not be offered, and what else an entry point may lead to."""

from dataclasses import replace

from metamapper.connectors.engines.sqlite import ENGINE
from metamapper.connectors.settings import EngineSettings


class Wordless(EngineSettings, frozen=True, kw_only=True):
    path: str = ""


NOTHING = {"name": "nothing"}
MISNAMED = replace(ENGINE, name="one", url_schemes=("one",))
IMPOSTOR = replace(ENGINE, name="postgresql", url_schemes=("impostor",))
THIEF = replace(ENGINE, name="thief", url_schemes=("thief", "postgresql"))
MUMBLING = replace(ENGINE, name="mumbling", url_schemes=("mumbling",), capabilities={"views": True})
WORDLESS = replace(ENGINE, name="wordless", url_schemes=("wordless",), settings=Wordless)
