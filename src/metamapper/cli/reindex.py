"""`metamapper reindex`: make the search documents anew from the catalog, while people go on searching."""

import click

from metamapper.cli.framework import start_django


@click.command()
@click.argument("name", required=False)
@click.option("--workspace", default="", metavar="ADDRESS", help="Its address, where there are several.")
def reindex(*, name: str | None, workspace: str) -> None:
    """Make the search index of the datastore NAME anew, or of all in the workspace.

    It is kept with every change, so this is needed only after a repair by hand. Searches see the old one until the end.
    """
    start_django()
    from metamapper.cli.places import datastore_named, place
    from metamapper.datastores.models import Datastore
    from metamapper.search.services import reindex as reindex_datastore

    where = place(workspace)
    mine = Datastore.objects.visible_to(where.user).filter(workspace=where.workspace).order_by("slug")
    for datastore in [datastore_named(where, name)] if name else list(mine):
        relations = reindex_datastore(datastore)
        click.echo(f"{datastore.slug}: {relations} relations")
