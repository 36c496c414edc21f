"""Text from outside, fit to be shown."""


def printable(text: str) -> str:
    """The text with control and direction characters spelled out: ``\\u202e`` would turn around what stands behind it."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii", "replace") for each in text
    )
