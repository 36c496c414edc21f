"""Which file. Whether it may be read is the reach's to say."""

from typing import Annotated
from urllib.parse import SplitResult, unquote

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.settings import EngineSettings, described, parse_settings


class DuckdbSettings(EngineSettings, frozen=True, kw_only=True):
    path: Annotated[
        str,
        described(
            "File",
            "The path on the machine where the workers run, in a folder that the administrator allowed.",
            example="/srv/data/shop.duckdb",
            min_length=1,
        ),
    ]


def settings_from_url(parts: SplitResult) -> DuckdbSettings:
    """``duckdb:///srv/data/shop.duckdb`` is absolute as in a file URL, ``duckdb:shop.duckdb`` relative."""
    if parts.netloc:
        raise SettingsInvalid(
            f"“{parts.netloc}” stands where a host would.",
            hint="Write duckdb:///folder/file for an absolute path, duckdb:file for a relative one.",
        )
    if parts.query or parts.fragment:
        raise SettingsInvalid("A DuckDB URL carries a path and nothing else.", hint="Write ? as %3F and # as %23.")
    return parse_settings(DuckdbSettings, {"path": unquote(parts.path)})
