"""Every call that a read makes: the list of databases, and the list of tables of each. Both come in pages.

https://docs.aws.amazon.com/glue/latest/webapi/API_GetDatabases.html and API_GetTables.html. Nothing else is called, so
nothing can be written; the connection test asks STS besides who we are.
"""

from collections.abc import Iterable, Iterator

from metamapper.connectors import errors
from metamapper.connectors.aws import policy
from metamapper.connectors.aws.calls import Answer, Caller
from metamapper.connectors.engines.glue.settings import GlueSettings

PAGE = 100
"""Tables or databases on a page; the service gives no more."""

LIST_DATABASES, LIST_TABLES = "glue:GetDatabases", "glue:GetTables"


def databases(caller: Caller, settings: GlueSettings) -> Iterator[Answer]:
    for page in caller.pages("get_databases", "DatabaseList", MaxResults=PAGE, **_of(settings)):
        yield from page


def tables(caller: Caller, settings: GlueSettings, database: str) -> Iterator[Answer]:
    for page in caller.pages("get_tables", "TableList", DatabaseName=database, MaxResults=PAGE, **_of(settings)):
        yield from page


def _of(settings: GlueSettings) -> dict[str, str]:
    return {"CatalogId": settings.catalog_id} if settings.catalog_id else {}


def permissions(settings: GlueSettings, said: str = "", database: str = "*", actions: Iterable[str] = ()) -> str:
    """The statement that lets a database be listed and read; ``said`` may name the account.

    A call for a table needs the rights on its database and on the catalog, too:
    https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html.
    """
    partition, account = policy.home(said, settings.role_arn)
    owner = settings.catalog_id if settings.catalog_id.isdecimal() else account
    start = f"arn:{partition}:glue:{settings.region}:{owner}"
    resources = [f"{start}:catalog", f"{start}:database/{database}", f"{start}:table/{database}/*"]
    return policy.statement(actions or (LIST_DATABASES, LIST_TABLES), resources)


def unlistable(settings: GlueSettings, refused: errors.PermissionMissing, who: str = "") -> errors.PermissionMissing:
    """The whole statement that a read needs, not only the one right that was missed first."""
    return errors.PermissionMissing(
        "The databases may not be listed.",
        server_said=refused.server_said,
        hint="Add this statement to a policy of the role or user that reads; it lists and describes, no more.",
        remedy=permissions(settings, f"{refused.server_said} {who}"),
        unseen="anything of this catalog",
    )
