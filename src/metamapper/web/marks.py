"""The two letters of an engine and its full name, from its own facts."""

from metamapper.connectors.registry import registry


def mark(engine: str) -> str:
    found = registry().engines.get(engine)
    return found.mark if found else engine[:2].capitalize()


def title(engine: str, version: str = "") -> str:
    found = registry().engines.get(engine)
    known = found.title if found else engine
    return f"{known} {version}".strip()
