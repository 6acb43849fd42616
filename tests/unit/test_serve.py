"""What the server's process does beside serving."""

import gc
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette

from crosshead.serve import undisturbed


@pytest.fixture
def thawed() -> Iterator[None]:
    """Give the collector back what a test froze."""
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("thawed")
async def test_what_there_is_at_the_start_is_left_alone_by_the_collector() -> None:
    """Off: `gc.freeze` in crosshead/serve.py."""
    app = undisturbed(Starlette())
    gc.unfreeze()

    async with app.router.lifespan_context(app):
        frozen, swept = gc.get_freeze_count(), len(gc.get_objects())

    assert frozen > 10 * swept
