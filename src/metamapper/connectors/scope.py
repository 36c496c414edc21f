"""Which schemas and relations are in scope: shell patterns, the later pattern wins.

``*, -pg_*, -tmp_*`` reads: everything, except what starts with ``pg_`` or ``tmp_``. A list that starts with an
exclusion starts from everything. Patterns are compared case-sensitively, as engines store names.
"""

from fnmatch import fnmatchcase

import msgspec


class Patterns(msgspec.Struct, frozen=True):
    """An ordered list of inclusions and exclusions."""

    rules: tuple[tuple[bool, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Patterns":
        """Read ``a*, -b`` ; blank is everything."""
        words = (word.strip() for word in text.replace("\n", ",").split(","))
        return cls(
            tuple((not word.startswith("-"), word.removeprefix("-").strip()) for word in words if word.strip("- "))
        )

    def match(self, name: str) -> bool:
        verdict = not self.rules or not self.rules[0][0]
        for includes, pattern in self.rules:
            if fnmatchcase(name, pattern):
                verdict = includes
        return verdict

    def covers(self, asked: "Patterns") -> bool:
        """Whether whatever these others match is matched, as far as can be told from how they are written."""
        if not self.rules or asked == self:
            return True
        rest = asked.rules[len(self.rules) :]
        if asked.rules[: len(self.rules)] == self.rules and not any(includes for includes, _ in rest):
            return True
        plain = [name for includes, name in asked.rules if includes and not set(name) & set("*?[")]
        return bool(plain) and len(plain) == len(asked.rules) and all(map(self.match, plain))

    def __str__(self) -> str:
        return ", ".join(pattern if includes else f"-{pattern}" for includes, pattern in self.rules)


class ScopeFilter(msgspec.Struct, frozen=True):
    """What a datastore's owner wants seen. Tables are matched by ``schema.table`` or by the bare table name."""

    schemas: Patterns = Patterns()
    tables: Patterns = Patterns()

    def allows_schema(self, name: str) -> bool:
        return self.schemas.match(name)

    def allows_table(self, schema: str, name: str) -> bool:
        if not self.tables.rules:
            return True
        verdict = not self.tables.rules[0][0]
        for includes, pattern in self.tables.rules:
            if fnmatchcase(name, pattern) or fnmatchcase(f"{schema}.{name}", pattern):
                verdict = includes
        return verdict
