"""A scripted datastore in a workspace. Django is ready only when fixtures run, so they import what they need."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import scripted


@pytest.fixture(autouse=True)
def scripted_engines(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The two scripted engines are installed for the test: one keeps native ids, one has only names."""
    from metamapper.connectors import registry

    engines = {engine.name: engine for engine in (scripted.STABLE, scripted.NAMED)}
    monkeypatch.setattr(registry, "registry", lambda: registry.Registry(engines, {}))
    yield
    scripted.SCRIPTS.clear()


@pytest.fixture
def cast(db: None) -> Any:
    from tests.cast import assemble

    return assemble()


@pytest.fixture
def register(cast: Any) -> Any:
    """Register a scripted datastore: ``register("warehouse")``, ``register("crm", engine=NAMED, script="crm")``."""
    from metamapper.datastores.services import create_datastore
    from metamapper.runs.services import set_schedule

    def make(name: str = "warehouse", *, engine: Any = scripted.STABLE, script: str = "main", tables: str = "") -> Any:
        datastore = create_datastore(
            cast.larkspur,
            name=name,
            engine=engine.name,
            settings=scripted.ScriptedSettings(script=script),
            user=cast.ana,
            interval_seconds=3600,
            include_tables=tables,
            tested=True,
        )
        set_schedule(datastore, enabled=False)
        return datastore

    return make
