"""Which file. Whether it may be read is the reach's to say."""

from typing import Annotated
from urllib.parse import SplitResult, unquote

from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.settings import EngineSettings, described, parse_settings


class SqliteSettings(EngineSettings, frozen=True, kw_only=True):
    path: Annotated[
        str,
        described(
            "File",
            "The path on the machine where the workers run, in a folder that the administrator allowed.",
            example="/srv/data/shop.sqlite3",
            min_length=1,
        ),
    ]


def settings_from_url(parts: SplitResult) -> SqliteSettings:
    """``sqlite:///srv/data/shop.sqlite3`` is absolute as in a file URL, ``sqlite:shop.sqlite3`` relative."""
    if parts.netloc:
        raise SettingsInvalid(
            f"“{parts.netloc}” stands where a host would.",
            hint="Write sqlite:///folder/file for an absolute path, sqlite:file for a relative one.",
        )
    if parts.query or parts.fragment:
        raise SettingsInvalid("A SQLite URL carries a path and nothing else.", hint="Write ? as %3F and # as %23.")
    return parse_settings(SqliteSettings, {"path": unquote(parts.path)})
