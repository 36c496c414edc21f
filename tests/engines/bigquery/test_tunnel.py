"""Behind somebody's SSH host."""

import pytest

from metamapper.connectors import errors
from metamapper.connectors.engines.bigquery import ENGINE
from metamapper.connectors.engines.bigquery.settings import BigquerySettings, SignIn
from metamapper.connectors.reach import Reach
from tests.support.ways import Straight


def test_no_local_name_stands_for_google() -> None:
    """The workers' own token would go there."""
    settings = BigquerySettings(project="acme-shop", sign_in=SignIn.DEFAULT, endpoint="http://localhost:8080")
    reach = Reach(way=Straight(1), own_account=True)
    with (
        pytest.raises(errors.SettingsInvalid, match="is not Google's"),
        ENGINE.connect(settings, reach).open(),
    ):
        pass
