"""What search keeps, in the metastore itself. The tables are made by SQL of each metastore's own (``sql/``).

A ``Name`` is kept once for each datastore however many assets bear it, a ``Word`` once for each name that holds it; a
``Document`` is then no more than ids, which is what makes 200,000 of them cheap. The ids of names are digests of
(datastore, spelling), so nothing is looked up to write one. What people wrote is apart from what engines said, so that
an inspection and a person never write the same row.
"""

from django.db import models


class Name(models.Model):
    """One spelling in one datastore; ``words`` is its canonical form, ``size`` the number of words in it."""

    id = models.BigIntegerField(primary_key=True)
    datastore_id = models.UUIDField()
    name = models.TextField()
    words = models.TextField()
    size = models.SmallIntegerField()

    class Meta:
        db_table = "search_name"

    def __str__(self) -> str:
        return self.name


class Word(models.Model):
    """One word of one name."""

    datastore_id = models.UUIDField()
    word = models.TextField()
    name_id = models.BigIntegerField(primary_key=True)

    class Meta:
        db_table = "search_word"

    def __str__(self) -> str:
        return self.word


class Document(models.Model):
    """One name of one asset. ``alias_of`` is the name of today where ``name_id`` is a former one.

    The metastores also keep the words of the engine's comment here, each in its own way. There is no key: a former
    name is a second row of the same asset.
    """

    asset_id = models.UUIDField(primary_key=True)
    name_id = models.BigIntegerField()
    relation_name_id = models.BigIntegerField()
    schema_name_id = models.BigIntegerField()
    alias_of = models.BigIntegerField(null=True)
    kind = models.SmallIntegerField()
    state = models.SmallIntegerField()

    class Meta:
        db_table = "search_document"

    def __str__(self) -> str:
        return str(self.asset_id)


class Written(models.Model):
    """An asset that people have described, with the words of the description."""

    asset_id = models.UUIDField(primary_key=True)
    datastore_id = models.UUIDField()

    class Meta:
        db_table = "search_written"

    def __str__(self) -> str:
        return str(self.asset_id)
