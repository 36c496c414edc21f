"""Which Data Catalog, beside how AWS is signed in to."""

from typing import Annotated
from urllib.parse import SplitResult

from metamapper.connectors.aws.settings import AwsSettings, settings_of_url
from metamapper.connectors.settings import described


class GlueSettings(AwsSettings, frozen=True, kw_only=True):
    catalog_id: Annotated[
        str,
        described(
            "Catalog ID",
            "The account whose catalog is read, or a catalog within it. Blank is the catalog of the account that signs in.",
            example="123456789012",
            pattern=r"^[\w:/.-]*$",
            max_length=255,
        ),
    ] = ""


def settings_from_url(parts: SplitResult) -> GlueSettings:
    """``glue://KEY:SECRET@eu-west-1/123456789012``; raises ``SettingsInvalid``, never with a secret in it."""
    return settings_of_url(GlueSettings, parts, path="catalog_id")
