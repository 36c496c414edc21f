"""Behind somebody's SSH host."""

import pytest

from metamapper.connectors import errors
from metamapper.connectors.engines.snowflake import ENGINE
from metamapper.connectors.engines.snowflake.settings import SnowflakeSettings
from metamapper.connectors.reach import Reach
from tests.support.ways import Straight


def test_no_local_name_stands_for_it() -> None:
    """The driver does what its server says; behind somebody's SSH host, "localhost" is a server of theirs."""
    settings = SnowflakeSettings(account="a-b", user="u", password="p", host="localhost", port=8080)
    with pytest.raises(errors.AddressDenied), ENGINE.connect(settings, Reach(way=Straight(1))).open():
        pass
