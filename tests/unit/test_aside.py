"""What takes long is done beside the loop, and leaves nothing that the collector of cycles has to come for."""

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from graphql import FieldNode, Location, NameNode, Token

from graph.aside import aside
from graph.limits.documents import DocumentRefused, Documents
from graph.schema import make_schema

DOCUMENTS = Documents(make_schema()._schema)
LONG = "{ purchaseOrders { nodes { " + " ".join(f"a{n}: notes" for n in range(600)) + " } } }"
REPEATED = "{ purchaseOrders { nodes { " + "vendor { id } " * 390 + "} } }"


async def turns_during(work: Callable[[], Any]) -> int:
    """Count how often the loop comes round while something is done."""
    turns, over = 0, asyncio.Event()

    async def turn() -> None:
        nonlocal turns
        while not over.is_set():
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    try:
        await aside(work)
    finally:
        over.set()
        await turning
    return turns


async def test_the_loop_comes_round_while_a_long_document_is_prepared() -> None:
    """Off: `return work()` in graph/aside.py."""
    assert await turns_during(partial(DOCUMENTS.made, LONG)) > 20


async def test_what_is_raised_beside_the_loop_is_raised_to_whoever_waits() -> None:
    with pytest.raises(DocumentRefused) as refused:
        await aside(partial(DOCUMENTS.made, REPEATED))

    assert [error.message for error in refused.value.errors] == ["The request has too many repeated fields."]


async def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    """Off: `asyncio.shield` around it in graph/aside.py."""
    begun: list[str] = []
    gate = threading.Event()

    holding = asyncio.create_task(aside(gate.wait))
    dropped = asyncio.create_task(aside(partial(begun.append, "dropped")))
    await asyncio.sleep(0)
    dropped.cancel()
    await asyncio.wait({dropped})
    gate.set()
    await asyncio.gather(holding, aside(partial(begun.append, "wanted")))

    assert begun == ["wanted"]


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Keep the collector of cycles away."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def parts() -> int:
    return sum(isinstance(each, (FieldNode, NameNode, Location, Token)) for each in gc.get_objects())


@pytest.mark.usefixtures("uncollected")
def test_a_document_that_is_dropped_is_gone_without_the_collector() -> None:
    """Off: the tokens' links, or what the rules hold, left as they are in graph/limits/language.py."""
    before = parts()

    made = DOCUMENTS.made(LONG)
    kept = parts() - before
    del made

    assert kept > 1_800
    assert parts() == before
