"""What is found, in what order, by whom: on both metastores, held against the same rules in Python."""

import random
from dataclasses import replace
from datetime import UTC
from uuid import UUID

import pytest

from metamapper.accounts.models import User
from metamapper.catalog.models import Column, Relation, Schema
from metamapper.datastores.models import Datastore
from metamapper.schema import Column as ColumnValue
from metamapper.schema import RelationKind
from metamapper.search.query import Kind, parse
from metamapper.search.ranking import Sight, tier_of
from metamapper.search.selectors import Results, search, suggest
from tests.catalog.factories import make_record, make_scope
from tests.search.world import Known, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    world = World()
    world.add(
        "billing",
        ("invoices", ["id", "amount_due", "amount_net", "customer_id"]),
        ("invoice_lines", ["id", "amount"]),
        ("dunning_events", ["total_due"]),
    )
    world.add("analytics", ("invoice_amounts", ["month"]), kind=RelationKind.VIEW)
    world.add("crm", ("customers", ["email", "phone_e164", "createdAt"]), comment="One row per person who ever paid")
    return world


def ask(world: World, text: str, **options: object) -> Results:
    return search(world.ana, world.workspace, text, **options)  # type: ignore[arg-type]


def names(results: Results) -> list[str]:
    return [".".join(step.text for step in hit.path) for hit in results.hits]


def test_exact_names_come_first_then_prefixes_then_words(world: World) -> None:
    world.add("x", ("amount", ["id"]), ("net_amount", ["id"]))
    found = names(ask(world, "amount"))
    assert found[:2] == ["x.amount", "billing.invoice_lines.amount"]
    assert set(found[2:4]) == {"billing.invoices.amount_due", "billing.invoices.amount_net"}
    assert found[4:] == ["x.net_amount", "analytics.invoice_amounts"]


def test_words_may_be_of_the_table(world: World) -> None:
    found = ask(world, "invoice amount")
    assert names(found)[0] == "analytics.invoice_amounts"
    assert set(names(found)[1:]) == {
        "billing.invoices.amount_due",
        "billing.invoices.amount_net",
        "billing.invoice_lines.amount",
    }
    assert [hit.why.reasons for hit in found.hits] == [("name, every word",), *([("name", "table")] * 3)]


def test_both_are_prefixes_while_typing(world: World) -> None:
    assert names(suggest(world.ana, world.workspace, "cust em")) == ["crm.customers.email"]


def test_camel_case_and_digits(world: World) -> None:
    assert names(ask(world, "created_at")) == ["crm.customers.createdAt"]
    assert names(ask(world, "e164")) == ["crm.customers.phone_e164"]


def test_the_whole_path_finds_the_table(world: World) -> None:
    assert "billing.invoices" in names(ask(world, "billing.invoices"))


@pytest.mark.parametrize("typed", ["invoce_lines", "invocie_lines", "invoicee_lines"])
def test_typos(world: World, typed: str) -> None:
    [table, *_] = ask(world, typed).hits
    assert [step.text for step in table.path] == ["billing", "invoice_lines"]
    assert table.why.reasons == ("name", f"name, a typo away from {typed.split('_', maxsplit=1)[0]}")


def test_a_short_word_that_is_known_is_meant_as_it_stands(world: World) -> None:
    world.add("y", ("date", ["id"]), ("rate", ["id"]))
    assert names(ask(world, "date")) == ["y.date"]
    assert names(ask(world, "dqte")) == ["y.date"]


def test_texts_of_people_and_of_the_engine_are_found_and_told_apart(world: World) -> None:
    column = Column.objects.get(name="total_due")
    world.describe("column", column.pk, "What was open on the day of the reminder")
    [hit] = ask(world, "reminder").hits
    assert hit.why.reasons == ("description",)
    assert [hit.description.text[start:end] for start, end in hit.description.ranges] == ["reminder"]
    [engine] = ask(world, "ever paid").hits
    assert engine.why.reasons == ("comment",)
    [both] = ask(world, "customers paid").hits
    assert both.why.reasons == ("name", "comment")
    world.describe("column", column.pk, "")
    assert not ask(world, "reminder").hits


def test_phrases_and_what_is_left_out(world: World) -> None:
    assert names(ask(world, '"amount due"')) == ["billing.invoices.amount_due"]
    assert not ask(world, '"due amount"').hits
    assert names(ask(world, '"row per person"')) == ["crm.customers"]
    assert "billing.invoices.amount_net" not in names(ask(world, "amount -net"))
    assert "billing.invoices.amount_due" in names(ask(world, "amount -net"))


def test_former_names_lead_to_what_bears_another_now(world: World) -> None:
    column = Column.objects.get(name="total_due")
    world.rename(Column, column.pk, "open_balance")
    [hit] = ask(world, "total_due").hits
    assert [step.text for step in hit.path] == ["billing", "dunning_events", "open_balance"]
    assert hit.former.text == "total_due"
    assert hit.until == world.now.astimezone(UTC)
    assert [hit.former.text[start:end] for start, end in hit.former.ranges] == ["total", "due"]


def test_retired_is_found_marked_and_last_among_equals(world: World) -> None:
    relation = Relation.objects.get(name="invoices")
    world.retire(Relation, relation.pk)
    found = ask(world, "amount")
    retired = [hit.asset.retired_at is not None for hit in found.hits]
    assert names(found)[0] == "billing.invoice_lines.amount"
    assert True in retired
    assert not any(hit.asset.retired_at for hit in ask(world, "amount -is:retired").hits)
    assert all(hit.asset.retired_at for hit in ask(world, "amount is:retired").hits)


def test_datastores_are_found(world: World) -> None:
    [hit] = ask(world, "wareh").hits
    assert hit.asset.kind is Kind.DATASTORE
    assert hit.asset.datastore == world.datastore


def test_marks_are_where_the_words_are(world: World) -> None:
    [hit] = [hit for hit in ask(world, "invoice amount").hits if hit.path[-1].text == "amount_due"]
    assert [[step.text[start:end] for start, end in step.ranges] for step in hit.path] == [[], ["invoice"], ["amount"]]


def test_filters_and_facets(world: World) -> None:
    found = ask(world, "amount")
    counts = {facet.field: {option.value: option.count for option in facet.options} for facet in found.facets}
    assert counts == {
        "type": {"column": 3, "view": 1},
        "datastore": {"warehouse": 4},
        "schema": {"billing": 3, "analytics": 1},
        "is": {"undescribed": 4},
    }
    narrowed = ask(world, "amount type:view")
    assert names(narrowed) == ["analytics.invoice_amounts"]
    assert narrowed.total == 1
    kinds = {option.value: (option.count, option.chosen) for option in narrowed.facets[0].options}
    assert kinds == {"column": (3, False), "view": (1, True)}
    assert names(ask(world, "amount schema:ANALYTICS")) == ["analytics.invoice_amounts"]
    assert ask(world, "amount datastore:elsewhere").total == 0
    assert ask(world, "amount -schema:billing").total == 1


def test_filters_alone_browse(world: World) -> None:
    assert sorted(names(ask(world, "type:table"))) == [
        "billing.dunning_events",
        "billing.invoice_lines",
        "billing.invoices",
        "crm.customers",
    ]
    assert ask(world, "type:table -dunning").total == 3
    assert ask(world, "has:comment").total == 1
    world.describe("relation", Relation.objects.get(name="customers").pk, "Everybody")
    assert names(ask(world, "has:description")) == ["crm.customers"]
    assert names(ask(world, "type:table -is:undescribed")) == ["crm.customers"]


def test_nothing_matches_says_what_is_near(world: World) -> None:
    found = ask(world, "customerz_xq")
    assert not found.hits
    assert found.total == 0
    assert found.closest[0] in {"customer", "customers"}


def test_nothing_asked_nothing_found(world: World) -> None:
    assert ask(world, "").hits == ()
    assert ask(world, "tag:pii").hint == "Nothing has a tag yet."


def test_pages_follow_without_gap_or_double(world: World) -> None:
    world.add("wide", ("ledger", [f"amount_{number}" for number in range(50)]))
    whole = names(ask(world, "amount", limit=200))
    paged, cursor = [], None
    while True:
        page = ask(world, "amount", cursor=cursor, limit=7)
        assert (page.total is None) == (cursor is not None)
        paged += names(page)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert paged == whole
    assert len(paged) == len(set(paged)) == 54


@pytest.mark.parametrize("cursor", ["", "nonsense", "AAAA", "9" * 500, "\N{PARTY POPPER}"])
def test_a_cursor_that_is_none_of_ours_begins_anew(world: World, cursor: str) -> None:
    assert names(ask(world, "amount", cursor=cursor)) == names(ask(world, "amount"))


def test_nobody_finds_or_counts_what_is_not_theirs(world: World) -> None:
    elsewhere = World("elsewhere")
    [record] = elsewhere.add("billing", ("invoices", ["amount_secret"]), comment="Nobody else reads this")
    elsewhere.describe("relation", record.id, "A hidden treasure")
    stranger = User.objects.create_user("stranger@example.com")
    elsewhere.workspace.memberships.all().delete()
    for text in ("amount", "secret", "treasure", "nobody else", "type:column", "warehouse", "secrat"):
        mine = ask(world, text)
        assert not [hit for hit in mine.hits if hit.asset.datastore == elsewhere.datastore]
        assert sum(option.count for facet in mine.facets if facet.field == "datastore" for option in facet.options) == (
            mine.total
        )
        assert "secret" not in mine.closest
        foreign = search(world.ana, elsewhere.workspace, text)
        nobody = search(stranger, world.workspace, text)
        for found in (foreign, nobody):
            assert (found.hits, found.total, found.closest) == ((), 0, ())
            assert not any(option.count for facet in found.facets for option in facet.options)


def test_a_column_of_a_struct_is_found_by_its_path(world: World) -> None:
    scope = make_scope(world.datastore, "lake")
    nested = ColumnValue(name="city", position=2, type="text", nested_in=("address",))
    world.tell(scope, make_record(scope, "events", "id", nested))
    [hit] = ask(world, "address.city").hits
    assert hit.path[-1].text == "address.city"
    assert hit.why.reasons == ("exact name",)


# --- SQL and Python say the same -------------------------------------------------------------------------------------

POOL = ["invoice", "invoices", "invoce", "amount", "amounts", "date", "due", "id", "customer", "custom", "s", "12"]
QUERIES = ["invoice", "amount due", "inv am", '"amount due"', "customer -id", "s12", "dte", "amonut customer", "-id"]


def big(world: World, chance: random.Random) -> list[Known]:
    def name() -> str:
        return "_".join(chance.choices(POOL, k=chance.choice([1, 1, 2, 2, 3])))

    for schema in ("invoice", "due_date", "zz"):
        scope = make_scope(world.datastore, schema)
        world.tell(
            scope,
            *(
                make_record(
                    scope, name(), *{name() for _ in range(6)}, comment=chance.choice([None, "amount of id", ""])
                )
                for _ in range(12)
            ),
        )
    for model in (Schema, Relation, Column):
        for each in chance.sample(list(model.objects.order_by("id")), 3):
            world.rename(model, each.pk, name())
    for each in chance.sample(list(Column.objects.order_by("id")), 6):
        world.retire(Column, each.pk)
        world.describe("column", each.pk, chance.choice(["customer invoice", "due"]))
    return list(known(world.datastore))


def known(datastore: Datastore) -> list[Known]:
    """Every asset of a datastore as the rules in Python see it, from the catalog itself."""
    from metamapper.annotations.models import Description
    from metamapper.history.models import Change
    from metamapper.search.documents import former_names

    said = dict(Description.objects.filter(superseded_at=None).values_list("asset_id", "text"))
    former = former_names(Change.objects.filter(datastore=datastore))

    def one(identity: UUID, kind: Kind, retired: bool, sight: Sight) -> Known:
        names_ = tuple(each.name for each in former.get(identity, ()) if each.name != sight.name)
        return Known(identity, kind, retired, replace(sight, former=names_, description=said.get(identity, "")))

    found = [one(datastore.pk, Kind.DATASTORE, False, Sight(name=datastore.name))]
    for each in Schema.objects.filter(datastore=datastore):
        sight = Sight(name=each.name, relation=each.name, schema=each.name, comment=each.comment or "")
        found.append(one(each.pk, Kind.SCHEMA, each.retired_at is not None, sight))
    for each in Relation.objects.filter(datastore=datastore).select_related("schema"):
        sight = Sight(name=each.name, relation=each.name, schema=each.schema.name, comment=each.comment or "")
        found.append(one(each.pk, Kind.TABLE, each.retired_at is not None, sight))
    for each in Column.objects.filter(relation__datastore=datastore).select_related("relation__schema"):
        relation = each.relation
        sight = Sight(name=each.name, relation=relation.name, schema=relation.schema.name, comment=each.comment or "")
        found.append(one(each.pk, Kind.COLUMN, bool(each.retired_at or relation.retired_at), sight))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_what_sql_finds_is_what_the_rules_say(seed: int) -> None:
    from metamapper.search.plan import Cursor
    from metamapper.search.selectors import _Search

    chance = random.Random(seed)
    world = World()
    assets = big(world, chance)
    for text in [*QUERIES, *(" ".join(chance.choices(POOL, k=chance.randint(1, 3))) for _ in range(25))]:
        typos = _Search(world.ana, world.workspace, parse(text), Cursor(), 1000).typos
        scored = ((each.score(parse(text), typos), each.id) for each in assets)
        expected = sorted((score, identity) for score, identity in scored if score is not None)
        found = ask(world, text, limit=1000)
        assert [hit.asset.id for hit in found.hits] == [identity for _, identity in expected], (
            text,
            [(tier_of(score).name, identity) for score, identity in expected],
        )
        assert found.total == len(expected)
