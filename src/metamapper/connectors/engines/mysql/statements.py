"""The two statements that are made of the parts of a relation: the read and the probe."""

from functools import cache

from metamapper.connectors.sql.blocks import load
from metamapper.connectors.sql.mysql.names import Version

QUERIES = load("metamapper.connectors.engines.mysql")

IDS = "part_id"
CHECKS = "part_check"
FIRST_WITH_CHECKS = 80016
"""MySQL's first version that keeps checks; MariaDB of every version that is read does."""


@cache
def parts_of(version: Version) -> tuple[tuple[str, str], ...]:
    """The parts that such a server has, with their names; not the ids, which need PROCESS."""
    without = {IDS} if version.mariadb or version.number >= FIRST_WITH_CHECKS else {IDS, CHECKS}
    names = (name for name in QUERIES if name.startswith("part_") and name not in without)
    return tuple((name, QUERIES.at(name, version.number)) for name in names)


@cache
def relations_of(version: Version, *, with_ids: bool) -> str:
    """Every part of every relation, relation by relation."""
    parts = [sql for _, sql in parts_of(version)]
    if with_ids:
        parts.append(QUERIES.at(IDS, version.number))
    return "\nUNION ALL\n".join(parts) + "\n" + QUERIES["in_order"]


@cache
def probe_of(version: Version) -> str:
    """The number and a hash of the rows of each part."""
    wrapped = (QUERIES["count_and_hash"].replace("part_of_a_relation", f"(\n{sql}\n)") for _, sql in parts_of(version))
    return "\nUNION ALL\n".join(wrapped)
