"""What an account may see, from what SHOW GRANTS says: information_schema hides the rest without a word.

See https://dev.mysql.com/doc/refman/en/information-schema-introduction.html#information-schema-privileges.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Privileges = frozenset[str]

ALL = "ALL PRIVILEGES"
COLUMN_RIGHTS: Privileges = frozenset({"SELECT", "INSERT", "UPDATE", "REFERENCES", ALL})
"""With one of these on a table, each of its columns is shown."""
WRITING: Privileges = frozenset(
    {
        "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX", "TRIGGER", "CREATE VIEW", "CREATE ROUTINE",
        "ALTER ROUTINE", "EVENT", "FILE", "SUPER", "DELETE HISTORY", ALL,
    }
)  # fmt: skip
ADMINISTERING: Privileges = frozenset({"CREATE USER", "CREATE ROLE", "DROP ROLE", "CREATE TABLESPACE"})
"""Rights to change the server, though no table: an account that reads needs none of them."""
_LISTING: Privileges = WRITING | COLUMN_RIGHTS | {"SHOW DATABASES", "SHOW VIEW", "EXECUTE", "LOCK TABLES"}
"""Granted on everything, one of these has every schema listed."""

_NAME = r"`(?:[^`]|``)*+`(?!`)"
"""Possessive: read in one way only, whatever backticks a server sends."""
_LINE = re.compile(
    rf"(?P<verb>GRANT|REVOKE) (?P<what>(?:[^`]|{_NAME})+?) ON (?:TABLE )?"
    rf"(?:(?P<all>\*)|(?P<schema>{_NAME}))\.(?:\*|(?P<table>{_NAME})) (?:TO|FROM) (?P<who>(?:{_NAME}|[^` ])+)",
    re.DOTALL,
)
_PRIVILEGE = re.compile(rf"(?P<name>[A-Z][A-Z _]*[A-Z])(?P<columns> ?\((?:[^`)]|{_NAME})*\))?")


@dataclass(frozen=True, slots=True)
class Rights:
    """What was granted: on everything, on schemas (by grantee, for roles have grants of their own), on whole tables."""

    everywhere: Privileges = frozenset()
    schemas: tuple[tuple[str, str, Privileges], ...] = ()
    """Grantee, pattern, privileges."""
    revoked: Mapping[str, Privileges] = field(default_factory=dict)
    tables: Mapping[tuple[str, str], Privileges] = field(default_factory=dict)
    columns: Privileges = frozenset()
    """On single columns: they show a table in part, and let it be changed in part."""
    literal: bool = False
    """Whether patterns are names: so it is where parts of a grant can be revoked."""

    @property
    def lists_every_schema(self) -> bool:
        return "SHOW DATABASES" in self.everywhere or (bool(self.everywhere & _LISTING) and not self.revoked)

    @property
    def sees_processes(self) -> bool:
        return bool(self.everywhere & {"PROCESS", ALL})

    @property
    def writing(self) -> Privileges:
        granted = [self.everywhere, self.columns, *(each[2] for each in self.schemas), *self.tables.values()]
        return frozenset[str]().union(*granted) & (WRITING | ADMINISTERING)

    def on(self, schema: str) -> Privileges:
        """What was granted on everything in a schema. Of a grantee's patterns that match, the most exact one counts."""
        best: dict[str, tuple[int, Privileges]] = {}
        for grantee, pattern, privileges in self.schemas:
            exactness = self._exactness(pattern, schema)
            if exactness is not None and exactness > best.get(grantee, (-1, None))[0]:
                best[grantee] = (exactness, privileges)
        everywhere = self.everywhere - self.revoked.get(schema, frozenset())
        return everywhere.union(*(privileges for _, privileges in best.values()))

    def covers(self, schema: str) -> bool:
        """Whether every table of a schema is shown with all its columns."""
        return bool(self.on(schema) & COLUMN_RIGHTS)

    def shows(self, schema: str, table: str) -> bool:
        return bool(self.tables.get((schema, table), frozenset()) & COLUMN_RIGHTS)

    def shows_some(self, schema: str) -> bool:
        """Whether single tables of a schema are shown."""
        return any(each == schema and granted & COLUMN_RIGHTS for (each, _), granted in self.tables.items())

    def _exactness(self, pattern: str, schema: str) -> int | None:
        """How many characters a pattern spells out before its first wildcard; None if it does not match."""
        if self.literal:
            return len(pattern) if pattern == schema else None
        parts = [part[0] for part in re.finditer(r"\\.|.", pattern, re.DOTALL)]
        if not re.fullmatch("".join(map(_expression, parts)), schema, re.DOTALL):
            return None
        wild = [place for place, part in enumerate(parts) if part in {"_", "%"}]
        return wild[0] if wild else len(parts) + 1


def rights_of(lines: Iterable[str], *, literal: bool) -> Rights:
    """The rights that the lines of SHOW GRANTS tell. Those on single columns show a table in part only."""
    everywhere: set[str] = set()
    schemas: list[tuple[str, str, Privileges]] = []
    revoked: dict[str, Privileges] = defaultdict(frozenset)
    tables: dict[tuple[str, str], Privileges] = defaultdict(frozenset)
    columns: set[str] = set()
    for line in lines:
        found = _LINE.match(line)
        if found is None:
            continue
        named = list(_PRIVILEGE.finditer(found["what"]))
        privileges = frozenset(each["name"] for each in named if not each["columns"])
        columns |= {each["name"] for each in named if each["columns"]}
        schema = _bare(found["schema"])
        if found["verb"] == "REVOKE":
            revoked[schema] |= privileges
        elif found["all"]:
            everywhere |= privileges
        elif found["table"]:
            tables[schema, _bare(found["table"])] |= privileges
        else:
            schemas.append((found["who"], schema, privileges))
    return Rights(frozenset(everywhere), tuple(schemas), revoked, tables, frozenset(columns), literal)


def _bare(name: str | None) -> str:
    return (name or "")[1:-1].replace("``", "`")


def _expression(part: str) -> str:
    return {"_": ".", "%": ".*"}.get(part) or re.escape(part[-1])
