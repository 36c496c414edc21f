"""How MySQL writes names, accounts and patterns, and what a server calls its version."""

import re
from collections.abc import Iterable
from typing import NamedTuple

FIRST_MYSQL = 50000
"""Versions of MySQL are five digits (80036), those of MariaDB up to four (1011): see ``queries.sql``."""
OLDEST_MYSQL, OLDEST_MARIADB = 50700, 1005
_VERSION = re.compile(r"(?:5\.5\.5-)?(\d+)\.(\d+)(?:\.(\d+))?")
_AURORA_PATCH = 23
"""Aurora says "8.0.mysql_aurora.3.04.0": what it is made of is at least 8.0.23."""


class Version(NamedTuple):
    number: int
    mariadb: bool

    @property
    def is_old(self) -> bool:
        return self.number < (OLDEST_MARIADB if self.mariadb else OLDEST_MYSQL)


def version_of(said: str) -> Version | None:
    """The version as a number that ``queries.sql`` compares, or None where it cannot be told."""
    found = _VERSION.match(said)
    if found is None:
        return None
    major, minor, patch = int(found[1]), int(found[2]), int(found[3] or _AURORA_PATCH)
    if "mariadb" in said.lower():
        return Version(major * 100 + minor, mariadb=True)
    return Version(major * 10000 + minor * 100 + patch, mariadb=False)


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def listed(names: Iterable[str]) -> str:
    return ", ".join(map(quoted, names))


def text(value: str) -> str:
    """A string as a statement spells it, whether or not a backslash escapes there."""
    return "'" + value.replace("'", "''") + "'"


def account(user_and_host: str) -> str:
    """``CURRENT_USER()`` as a GRANT spells it: ``'metamapper'@'%'``."""
    user, _, host = user_and_host.rpartition("@")
    return f"{text(user)}@{text(host)}"


def pattern(schema: str, *, literal: bool) -> str:
    """A schema as the pattern of a GRANT, where ``_`` and ``%`` stand for any unless partial revokes are on.

    See "privilege levels" in https://dev.mysql.com/doc/refman/en/grant.html.
    """
    return quoted(schema if literal else re.sub(r"([_%\\])", r"\\\1", schema))


_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MEANT = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "Z": "\x1a"}


def unescaped(value: str) -> str:
    r"""An expression as MySQL's dictionary keeps it, ``_utf8mb4\'it\\\'s\'``, without its outer escapes."""
    return _ESCAPED.sub(lambda found: _MEANT.get(found[1], found[1]), value)
