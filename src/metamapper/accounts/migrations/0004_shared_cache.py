from django.core.management import call_command
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def create(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001 - the signature that Django calls
    """The table of the cache, which is no model; nothing where another cache is configured."""
    call_command("createcachetable", database=editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_away_since"),
    ]

    operations = [
        migrations.RunPython(create, migrations.RunPython.noop),
    ]
