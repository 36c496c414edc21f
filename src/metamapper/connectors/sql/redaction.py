"""Taking secrets out of what a server or driver said."""

from collections.abc import Iterable
from urllib.parse import quote

SHORTEST = 3
"""A shorter secret is not looked for: blanking every “a” would hide the sentence and protect nothing."""


def redact(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret blanked, also where a driver repeats it percent-encoded."""
    spellings = {each for secret in secrets for each in (secret, quote(secret, safe=""), quote(secret))}
    for spelling in sorted(spellings, key=len, reverse=True):
        if len(spelling) >= SHORTEST:
            text = text.replace(spelling, "***")
    return text
