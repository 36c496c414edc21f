"""Take the README's picture anew: the built-in example's changes, as a new user sees them. `python -m docs.picture`"""

import tempfile
from pathlib import Path

from tests.stories.visitor import Visitor
from tests.support.browser import chromium_page
from tests.support.product import product
from tests.support.servers import chromium

PICTURE = Path(__file__).resolve().parent / "images" / "changes.png"
WIDTH, HEIGHT = 1280, 820


def main() -> None:
    """Start the product, visit it for the first time, and look at what changed."""
    with (
        tempfile.TemporaryDirectory() as folder,
        product(Path(folder)) as site,
        chromium_page(chromium(), width=WIDTH, height=HEIGHT) as (page, _),
    ):
        site.start()
        ana = Visitor(page, site)
        ana.founds_a_workspace()
        ana.goes_to("/larkspur/datastores/shop/changes/")
        ana.sees("orders")
        page.wait_for_load_state("networkidle")
        PICTURE.parent.mkdir(exist_ok=True)
        page.screenshot(path=PICTURE)
        site.stop()


if __name__ == "__main__":
    main()
