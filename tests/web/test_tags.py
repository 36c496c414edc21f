"""The tags of every page: names, icons, changes; names from a datastore are data, whatever they hold."""

import zlib
from datetime import UTC, datetime
from uuid import uuid4

import msgspec
import pytest
from django.template import Context, Template

from metamapper.history.models import Change
from metamapper.web import differences
from metamapper.web.icons import sprite
from metamapper.web.templatetags import mm


def render(source: str, **context: object) -> str:
    return Template("{% load mm %}" + source).render(Context(context))


def test_last_step_of_a_path_is_bold_and_breaks_after_dots_and_underscores_only() -> None:
    assert render("{% name path %}", path=["billing", "invoices", "amount_due"]) == (
        '<span class="mm-name">billing.<wbr>invoices.<wbr><b>amount_<wbr>due</b></span>'
    )


def test_a_dot_within_a_name_is_no_step() -> None:
    assert "<b>odd.<wbr>name</b>" in render("{% name path %}", path=["s", "odd.name"])


@pytest.mark.parametrize(
    "hostile", ['"; drop table x; --', "<script>alert(1)</script>", "a&b", "' onclick='x", "\u202eevil"]
)
def test_hostile_names_are_escaped(hostile: str) -> None:
    shown = render("{% name path href=href %}", path=[hostile, hostile], href="/x/")
    assert "<script" not in shown
    assert "' onclick='" not in shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\u202egnp.exe", "\\u202egnp.<wbr>exe"),
        ("new\nline", "new\\nline"),
        ("a\u200bb", "a\\u200bb"),
        (" two  ", " two  "),
    ],
)
def test_what_cannot_be_seen_in_a_name_is_spelled_out(name: str, shown: str) -> None:
    assert render("{% name path %}", path=[name]) == f'<span class="mm-name"><b>{shown}</b></span>'
    assert render("{{ name|breakable }}", name=name) == shown


def test_an_unknown_icon_is_a_fault_of_the_template() -> None:
    with pytest.raises(mm.IconMissing):
        render('{% icon "no-such-icon" %}')


def test_sprite_holds_every_vendored_icon_and_no_paint_of_its_own() -> None:
    assert {"search", "moon", "table-column"} <= sprite().names
    assert 'stroke="none"' not in sprite().text


def test_plural() -> None:
    assert render('{{ 1|plural:"table,tables" }}, {{ 2046|plural:"table,tables" }}') == "1 table, 2\u202f046 tables"


def a_change(**values: object) -> Change:
    return Change(
        **{
            "id": uuid4(),
            "kind": "changed",
            "asset": "column",
            "asset_id": uuid4(),
            "path": ["billing", "invoices", "order_id"],
            "severity": "risky",
            "at": datetime(2026, 11, 21, tzinfo=UTC),
            **values,
        }
    )


def packed(state: dict[str, object]) -> bytes:
    return zlib.compress(msgspec.json.encode(state))


def test_fields_are_shown_before_and_after() -> None:
    facts = differences.facts_of(a_change(fields=[{"field": "nullable", "before": False, "after": True}]))
    assert facts.diffs == [differences.Difference("nullable", "no", "yes")]
    assert facts.words == "changed"


def test_an_added_column_says_what_it_is() -> None:
    state = packed({"name": "is_test", "type": "boolean", "nullable": False, "default": "false"})
    facts = differences.facts_of(a_change(kind="added", after=state))
    assert facts.words == "boolean, not null"
    assert facts.sentence == "boolean, not null, default false"
    assert facts.diffs == [differences.Difference("default", None, "false")]


def test_what_a_removed_column_was_keeps_its_commas() -> None:
    state = packed({"name": "fee", "type": "numeric(8,4)", "nullable": False, "default": "0"})
    facts = differences.facts_of(a_change(kind="removed", before=state))
    assert facts.diffs == [differences.Difference("was", "numeric(8,4) not null default 0", None)]


def test_what_only_follows_is_not_shown() -> None:
    fields = [
        {"field": "type", "before": "int", "after": "text"},
        {"field": "family", "after": "string", "quiet": True},
    ]
    assert [each.label for each in differences.facts_of(a_change(fields=fields)).diffs] == ["type"]


def test_what_a_key_refers_to_reads_as_a_name() -> None:
    reference = {"schema": "crm", "relation": "customers", "columns": ["id"]}
    assert differences.as_text(reference) == "crm.customers (id)"


def test_evidence_is_laid_out_only_where_a_match_was_not_proved() -> None:
    evidence = {"rule": "native_id", "summary": "The engine kept its id 7."}
    proved = differences.facts_of(a_change(kind="renamed", certainty="certain", evidence=evidence))
    assert (proved.told, proved.proof) == (False, "the engine kept its id 7.")
    inferred = differences.facts_of(a_change(kind="renamed", certainty="inferred", evidence=evidence))
    assert (inferred.told, inferred.proof) == (True, "")


def test_a_removed_index_shows_what_it_was() -> None:
    state = packed({"name": "ix", "definition": "btree (gateway)"})
    facts = differences.facts_of(a_change(kind="removed", asset="index", before=state))
    assert facts.diffs == [differences.Difference("definition", "btree (gateway)", None)]
    assert facts.words == "index removed"


def test_a_megabyte_of_view_is_cut_and_says_so() -> None:
    facts = differences.facts_of(a_change(fields=[{"field": "definition", "after": "x" * 1_000_000}]))
    shown = facts.diffs[0].after
    assert shown is not None
    assert len(shown) < 500
    assert "characters more" in shown


def test_a_removed_column_keeps_the_spelling_of_its_type() -> None:
    state = packed({"name": "fee", "type": "numeric(8,4)", "nullable": False, "default": "0"})
    facts = differences.facts_of(a_change(kind="removed", before=state))
    assert facts.diffs == [differences.Difference("was", "numeric(8,4) not null default 0", None)]
