"""A process that migrates a Wagtail site step by step, and tells what each step did to the database.

It has Django settings of its own, so it runs beside ours: a line on standard input asks for the next migration, the
answer is a line of JSON: the migration's name and what Django's schema editor was told to do, call by call. That is
the oracle of the story: it knows nothing of how we find out.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.stories.wagtail_settings"

import django
from django.db import connection
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Field, Index, Model

acts: list[dict[str, Any]] = []


def _column(field: "Field[Any, Any]") -> str | None:
    """The field's column, None where it has none of its own (many to many)."""
    parameters = field.db_parameters(connection=connection)
    return str(field.column) if parameters["type"] is not None else None


def _shape(field: "Field[Any, Any]") -> list[Any]:
    """What the database knows of a field beside its name."""
    return [field.db_parameters(connection=connection)["type"], bool(field.null)]


class Recorder(DatabaseSchemaEditor):
    """Django's own schema editor, which writes down what it is told. What it tells itself comes through here too."""

    def create_model(self, model: type[Model]) -> None:
        columns = [column for field in model._meta.local_fields if (column := _column(field))]
        acts.append({"act": "create table", "table": model._meta.db_table, "columns": columns})
        super().create_model(model)

    def delete_model(self, model: type[Model], **options: Any) -> None:
        super().delete_model(model, **options)
        acts.append({"act": "drop table", "table": model._meta.db_table})

    def alter_db_table(self, model: type[Model], old_db_table: str, new_db_table: str) -> None:
        if old_db_table != new_db_table:
            acts.append({"act": "rename table", "table": old_db_table, "to": new_db_table})
        super().alter_db_table(model, old_db_table, new_db_table)

    def add_field(self, model: type[Model], field: "Field[Any, Any]") -> None:
        if column := _column(field):
            acts.append({"act": "add column", "table": model._meta.db_table, "column": column})
        super().add_field(model, field)

    def remove_field(self, model: type[Model], field: "Field[Any, Any]") -> None:
        if column := _column(field):
            acts.append({"act": "drop column", "table": model._meta.db_table, "column": column})
        super().remove_field(model, field)

    def _alter_field(  # type: ignore[override]  # the signature is Django's, and private
        self, model: type[Model], old_field: "Field[Any, Any]", new_field: "Field[Any, Any]", *rest: Any
    ) -> None:
        table, old, new = model._meta.db_table, _column(old_field), _column(new_field)
        if old != new:
            acts.append({"act": "rename column", "table": table, "column": old, "to": new})
        if _shape(old_field) != _shape(new_field):
            acts.append({"act": "alter column", "table": table, "column": new})
        super()._alter_field(model, old_field, new_field, *rest)

    def add_index(self, model: type[Model], index: Index) -> None:
        acts.append({"act": "add index", "table": model._meta.db_table, "index": index.name})
        super().add_index(model, index)

    def remove_index(self, model: type[Model], index: Index) -> None:
        acts.append({"act": "drop index", "table": model._meta.db_table, "index": index.name})
        super().remove_index(model, index)

    def rename_index(self, model: type[Model], old_index: Index, new_index: Index) -> None:
        acts.append(
            {"act": "rename index", "table": model._meta.db_table, "index": old_index.name, "to": new_index.name}
        )
        super().rename_index(model, old_index, new_index)


def serve(ask: Callable[[], str], answer: Callable[[str], None]) -> None:
    """One migration for each line; an empty object when none is left."""
    django.setup()
    connection.SchemaEditorClass = Recorder
    executor = MigrationExecutor(connection)
    executor.recorder.ensure_schema()
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    state = executor._create_project_state(with_applied_migrations=True)
    answer(json.dumps({"steps": len(plan)}))
    for migration, _backwards in plan:
        if not ask():
            return
        acts.clear()
        state = executor.apply_migration(state, migration)
        answer(json.dumps({"migration": f"{migration.app_label}.{migration.name}", "acts": acts}))


if __name__ == "__main__":
    serve(sys.stdin.readline, lambda line: print(line, flush=True))
