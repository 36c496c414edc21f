"""The engines that are installed, found by entry point. One that does not load is reported, never silent."""

from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from urllib.parse import urlsplit

from metamapper.connectors.base import Engine, EngineSettings
from metamapper.connectors.errors import DriverMissing, SettingsInvalid

GROUP = "metamapper.engines"


@dataclass(frozen=True, slots=True)
class Registry:
    engines: dict[str, Engine]
    broken: dict[str, str]
    """Entry points that could not be loaded, with what the import said."""


def offered() -> list[Engine]:
    """The engines that are installed, as people look for them: by title."""
    return sorted(registry().engines.values(), key=lambda each: each.title.casefold())


@cache
def registry() -> Registry:
    engines: dict[str, Engine] = {}
    broken: dict[str, str] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        try:
            engines[point.name] = point.load()
        except Exception as error:  # noqa: BLE001 - another package's import may fail in any way; `check` shows it
            broken[point.name] = f"{type(error).__name__}: {error}"
    return Registry(engines, broken)


def engine(name: str) -> Engine:
    """The engine of this name; raises ``DriverMissing`` if none is installed."""
    found = registry().engines.get(name)
    if found is None:
        known = ", ".join(registry().engines)
        why = registry().broken.get(name, f"No package that is installed offers it. Installed: {known}.")
        raise DriverMissing(
            f"There is no engine “{name}”. {why}", hint="Run `metamapper check` to see what is installed."
        )
    return found


def from_url(url: str) -> tuple[Engine, EngineSettings]:
    """The engine and settings of ``scheme://…``; raises ``SettingsInvalid`` naming what is wrong, never the password."""
    parts = urlsplit(url)
    for candidate in registry().engines.values():
        if parts.scheme in candidate.url_schemes:
            return candidate, candidate.settings_from_url(parts)
    known = ", ".join(sorted(scheme for each in registry().engines.values() for scheme in each.url_schemes))
    what = (
        f"“{parts.scheme}” is not a known kind of datastore." if parts.scheme else "This is not the URL of a datastore."
    )
    raise SettingsInvalid(what, hint=f"The URL starts with one of: {known}.")
