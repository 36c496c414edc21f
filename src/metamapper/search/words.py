"""The words of a name or of a text: what is inside ``snake_case``, ``camelCase``, ``HTTPServer`` and ``md5``."""

import re
import unicodedata
from dataclasses import dataclass

MOST_WORDS = 24
LONGEST_WORD = 60
"""Characters of a word that count, so that every word fits an index."""

_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@dataclass(frozen=True, slots=True)
class Word:
    """``text`` as it is compared; ``start`` and ``end`` where it stands in what was split."""

    text: str
    start: int
    end: int


def split(text: str) -> list[Word]:
    """Every word of the text, in order."""
    shape = text if text.isascii() else "".join(map(_shape, text))
    found = (Word(_folded(text[piece.start() : piece.end()]), *piece.span()) for piece in _PIECE.finditer(shape))
    return [word for word in found if word.text]


def words(text: str) -> list[str]:
    """The words of a text without their places."""
    if text.isascii():
        return [piece.lower()[:LONGEST_WORD] for piece in _PIECE.findall(text)]
    return [word.text for word in split(text)]


def of_name(name: str) -> list[str]:
    """The words of a name. One that has no letter or digit is a word itself: it must be findable too."""
    return words(name)[:MOST_WORDS] or ["".join(name.split()).casefold()[:LONGEST_WORD]]


def canonical(name: str) -> str:
    """One spelling for all that read alike: ``InvoiceAmount`` and ``invoice_amount`` are ``invoice amount``."""
    return " ".join(of_name(name))


def is_plain(word: str) -> bool:
    """Whether the word is of letters and digits only, as all words of texts are."""
    return word.isalnum()


def _shape(character: str) -> str:
    """A character's stand-in: where words begin and end depends on no more than this."""
    if character.isupper():
        return "A"
    if character.isnumeric():
        return "0"
    return "a" if character.isalpha() or unicodedata.category(character).startswith("M") else " "


def _folded(piece: str) -> str:
    if piece.isascii():
        return piece.lower()[:LONGEST_WORD]
    normal = unicodedata.normalize("NFKC", piece.casefold()).casefold()
    return "".join(character for character in normal if character.isalnum())[:LONGEST_WORD]
