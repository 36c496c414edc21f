"""Names as T-SQL quotes them."""


def quoted(name: str) -> str:
    return "[" + name.replace("]", "]]") + "]"
