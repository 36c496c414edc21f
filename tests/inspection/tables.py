"""Relations in a line: ``table("orders", "id integer", "total numeric(10,2)", native="16384")``."""

from metamapper.schema import Column, Relation, RelationKind


def table(
    name: str, *columns: str, schema: str = "shop", native: str | None = None, comment: str | None = None
) -> Relation:
    return Relation(
        schema=schema,
        name=name,
        kind=RelationKind.TABLE,
        native_id=native,
        comment=comment,
        columns=tuple(
            Column(
                name=words.partition(" ")[0],
                position=at,
                type=words.partition(" ")[2] or "text",
                native_id=native and f"{native}.{at}",
            )
            for at, words in enumerate(columns, 1)
        ),
    )
