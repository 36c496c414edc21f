"""Every call that a read makes: the list of catalogs where all are read, of databases, and of the tables of each database.

https://docs.aws.amazon.com/athena/latest/APIReference/API_ListDataCatalogs.html, API_ListDatabases.html and
API_ListTableMetadata.html. No query is ever run; the connection test asks STS besides who we are.
"""

from collections.abc import Iterator

from metamapper.connectors import errors
from metamapper.connectors.aws import policy
from metamapper.connectors.aws.calls import Answer, Caller
from metamapper.connectors.engines.athena.settings import EVERY_CATALOG, OWN_CATALOG, AthenaSettings

PAGE = 50
"""Entries on a page; the service gives no more."""


def catalogs(caller: Caller, settings: AthenaSettings) -> list[str]:
    """The names of the catalogs that are read."""
    if settings.catalog != EVERY_CATALOG:
        return [settings.catalog]
    pages = caller.pages("list_data_catalogs", "DataCatalogsSummary", MaxResults=PAGE, **_of(settings))
    return [each["CatalogName"] for page in pages for each in page]


def databases(caller: Caller, settings: AthenaSettings, catalog: str) -> Iterator[Answer]:
    for page in caller.pages("list_databases", "DatabaseList", CatalogName=catalog, MaxResults=PAGE, **_of(settings)):
        yield from page


def tables(caller: Caller, settings: AthenaSettings, catalog: str, database: str) -> Iterator[Answer]:
    for page in caller.pages(
        "list_table_metadata",
        "TableMetadataList",
        CatalogName=catalog,
        DatabaseName=database,
        MaxResults=PAGE,
        **_of(settings),
    ):
        yield from page


def _of(settings: AthenaSettings) -> dict[str, str]:
    return {"WorkGroup": settings.work_group} if settings.work_group else {}


def permissions(settings: AthenaSettings, said: str, catalog: str, database: str = "*") -> str:
    """The statements that let a catalog be listed and read: Athena asks Glue as whoever calls.

    https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html.
    """
    partition, account = policy.home(said, settings.role_arn)
    athena = f"arn:{partition}:athena:{settings.region}:{account}:datacatalog/{catalog}"
    parts = [policy.statement(["athena:ListDatabases", "athena:ListTableMetadata"], [athena])]
    if settings.catalog == EVERY_CATALOG:
        parts.insert(0, policy.statement(["athena:ListDataCatalogs"], ["*"]))
    if catalog in {OWN_CATALOG, EVERY_CATALOG}:
        glue = f"arn:{partition}:glue:{settings.region}:{account}"
        resources = [f"{glue}:catalog", f"{glue}:database/{database}", f"{glue}:table/{database}/*"]
        parts.append(policy.statement(["glue:GetDatabases", "glue:GetTables"], resources))
    return ",\n".join(parts)


def unlistable(settings: AthenaSettings, refused: errors.PermissionMissing, who: str = "") -> errors.PermissionMissing:
    """The whole of what a read needs, not only the one right that was missed first."""
    return errors.PermissionMissing(
        "The databases may not be listed.",
        server_said=refused.server_said,
        hint="Add these statements to a policy of the role or user that reads; they list and describe, no more.",
        remedy=permissions(settings, f"{refused.server_said} {who}", settings.catalog),
        unseen="anything of this catalog",
    )
