"""The tables of search, in each metastore's own SQL; Django's state knows them as ordinary models."""

from django.db import migrations, models

from metamapper.search.backends import backend_of


def create(_apps, schema_editor):
    for statement in backend_of(schema_editor.connection.vendor).create():
        schema_editor.execute(statement, params=None)


def drop(_apps, schema_editor):
    for statement in backend_of(schema_editor.connection.vendor).drop():
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(create, drop)],
            state_operations=[
                migrations.CreateModel(
                    name="Document",
                    fields=[
                        ("asset_id", models.UUIDField(primary_key=True, serialize=False)),
                        ("name_id", models.BigIntegerField()),
                        ("relation_name_id", models.BigIntegerField()),
                        ("schema_name_id", models.BigIntegerField()),
                        ("alias_of", models.BigIntegerField(null=True)),
                        ("kind", models.SmallIntegerField()),
                        ("state", models.SmallIntegerField()),
                    ],
                    options={
                        "db_table": "search_document",
                    },
                ),
                migrations.CreateModel(
                    name="Name",
                    fields=[
                        ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                        ("datastore_id", models.UUIDField()),
                        ("name", models.TextField()),
                        ("words", models.TextField()),
                        ("size", models.SmallIntegerField()),
                    ],
                    options={
                        "db_table": "search_name",
                    },
                ),
                migrations.CreateModel(
                    name="Word",
                    fields=[
                        ("datastore_id", models.UUIDField()),
                        ("word", models.TextField()),
                        ("name_id", models.BigIntegerField(primary_key=True, serialize=False)),
                    ],
                    options={
                        "db_table": "search_word",
                    },
                ),
                migrations.CreateModel(
                    name="Written",
                    fields=[
                        ("asset_id", models.UUIDField(primary_key=True, serialize=False)),
                        ("datastore_id", models.UUIDField()),
                    ],
                    options={
                        "db_table": "search_written",
                    },
                ),
            ],
        ),
    ]
