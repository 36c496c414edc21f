"""Every engine's connector and sessions are called alike: names, kinds, defaults and types of what they take and give.

Also what wraps an engine: tunnels, recordings. No server is needed; the drivers are imported.
"""

import ast
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from metamapper.connectors import conformance
from metamapper.connectors.base import Connector, Session
from metamapper.connectors.conformance import Subject
from metamapper.connectors.reach import Reach
from metamapper.connectors.recording import replay, session
from metamapper.connectors.registry import engine, registry
from metamapper.connectors.tunnel.connector import Tunnelled

NAMES = list(registry().engines)
TESTS = Path(__file__).resolve().parent.parent / "engines"
SUITES = {each for each in vars(conformance).values() if inspect.isclass(each) and each.__name__.endswith("Suite")}
READING = ("scopes", "relations")
"""What makes a class a session."""
WRAPPING = [Tunnelled, replay.Replay]
RECORDINGS = [session._RecordingSession, replay._ReplaySession]


def methods(protocol: type) -> dict[str, Callable[..., Any]]:
    return {name: each for name, each in vars(protocol).items() if inspect.isfunction(each) and name[0] != "_"}


def connector_of(name: str) -> type:
    module, _, attribute = engine(name).connector.partition(":")
    found: type = getattr(import_module(module), attribute)
    return found


def sessions_of(name: str) -> set[type]:
    """Every class in or imported by the engine's modules that reads: it may be shared with a relative."""
    package = import_module(connector_of(name).__module__.rpartition(".")[0])
    modules = [import_module(each.name) for each in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")]
    classes = {each for module in modules for each in vars(module).values() if inspect.isclass(each)}
    reading = {each for each in classes if all(inspect.isfunction(getattr(each, name, None)) for name in READING)}
    return {each for each in reading if not getattr(each, "_is_protocol", False)}


def differences(found: type, protocol: type) -> Iterator[str]:
    """How the public methods of a protocol are called otherwise here, in words."""
    for name, promised in methods(protocol).items():
        method = getattr(found, name, None)
        if method is None:
            yield f"{found.__name__} has no {name}"
            continue
        expected, actual = inspect.signature(promised), inspect.signature(method)
        if told(expected, promised) != told(actual, method):
            yield f"{found.__name__}.{name}{actual}, but {name}{expected}"
        if not gives(get_type_hints(method).get("return"), get_type_hints(promised)["return"]):
            yield f"{found.__name__}.{name} gives {actual.return_annotation}, not {expected.return_annotation}"


def told(signature: inspect.Signature, method: Callable[..., Any]) -> list[tuple[Any, ...]]:
    hints = get_type_hints(method)
    return [(each.name, each.kind, each.default, hints.get(each.name)) for each in signature.parameters.values()]


def gives(found: Any, promised: Any) -> bool:
    """Whether it is what was promised, or a kind of it: an iterator is an iterable, a generator makes a context."""
    if found == promised:
        return True
    if get_origin(promised) is AbstractContextManager:
        [opened] = get_args(found)
        return get_origin(found) is Iterator and not list(differences(opened, Session))
    if get_origin(found) is None or get_origin(promised) is None:
        return False
    return issubclass(get_origin(found), get_origin(promised)) and get_args(found) == get_args(promised)


@pytest.mark.parametrize("name", NAMES)
def test_a_connector_is_called_as_every_other(name: str) -> None:
    connector = connector_of(name)
    assert list(differences(connector, Connector)) == []
    made = told(inspect.signature(connector), connector.__init__)
    assert [(each, kind) for each, _, _, kind in made] == [("settings", engine(name).settings), ("reach", Reach)]


@pytest.mark.parametrize("name", NAMES)
def test_its_sessions_are_too(name: str) -> None:
    sessions = sessions_of(name)
    assert sessions
    assert [each for found in sessions for each in differences(found, Session)] == []


@pytest.mark.parametrize("name", NAMES)
def test_nothing_public_is_added_to_a_connector(name: str) -> None:
    assert {each for each in vars(connector_of(name)) if not each.startswith("_")} == set(methods(Connector))


def test_so_is_what_wraps_an_engine() -> None:
    assert [each for found in WRAPPING for each in differences(found, Connector)] == []
    assert [each for found in RECORDINGS for each in differences(found, Session)] == []


def test_a_difference_would_be_seen() -> None:
    class Other:
        def probe(self, scope: str) -> str | None: ...
        def relations(self, within: Any) -> list[int]: ...
        def decode(self, payload: bytes, *, strict: bool = True) -> Any: ...

    found = " ".join(differences(Other, Session))
    assert [name for name in methods(Session) if f"{name}" in found] == list(methods(Session))


# --- The suite's subjects --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_an_engine_brings_facts_and_a_seed_to_the_suite_and_no_test_of_its_own(name: str) -> None:
    """What proves a promise of the suite is the same for all: a class that says which subject, and nothing else."""
    tree = ast.parse((TESTS / name / "test_conformance.py").read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    suites = {each.__name__ for each in SUITES} | {each.__name__ for suite in SUITES for each in suite.__mro__}
    assert classes
    for node in classes:
        assert {base.id for base in node.bases if isinstance(base, ast.Name)} <= suites
        assert [each.name for each in node.body if isinstance(each, ast.FunctionDef)] == ["subject"]
    assert not [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test")]
    # The whole suite at least once; a second server of the same engine may take parts of it.
    assert any("ConformanceSuite" in ast.unparse(node.bases[0]) for node in classes)


@pytest.mark.parametrize("name", NAMES)
def test_its_subjects_are_called_as_every_other(name: str) -> None:
    module = import_module(f"tests.engines.{name}.subject")
    subjects = [
        each
        for each in vars(module).values()
        if inspect.isclass(each) and each.__module__ == module.__name__ and each.__name__.endswith("Subject")
    ]
    assert subjects
    for subject in subjects:
        for called, promised in methods(Subject).items():
            method = getattr(subject, called)
            expected, actual = inspect.signature(promised), inspect.signature(method)
            assert told(actual, method) == told(expected, promised), f"{subject.__name__}.{called}"
