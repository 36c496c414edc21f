"""The people and the lived-in workspace that page tests are about. Models are imported late: Django is set up by then."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.web.scenery import Scenery


@pytest.fixture
def cast(db: None) -> "Cast":
    from tests.cast import assemble

    return assemble()


@pytest.fixture
def scenery(cast: "Cast") -> "Scenery":
    from tests.web.scenery import build

    return build(cast)
