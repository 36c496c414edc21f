"""Where secrets are sealed: under the administrator's keys."""

from collections.abc import Iterator, Sequence

from django.apps import apps
from django.conf import settings
from django.db.models import BinaryField, Manager, Model

from metamapper.lib.crypto import Vault

SEALED = "sealed"
"""How the name of every column begins that holds something sealed."""
BATCH = 500


def vault() -> Vault:
    return Vault(settings.METAMAPPER_FERNET_KEYS)


def sealed_columns() -> Sequence[tuple[type[Model], str]]:
    """Every column of ours that holds something sealed, with its table."""
    return [
        (model, field.name)
        for model in apps.get_models()
        if model.__module__.startswith("metamapper.")
        for field in model._meta.get_fields()  # noqa: SLF001 - public, whatever its name
        if isinstance(field, BinaryField) and field.name.startswith(SEALED)
    ]


def rotate() -> int:
    """Seal everything anew under the first key; how many rows that changed. Raises ``WrongKey``, and then changes nothing.

    1. All of it is opened, so that a key that is missing is known before anything is written.
    2. Row by row what is not under the first key yet is replaced, unless somebody has just written another secret there.

    Whatever stops it, it can be run again, and does only what is left.
    """
    keys = vault()
    old = [(model, column, pk) for model, column, pk, token in _all() if not _is_current(keys, token)]
    return sum(_resealed(keys, model, column, pk) for model, column, pk in old)


def _all() -> Iterator[tuple[type[Model], str, object, bytes]]:
    for model, column in sealed_columns():
        everything = _manager(model).order_by("pk").values_list("pk", column)
        rows = list(everything[:BATCH])
        while rows:
            yield from ((model, column, pk, bytes(token)) for pk, token in rows if token)
            rows = list(everything.filter(pk__gt=rows[-1][0])[:BATCH])


def _is_current(keys: Vault, token: bytes) -> bool:
    """Raises ``WrongKey`` where none of the keys opens it."""
    if keys.is_current(token):
        return True
    keys.rotate(token)
    return False


def _resealed(keys: Vault, model: type[Model], column: str, pk: object) -> bool:
    """Whether this row was changed; one that is gone, or new since, is left alone."""
    rows = _manager(model).filter(pk=pk)
    token = bytes(rows.values_list(column, flat=True).first() or b"")
    if not token or keys.is_current(token):
        return False
    return rows.filter(**{column: token}).update(**{column: keys.rotate(token)}) == 1


def _manager(model: type[Model]) -> Manager[Model]:
    return model._default_manager  # noqa: SLF001 - public, whatever its name
