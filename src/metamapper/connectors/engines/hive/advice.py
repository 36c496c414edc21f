"""What to do about an error, where a metastore needs other rights than a server whose own catalog is read."""

from collections.abc import Iterator
from contextlib import contextmanager

from metamapper.connectors import errors
from metamapper.connectors.engines.hive.rights import create_account, grants
from metamapper.connectors.engines.hive.settings import Access, HiveSettings


@contextmanager
def advised(settings: HiveSettings) -> Iterator[None]:
    """Errors of a database that leave the block offer the rights that a read of a metastore takes."""
    try:
        yield
    except errors.SignInFailed as error:
        error.remedy = create_account(settings)
        raise
    except errors.PermissionMissing as error:
        if settings.access is not Access.POSTGRESQL and not error.remedy.startswith("GRANT SELECT ON"):
            error.remedy = grants(settings, _account(settings))
        raise
    except errors.DatabaseUnknown as error:
        if settings.access is Access.SQLSERVER:
            error.remedy = create_account(settings)
        raise


def _account(settings: HiveSettings) -> str:
    return f"{settings.user}@%" if settings.access is Access.MYSQL else settings.user
