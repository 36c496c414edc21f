"""The promises of a read that nothing disturbs."""

from metamapper.connectors.base import Ability
from metamapper.connectors.conformance.operations import (
    CreateIndex,
    CreateSchema,
    CreateTable,
    CreateView,
    DropTable,
    NewColumn,
    RenameColumn,
    RenameTable,
    Table,
)
from metamapper.connectors.conformance.promises import holds, promise, same
from metamapper.connectors.conformance.reads import look, opened, read, relation_of
from metamapper.connectors.conformance.seed import CUSTOMER, CUSTOMER_COLUMNS, LINE, OPEN, PURCHASE, seed
from metamapper.connectors.conformance.subject import Source, Subject
from metamapper.connectors.scope import Patterns, ScopeFilter
from metamapper.schema import AssetKind, Completeness, Constraint, ConstraintKind, Relation, RelationKind

AWKWARD_NAMES = (
    '"; drop table customer; --',
    "a.b",
    "it's",
    'say "hi"',
    "two words",
    " starts with a space",
    "Two Capitals",
    "SHOUTED",
    "select",
    "100% %s %(x)s {y} $1 ?",
    "back\\slash",
    "tab\tand\nnew line",
    "=1+1",
    "emoji 😀🚀",
    "\u202eright to left",
    "ünïcödé",
    "e\u0301 combined",
    "???",
)
SEEDED = {table.name for table in (CUSTOMER, PURCHASE, LINE, OPEN)}
LONG = 1_000_000
"""Characters of a view that is long."""


class ReadingSuite:
    """Each method gets a subject and raises ``AssertionError`` where a promise is broken."""

    @promise()
    def test_reads_columns_with_types(self, subject: Subject) -> None:
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            customer = _found(subject, source, CUSTOMER)
        same(
            [(c.name, c.type, c.family) for c in customer.columns],
            [(c.name, subject.shown[c.family], c.family) for c in CUSTOMER_COLUMNS],
            "Columns",
        )
        same(
            [c.position for c in customer.columns], sorted({c.position for c in customer.columns}), "Positions in order"
        )
        same(customer.kind, RelationKind.TABLE, "A table's kind")

    @promise(Ability.NOT_NULL)
    def test_reads_nullability(self, subject: Subject) -> None:
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            customer = _found(subject, source, CUSTOMER)
        found, wanted = ([c.name for c in columns if c.nullable] for columns in (customer.columns, CUSTOMER_COLUMNS))
        same(found, wanted, "Columns that may be null")

    @promise(Ability.DEFAULTS)
    def test_reads_defaults(self, subject: Subject) -> None:
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            customer = _found(subject, source, CUSTOMER)
        defaults = {column.name: column.default for column in customer.columns if column.default is not None}
        same(set(defaults), {"city"}, "Columns with a default")
        holds("Lisbon" in defaults["city"], f"The default of city is told as {defaults['city']}")

    @promise(Ability.PRIMARY_KEYS)
    def test_reads_primary_keys(self, subject: Subject) -> None:
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            customer, line = _found(subject, source, CUSTOMER), _found(subject, source, LINE)
        same(_columns_of(customer, ConstraintKind.PRIMARY_KEY), [("id",)], "Primary key")
        same(_columns_of(line, ConstraintKind.PRIMARY_KEY), [("purchase_id", "place")], "Primary key of two columns")

    @promise(Ability.UNIQUE_KEYS)
    def test_reads_unique_keys(self, subject: Subject) -> None:
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            customer = _found(subject, source, CUSTOMER)
        same(_columns_of(customer, ConstraintKind.UNIQUE), [("email",)], "Unique key")

    @promise(Ability.FOREIGN_KEYS)
    def test_reads_foreign_keys(self, subject: Subject) -> None:
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            (key,) = _constraints(_found(subject, source, PURCHASE), ConstraintKind.FOREIGN_KEY)
        same(key.columns, ("customer_id",), "Foreign key")
        reference = key.references
        holds(reference is not None, "A foreign key has a reference")
        if reference is not None:
            target = (reference.schema, reference.relation, reference.columns)
            same(target, (subject.schemas["main"], "customer", ("id",)), "Reference")

    @promise(Ability.CHECK_CONSTRAINTS)
    def test_reads_checks(self, subject: Subject) -> None:
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            (check,) = _constraints(_found(subject, source, LINE), ConstraintKind.CHECK)
        holds("quantity" in (check.definition or ""), f"The check is told as {check.definition}")

    @promise(Ability.CONSTRAINT_NAMES)
    def test_reads_names_of_constraints(self, subject: Subject) -> None:
        has = subject.engine.capabilities
        # Without either the seed has no constraint that was given a name.
        with_names = (Ability.FOREIGN_KEYS, Ability.CHECK_CONSTRAINTS, Ability.CONSTRAINT_NAMES)
        holds(any(has[each] for each in with_names), "A constraint with a name")
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            purchase, line = _found(subject, source, PURCHASE), _found(subject, source, LINE)
        if has[Ability.FOREIGN_KEYS]:
            same([key.name for key in _constraints(purchase, ConstraintKind.FOREIGN_KEY)], ["purchase_customer"], "Key")
        if has[Ability.CHECK_CONSTRAINTS]:
            same([check.name for check in _constraints(line, ConstraintKind.CHECK)], ["line_quantity"], "Check")

    @promise(Ability.GENERATED_COLUMNS)
    def test_reads_generated_columns(self, subject: Subject) -> None:
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            generated = {column.name: column for column in _found(subject, source, LINE).columns if column.generated}
        same(set(generated), {"doubled"}, "Generated columns")
        holds("quantity" in (generated["doubled"].default or ""), "The expression of a generated column is its default")

    @promise(Ability.INDEXES)
    def test_reads_indexes(self, subject: Subject) -> None:
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            indexes = {index.name: index for index in _found(subject, source, PURCHASE).indexes if not index.primary}
        same(set(indexes), {"purchase_by_customer"}, "Indexes")
        index = indexes["purchase_by_customer"]
        same((index.keys, index.unique), (("customer_id", "id"), False), "Keys in order")
        holds(index.definition and PURCHASE.name not in index.definition, "A definition leaves its table's name out")

    @promise(Ability.VIEWS)
    def test_reads_views(self, subject: Subject) -> None:
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            view = _found(subject, source, OPEN)
        same(view.kind, RelationKind.VIEW, "A view's kind")
        same([column.name for column in view.columns], ["id", "customer_id"], "A view's columns")

    @promise(Ability.VIEWS, Ability.VIEW_DEFINITIONS)
    def test_reads_definitions_of_views(self, subject: Subject) -> None:
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            view = _found(subject, source, OPEN)
        holds("purchase" in (view.definition or ""), f"The view is told as {view.definition}")

    @promise(Ability.COMMENTS)
    def test_reads_comments(self, subject: Subject) -> None:
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            customer = _found(subject, source, CUSTOMER)
        same(customer.comment, "People who bought something", "Comment of a table")
        same(
            {c.name: c.comment for c in customer.columns if c.comment},
            {"email": "Unique; the sign-in name"},
            "Comments",
        )

    @promise()
    def test_the_same_schema_twice_is_no_change(self, subject: Subject) -> None:
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            same(look(subject, source), look(subject, source), "Two looks at the same schema")
            same(read(subject, source), read(subject, source), "Two reads of the same schema")

    @promise(Ability.PROBE)
    def test_the_probe_has_a_token(self, subject: Subject) -> None:
        with subject.fresh() as source:
            empty = look(subject, source).token
            source.perform(*seed(subject.engine))
            holds(empty and look(subject, source).token not in {empty, None}, "A token, and another for another schema")

    @promise()
    def test_an_empty_database_is_complete_and_empty(self, subject: Subject) -> None:
        with subject.fresh() as source:
            snapshot = read(subject, source)
        same(snapshot.relations, (), "Relations of an empty database")
        same({scope.completeness for scope in snapshot.scopes} - {Completeness.COMPLETE}, set(), "Incomplete scopes")
        holds(snapshot.scopes_complete, "The list of schemas of an empty database is complete")

    @promise()
    def test_names_are_read_as_they_are(self, subject: Subject) -> None:
        written = (*AWKWARD_NAMES, "x" * subject.longest_name)
        names = [name for name in written if subject.allows(name, AssetKind.RELATION)]
        with subject.fresh() as source:
            columns = tuple(NewColumn(name) for name in names)
            source.perform(*seed(subject.engine), *(CreateTable(Table(name), columns[:2]) for name in names))
            source.perform(CreateTable(Table("all_of_them"), columns))
            if subject.engine.capabilities[Ability.INDEXES]:
                source.perform(
                    *(CreateIndex(f"i{name}"[: subject.longest_name // 2], Table(name), (names[0],)) for name in names)
                )
            snapshot = read(subject, source)
        found = {relation.name for relation in snapshot.relations}
        same(found - {"all_of_them"} - SEEDED, set(names), "Tables")
        wide = relation_of(snapshot, subject.schemas["main"], "all_of_them")
        same([column.name for column in wide.columns], names, "Columns")
        same(
            {i.keys for r in snapshot.relations if r.name in names for i in r.indexes} - {(names[0],)},
            set(),
            "Index keys",
        )

    @promise(Ability.SCHEMAS)
    def test_names_of_schemas_are_read_as_they_are(self, subject: Subject) -> None:
        names = {name for name in AWKWARD_NAMES if subject.allows(name, AssetKind.SCHEMA)}
        with subject.fresh() as source:
            for name in names:
                source.perform(CreateSchema(name), CreateTable(Table("t", name), (NewColumn("c"),)))
            snapshot = read(subject, source)
        same({relation.schema for relation in snapshot.relations}, names, "Schemas of the tables")
        holds({scope.name for scope in snapshot.scopes} >= names, "Schemas")

    @promise()
    def test_the_widest_table_is_read_whole(self, subject: Subject) -> None:
        names = [f"column_{place}" for place in range(subject.widest)]
        with subject.fresh() as source:
            source.perform(CreateTable(Table("wide"), tuple(map(NewColumn, names))))
            wide = _found(subject, source, Table("wide"))
        same([column.name for column in wide.columns], names, "Columns of the widest table")

    @promise(Ability.VIEWS, Ability.VIEW_DEFINITIONS)
    def test_a_long_view_is_read_whole(self, subject: Subject) -> None:
        with subject.fresh() as source:
            source.perform(*seed(subject.engine), CreateView(Table("long"), PURCHASE, ("id",), literal="x" * LONG))
            view = _found(subject, source, Table("long"))
        holds("x" * LONG in (view.definition or ""), "The whole definition of a long view")

    @promise()
    def test_what_is_out_of_scope_is_not_read(self, subject: Subject) -> None:
        main = subject.schemas["main"]
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            some = read(subject, source, ScopeFilter(tables=Patterns.parse(f"{main}.purchase*, -purchase_line")))
            none = read(subject, source, ScopeFilter(schemas=Patterns.parse(f"-{main}")))
        same({relation.name for relation in some.relations}, {PURCHASE.name}, "Tables in scope")
        same(none.relations, (), "Relations of schemas out of scope")
        holds(main not in {scope.name for scope in none.scopes}, "A schema out of scope is no scope")

    @promise()
    def test_the_number_of_statements_does_not_grow(self, subject: Subject) -> None:
        counts = []
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            for number in (0, 60):
                source.perform(*(CreateTable(Table(f"more_{n}"), (NewColumn("id"),)) for n in range(number)))
                with opened(subject, source) as session:
                    session.probe(ScopeFilter())
                    session.scopes(ScopeFilter())
                    holds(list(session.relations(ScopeFilter())), "Relations")
                    session.scopes(ScopeFilter())
                    counts.append(len(session.statements))
        same(counts[0], counts[1], "Statements with few and with many tables")
        holds(counts[0] <= subject.most_statements, f"{counts[0]} statements are more than {subject.most_statements}")

    @promise()
    def test_payloads_are_decoded_without_a_connection(self, subject: Subject) -> None:
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            with opened(subject, source) as session:
                session.scopes(ScopeFilter())
                found = list(session.relations(ScopeFilter()))
            decoded = [session.decode(each.payload) for each in found]
        same(
            {(r.schema, r.name, r.kind) for r in decoded},
            {(o.schema, o.name, o.kind) for o in found},
            "Keys of payloads",
        )

    @promise(Ability.RENAME_COLUMN)
    def test_native_ids_outlive_names(self, subject: Subject) -> None:
        stable = subject.engine.stable_ids
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            before = _found(subject, source, PURCHASE)
            source.perform(RenameColumn(PURCHASE, "note", "remark"), RenameTable(PURCHASE, "sale"))
            after = _found(subject, source, Table("sale"))
        if AssetKind.RELATION in stable:
            holds(before.native_id, "A relation has a native id")
            same(after.native_id, before.native_id, "Native id of a renamed table")
        if AssetKind.COLUMN in stable:
            ids = [column.native_id for column in before.columns]
            holds(all(ids) and len(set(ids)) == len(ids), "Every column has a native id of its own")
            same([column.native_id for column in after.columns], ids, "Native ids of columns")

    @promise()
    def test_a_rebuilt_table_is_another(self, subject: Subject) -> None:
        rebuilt = CreateTable(Table("note"), (NewColumn("id"),))
        with subject.fresh() as source:
            source.perform(rebuilt)
            before = _found(subject, source, rebuilt.table)
            source.perform(DropTable(rebuilt.table), rebuilt)
            after = _found(subject, source, rebuilt.table)
        if AssetKind.RELATION in subject.engine.stable_ids:
            holds(before.native_id != after.native_id, "A rebuilt table has another native id")
        same([c.name for c in after.columns], [c.name for c in before.columns], "Columns of a rebuilt table")


def _found(subject: Subject, source: Source, table: Table) -> Relation:
    return relation_of(read(subject, source), subject.schemas[table.schema], table.name)


def _constraints(relation: Relation, kind: ConstraintKind) -> list[Constraint]:
    return [constraint for constraint in relation.constraints if constraint.kind is kind]


def _columns_of(relation: Relation, kind: ConstraintKind) -> list[tuple[str, ...]]:
    return [constraint.columns for constraint in _constraints(relation, kind)]
