"""5. Every read of workspace data passes ``visible_to(user)``. ``tests/web/test_gate.py`` walks every address besides."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model

from metamapper.workspaces.visibility import VisibleQuerySet
from tests.cast import Cast

SOURCE = Path(__file__).resolve().parents[2] / "src" / "metamapper"
OF_NOBODY = {
    "User",
    "Fence",
    "SchedulerLease",
    "SchedulerHeartbeat",
    "WorkerHeartbeat",
    "Canary",
    "RunTally",
    "Audit",
    "Errand",
    "Name",
    "Word",
    "Document",
    "Written",
}
"""Tables of no workspace: people, the machinery of all of them, and the search index, which is asked only for datastores
that have passed the gate and whose hits pass it once more.
"""
READERS = (
    "web",
    "search/selectors.py",
    "search/facets.py",
    "search/hits.py",
    "catalog/selectors.py",
    "history/selectors.py",
    "history/feed.py",
    "annotations/selectors.py",
)
GATED_BEFORE = {"history/feed.py Change.objects.filter": "only ids that a gated query has just given"}
WRITES = {"create", "bulk_create", "update_or_create", "get_or_create"}


def ours() -> list[type[Model]]:
    return [model for model in apps.get_models() if model.__module__.startswith("metamapper.")]


@pytest.mark.parametrize(
    "model", [each for each in ours() if each.__name__ not in OF_NOBODY], ids=lambda each: each.__name__
)
def test_every_table_of_a_workspace_has_the_gate(model: type[Model]) -> None:
    """It names its path to the workspace, and the path is real: the query can be made."""
    manager = model._default_manager
    assert isinstance(manager.all(), VisibleQuerySet)
    path = getattr(model, "visible_through")  # noqa: B009 - declared by every model of the gate
    assert str(manager.filter(**{f"{path}__memberships__user" if path else "memberships__user": None}).query)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "model", [each for each in ours() if each.__name__ not in OF_NOBODY], ids=lambda each: each.__name__
)
def test_the_gate_lets_nobody_through_without_a_name(model: type[Model], cast: Cast) -> None:
    """Strangers, and people who were deactivated, see nothing at all, without a query being made."""
    cast.ana.is_active = False
    for nobody in (AnonymousUser(), cast.ana):
        seen = model._default_manager.all()
        assert isinstance(seen, VisibleQuerySet)
        assert seen.visible_to(nobody).query.is_empty()


@pytest.mark.django_db
def test_what_is_visible_ends_at_the_wall(cast: Cast) -> None:
    from metamapper.workspaces.models import Membership, Workspace

    assert set(Workspace.objects.visible_to(cast.rui)) == {cast.larkspur}
    assert set(Workspace.objects.visible_to(cast.oskar)) == {cast.elsewhere}
    assert {each.user for each in Membership.objects.visible_to(cast.kim)} == {cast.ana, cast.rui, cast.kim}


def ungated_reads() -> Iterator[str]:
    """Places in the code that pages read through, where a manager is asked without ``visible_to``."""
    gated = {model.__name__ for model in ours()} - OF_NOBODY
    for path in (file for part in READERS for file in _files(SOURCE / part)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Attribute(value=ast.Attribute(value=ast.Name(id=name), attr="objects"), attr=method):
                    if name in gated and method not in {"visible_to"} | WRITES:
                        yield f"{path.relative_to(SOURCE)} {name}.objects.{method}"


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path] if path.exists() else []


def test_no_page_reads_past_the_gate() -> None:
    assert set(ungated_reads()) <= GATED_BEFORE.keys()
