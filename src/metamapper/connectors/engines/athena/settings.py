"""Which data catalog, beside how AWS is signed in to."""

from typing import Annotated
from urllib.parse import SplitResult

from metamapper.connectors.aws.settings import AwsSettings, settings_of_url
from metamapper.connectors.settings import described

OWN_CATALOG = "AwsDataCatalog"
EVERY_CATALOG = "*"


class AthenaSettings(AwsSettings, frozen=True, kw_only=True):
    catalog: Annotated[
        str,
        described(
            "Data catalog",
            "Its name in Athena. * reads every one: a schema is then called catalog.database.",
            example=OWN_CATALOG,
            pattern=r"^(\*|[\w@/:-]+)$",
            max_length=256,
        ),
    ] = OWN_CATALOG
    work_group: Annotated[
        str,
        described(
            "Workgroup",
            "Needed where the catalog belongs to IAM Identity Center. No query is run in it.",
            pattern=r"^[\w.-]*$",
            max_length=128,
        ),
    ] = ""


def settings_from_url(parts: SplitResult) -> AthenaSettings:
    """``athena://KEY:SECRET@eu-west-1/AwsDataCatalog?work_group=…``; raises ``SettingsInvalid``, never with a secret in it."""
    return settings_of_url(AthenaSettings, parts, path="catalog")
