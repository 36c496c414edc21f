"""Whatever a person types is a query; what cannot be understood is said, not refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metamapper.search.facets import chips, toggled
from metamapper.search.query import LONGEST_QUERY, MOST_TERMS, Filter, Query, Term, parse, spell


def typed(*words: str) -> tuple[Term, ...]:
    return tuple(Term((word,)) for word in words)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("invoice amount", typed("invoice", "amount")),
        ("cust em", typed("cust", "em")),
        ("invoice_amo", (Term(("invoice",), whole=True), Term(("amo",)))),
        ("billing.invoices", (Term(("billing",), whole=True), Term(("invoices",)))),
        ('"exact phrase"', (Term(("exact", "phrase"), whole=True, phrase=True),)),
        ('"unclosed phrase', (Term(("unclosed", "phrase"), whole=True, phrase=True),)),
        ("amount -net", (Term(("amount",)), Term(("net",), whole=True, phrase=True, excluded=True))),
        ("amount amount", typed("amount")),
        ("  ", ()),
        ('""', ()),
    ],
)
def test_words(text: str, terms: tuple[Term, ...]) -> None:
    assert parse(text) == Query(terms=terms, words=" ".join(text.split()) if terms else parse(text).words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("type:column", Filter("type", ("column",))),
        ("TYPE:Column,table", Filter("type", ("Column", "table"))),
        ("-is:retired", Filter("is", ("retired",), negated=True)),
        ("has:description", Filter("has", ("description",))),
        ("datastore:billing", Filter("datastore", ("billing",))),
        ('schema:"my schema"', Filter("schema", ("my schema",))),
    ],
)
def test_filters(text: str, expected: Filter) -> None:
    query = parse(text)
    assert query.filters == (expected,)
    assert not query.terms
    assert not query.hint


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("colour:red", "“colour:” is not a filter; there are type:, datastore:, schema:, has: and is:."),
        ("type:spaceship", "“type:spaceship” is not known; there are datastore, schema, table, view and column."),
        ("tag:pii", "Nothing has a tag yet."),
        ("owner:ana", "Nothing has an owner yet."),
    ],
)
def test_what_is_not_understood_is_said(text: str, hint: str) -> None:
    query = parse(f"invoice {text}")
    assert query.hint == hint
    assert query.terms == typed("invoice")


def test_limits() -> None:
    long = parse("invoice " * 200)
    assert long.terms == typed("invoice")
    assert str(LONGEST_QUERY) in long.hint
    many = parse(" ".join(f"w{letter}x" for letter in "abcdefghijklmnopq"))
    assert len(many.terms) == MOST_TERMS
    assert str(MOST_TERMS) in many.hint


@given(st.text(max_size=500))
def test_nothing_that_is_typed_is_an_error(text: str) -> None:
    query = parse(text)
    assert len(query.terms) <= MOST_TERMS
    assert all(word for term in query.terms for word in term.words)


@given(st.text(alphabet='ab_"- :,ceiosthydpr\n', max_size=60))
def test_a_query_spelled_out_is_the_same_query(text: str) -> None:
    query = parse(text)
    again = parse(spell(query.words, query.filters))
    assert set(again.filters) == set(query.filters)
    assert again.terms == query.terms


def test_choices_are_toggled_in_the_text() -> None:
    query = parse("invoice type:column -is:retired")
    assert toggled(query, "type", "table") == "invoice -is:retired type:column,table"
    assert toggled(query, "type", "column") == "invoice -is:retired"
    assert toggled(query, "schema", "my schema") == 'invoice type:column -is:retired schema:"my schema"'
    assert [(chip.label, chip.query) for chip in chips(query)] == [
        ("type: column", "invoice -is:retired"),
        ("not retired", "invoice type:column"),
    ]
