"""What the server's process does beside serving."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette

from crosshead.serve import undisturbed


@pytest.fixture
def thawed() -> Iterator[None]:
    """Give the collector back what a test froze, and its ways."""
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


@pytest.mark.usefixtures("thawed")
async def test_what_there_is_at_the_start_is_left_alone_by_the_collector() -> None:
    """Off: `gc.freeze` in crosshead/serve.py."""
    app = undisturbed(Starlette())
    gc.unfreeze()

    async with app.router.lifespan_context(app):
        frozen, swept = gc.get_freeze_count(), len(gc.get_objects())

    assert frozen > 10 * swept


@pytest.mark.usefixtures("thawed")
async def test_what_a_request_leaves_behind_is_found_before_it_is_old() -> None:
    """Off: `gc.set_threshold` in crosshead/serve.py; the collector then walks through all that is kept every 20 pages.

    Of things that know each other, more are alive at a time than a long document makes.
    """
    app = undisturbed(Starlette())
    gc.unfreeze()

    async with app.router.lifespan_context(app):
        before = gc.get_stats()[2]["collections"]
        for _ in range(20):
            alive: list[Any] = []
            for _ in range(20_000):
                pair: list[Any] = []
                pair.append(pair)
                alive.append(pair)

        assert gc.get_stats()[2]["collections"] == before
