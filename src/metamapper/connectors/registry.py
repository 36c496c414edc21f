"""The engines that are installed, found by entry point. One that does not load is reported, never silent."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any
from urllib.parse import urlsplit

from metamapper.connectors.base import Capability, Engine, EngineSettings
from metamapper.connectors.errors import DriverMissing, SettingsInvalid
from metamapper.connectors.settings import metas

GROUP = "metamapper.engines"
OURS = "metamapper"


@dataclass(frozen=True, slots=True)
class Registry:
    engines: dict[str, Engine]
    broken: dict[str, str]
    """Entry points that could not be used, with the reason: what the import said, or what is wrong with the engine."""


def offered() -> list[Engine]:
    """The engines that are installed, as people look for them: by title."""
    return sorted(registry().engines.values(), key=lambda each: each.title.casefold())


@cache
def registry() -> Registry:
    """Ours are loaded first, so that no other package can take the place, or the URLs, of one of them."""
    engines: dict[str, Engine] = {}
    broken: dict[str, str] = {}
    for point in sorted(
        entry_points(group=GROUP), key=lambda each: (_package(each) != OURS, each.name, _package(each))
    ):
        try:
            engines[point.name] = _loaded(point, engines)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - another package's import may fail in any way
            name = point.name if point.name not in engines else f"{point.name} of {_package(point)}"
            broken[name] = str(error) if isinstance(error, _Unfit) else f"{type(error).__name__}: {error}"
    return Registry(dict(sorted(engines.items())), broken)


class _Unfit(Exception):
    """What an entry point offers cannot be used as an engine."""


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else ""


def _loaded(point: EntryPoint, others: dict[str, Engine]) -> Engine:
    """What the entry point offers; raises ``_Unfit`` for what would do harm where the engines are used together."""
    if point.name in others:
        raise _Unfit(f"Another package offers an engine “{point.name}” already.")
    found: object = point.load()
    if not isinstance(found, Engine):
        raise _Unfit(f"{point.value} is no Engine, but a {type(found).__name__}.")
    if found.name != point.name:
        raise _Unfit(f"The engine is called “{found.name}”, its entry point “{point.name}”.")
    taken = {scheme: each.title for each in others.values() for scheme in each.url_schemes}
    if clashes := [scheme for scheme in found.url_schemes if scheme in taken]:
        raise _Unfit(f"URLs that start with {clashes[0]}:// are those of {taken[clashes[0]]}.")
    said: Mapping[Any, object] = found.capabilities
    if strange := [str(ability) for ability, told in said.items() if not isinstance(told, Capability)]:
        raise _Unfit(f"What it says of {', '.join(strange)} is no Capability.")
    if undescribed := _undescribed(found.settings):
        raise _Unfit(f"Its settings do not describe {', '.join(undescribed)}.")
    return found


def _undescribed(settings: type[EngineSettings]) -> Collection[str]:
    """Fields without words for a form and a page."""
    known = metas(settings)
    return [name for name in settings.__struct_fields__ if name not in known or not known[name].title]


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
