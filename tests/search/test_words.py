"""Names fall into the words that people would say."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metamapper.search import words


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("invoice_amount", ["invoice", "amount"]),
        ("InvoiceAmount", ["invoice", "amount"]),
        ("invoiceAmount", ["invoice", "amount"]),
        ("INVOICE_AMOUNT", ["invoice", "amount"]),
        ("HTTPServer", ["http", "server"]),
        ("md5", ["md", "5"]),
        ("phone_e164", ["phone", "e", "164"]),
        ("address.city", ["address", "city"]),
        ("Größe", ["grösse"]),
        ("GRÖSSE", ["grösse"]),
        ("ÜberName", ["über", "name"]),
        ("E\u0301tatCivil", ["état", "civil"]),
        ("注文", ["注文"]),
        ('"; drop table x; --', ["drop", "table", "x"]),
        ("🎉 🎉", ["🎉🎉"]),
        ("__", ["__"]),
        ("", [""]),
    ],
)
def test_of_name(name: str, expected: list[str]) -> None:
    assert words.of_name(name) == expected


def test_one_spelling_for_all() -> None:
    assert {words.canonical(name) for name in ("invoice_amount", "InvoiceAmount", "invoice amount")} == {
        "invoice amount"
    }


@given(st.text())
def test_words_stand_where_they_say(text: str) -> None:
    found = words.split(text)
    assert [word.text for word in found] == words.words(text)
    assert all(0 <= word.start < word.end <= len(text) for word in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(words.is_plain(word.text) and len(word.text) <= words.LONGEST_WORD for word in found)


@given(st.text())
def test_no_word_of_a_name_holds_a_space(name: str) -> None:
    assert all(not any(character.isspace() for character in word) for word in words.of_name(name))


@given(st.lists(st.from_regex(r"[a-z]{2,8}", fullmatch=True), min_size=1, max_size=6))
def test_every_style_of_name_reads_alike(parts: list[str]) -> None:
    snake, shout = "_".join(parts), "_".join(parts).upper()
    camel = "".join(part.capitalize() for part in parts)
    assert words.of_name(snake) == words.of_name(shout) == words.of_name(camel) == parts
