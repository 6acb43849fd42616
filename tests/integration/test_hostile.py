"""Documents that were written to hold the server up are answered, each as it should be, and none with a 5xx."""

import asyncio
import threading

import orjson
import pytest

from graph.aside import aside
from graph.operations import SHORT
from tests.factories.parties import make_vendor
from tests.factories.purchasing import make_purchase_order, make_purchase_order_line
from tests.fixtures.hostile import Hostile, hostile_documents
from tests.fixtures.reading import Shelf

DOCUMENTS = hostile_documents()


def test_there_are_two_hundred_of_them_at_least() -> None:
    assert len(DOCUMENTS) >= 200


@pytest.fixture
async def stocked(shelf: Shelf) -> Shelf:
    """Twenty orders of two vendors, with lines."""
    async with shelf.database.write(shelf.own) as session:
        for n in range(2):
            await make_vendor(session, scope=shelf.own, source_id=f"v-{n}", name=f"Vendor {n}")
        for n in range(20):
            given = {"order_number": f"PO{n}", "vendor_source_id": f"v-{n % 2}", "notes": "n"}
            order = await make_purchase_order(session, scope=shelf.own, source_id=f"o-{n}", **given)
            await make_purchase_order_line(session, scope=shelf.own, order=order)
    return shelf


async def test_every_hostile_document_is_answered_as_it_should_be(stocked: Shelf) -> None:
    wrong = []
    for each in DOCUMENTS:
        status, codes = await answered(stocked, each)
        wanted = set() if each.code is None else {each.code}
        if status != 200 or codes != wanted:
            wrong.append((each.name, status, codes, wanted))

    assert wrong == []
    assert (await stocked.gql("{ viewer { kind } }")) == {"viewer": {"kind": "CONNECTION"}}


async def test_known_documents_are_answered_while_a_new_one_waits_its_turn_beside_the_loop(stocked: Shelf) -> None:
    """Off: `SHORT` of 10,000 in graph/operations.py."""
    await stocked.gql("{ viewer { kind } }")
    gate = threading.Event()
    holding = asyncio.create_task(aside(gate.wait))
    new = asyncio.create_task(stocked.gql(f"{{ viewer {{ {'kind ' * (SHORT // 5)} }} }}"))
    try:
        for _ in range(20):
            await stocked.gql("{ viewer { kind } }")

        assert not new.done()
    finally:
        gate.set()
        await holding

    assert await new == {"viewer": {"kind": "CONNECTION"}}


async def answered(shelf: Shelf, each: Hostile) -> tuple[int, set[str]]:
    headers = {"Authorization": f"Bearer {shelf.token}", "Content-Type": "application/json"}
    async with shelf.product.http.post(f"{shelf.product.url}/graphql", data=each.body, headers=headers) as answer:
        body = orjson.loads(await answer.read())
        return answer.status, {error["extensions"]["code"] for error in body.get("errors", ())}
