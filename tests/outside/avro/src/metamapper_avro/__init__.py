"""A folder of Avro schemas (``*.avsc``), each a table. Facts only: importing this imports no driver.

Avro's own words: https://avro.apache.org/docs/1.12.0/specification/
"""

from typing import Annotated
from urllib.parse import SplitResult, unquote

from metamapper.connectors.base import Ability, Capability, Engine, Support
from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.settings import EngineSettings, described, parse_settings

_NEVER = dict.fromkeys(Ability, "A schema describes the fields of a record, and nothing else.") | {
    Ability.SCHEMAS: "A folder is one schema, avro.",
    Ability.PASSWORDS: "A folder has no sign-in.",
    Ability.NETWORK: "A folder is not reached over a network.",
}
_CAN = {
    Ability.COMMENTS,
    Ability.NOT_NULL,
    Ability.DEFAULTS,
    Ability.PROBE,
    Ability.RENAME_COLUMN,
    Ability.ALTER_TYPE,
    Ability.ALTER_COLUMN,
}


class AvroSettings(EngineSettings, frozen=True, kw_only=True):
    folder: Annotated[
        str, described("Folder", "On the machine where the workers run.", example="/srv/schemas", min_length=1)
    ]


def settings_from_url(parts: SplitResult) -> AvroSettings:
    """``avro:///srv/schemas``; raises ``SettingsInvalid``."""
    if parts.netloc or parts.query:
        raise SettingsInvalid("An Avro URL carries a path and nothing else.", hint="Write avro:///folder.")
    return parse_settings(AvroSettings, {"folder": unquote(parts.path)})


ENGINE = Engine(
    name="avro",
    title="Avro schemas",
    mark="Av",
    blurb="Folders of .avsc files",
    settings=AvroSettings,
    connector=f"{__name__}.connector:AvroConnector",
    decoder=f"{__name__}.connector:decode",
    url_schemes=("avro",),
    settings_from_url=settings_from_url,
    capabilities={
        each: Capability(Support.YES) if each in _CAN else Capability(Support.NEVER, _NEVER[each]) for each in Ability
    },
)
