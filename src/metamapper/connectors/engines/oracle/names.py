"""How Oracle writes names."""

import re
from collections.abc import Iterable

_PLAIN = re.compile(r"[A-Z][A-Z0-9_$#]*\Z")


def quoted(name: str) -> str:
    """The name as a statement needs it: plain where capitals suffice. A name cannot have a double quote in it."""
    return name if _PLAIN.match(name) else f'"{name}"'


def listed(names: Iterable[str]) -> str:
    return ", ".join(map(quoted, names))


def as_stored(user: str) -> str:
    """The name of a user as the dictionary has it: without quotes it is in capitals, whatever was typed."""
    return user[1:-1] if user.startswith('"') and user.endswith('"') else user.upper()


def grant_dictionary(user: str) -> str:
    """The statement that lets a user see every definition and no row."""
    return f'GRANT SELECT ANY DICTIONARY TO "{user}"'


def create_user(user: str) -> str:
    """The least-privilege setup, to be pasted by an administrator."""
    return (
        f'CREATE USER "{user}" IDENTIFIED BY "<choose one>";\n'
        f'GRANT CREATE SESSION TO "{user}";\n'
        f"{grant_dictionary(user)};"
    )
