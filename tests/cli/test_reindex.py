"""`metamapper reindex` brings the search index back from the catalog."""

import pytest
from click.testing import CliRunner

from metamapper.cli.commands import metamapper
from metamapper.search.backends import backend
from metamapper.search.selectors import search
from tests.search.world import World, contents

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("arguments", [[], ["warehouse"]])
def test_what_was_lost_is_found_again(arguments: list[str]) -> None:
    world = World()
    world.add("billing", ("invoices", ["id", "amount"]))
    before = contents()
    backend().forget(world.datastore.pk)
    assert not search(world.ana, world.workspace, "amount").hits
    result = CliRunner().invoke(metamapper, ["reindex", *arguments])
    assert (result.exit_code, result.output) == (0, "warehouse: 1 relations\n")
    assert contents() == before
    assert search(world.ana, world.workspace, "amount").total == 1
