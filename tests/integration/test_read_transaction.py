"""The one transaction of a request: opened by its first read, and given back whatever happens."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import asyncpg
import pytest

from db.engine import Database
from db.fetch import Fetch
from db.page import compiled, read_json
from db.scope import Scope
from db.selection import Leaf, PagePart, PageSelection, Related, Selection
from db.types import new_id
from graph.context import Reader
from tests.fixtures.engine import until
from tests.fixtures.reading import Shelf, watched

COUNT = PageSelection("PurchaseOrder", (PagePart("totalCount", "totalCount"),), limit_slot=0)
LINES = Related("lines", "lines", Selection("PurchaseOrderLine", (Leaf("unit", "unit"),)))
ORDERS = Selection("PurchaseOrder", (Leaf("id", "id"), LINES))
PAGE = PageSelection("PurchaseOrder", (PagePart("nodes", "nodes", node=ORDERS),), limit_slot=0)
PLANS = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement = $1"
REFUSED_BESIDE_OTHERS = """
{ a: purchaseOrders { totalCount } b: vendors { totalCount } c: purchaseOrders(first: 999) { totalCount } }
"""


@pytest.fixture
def lent() -> Iterator[list[int]]:
    """Read transactions of this process that have begun and not ended, as the only entry."""
    count = [0]

    def seen(statement: str, _: object) -> None:
        count[0] += statement.startswith("BEGIN") - (statement == "COMMIT")

    Fetch.watchers.add(seen)
    yield count
    Fetch.watchers.discard(seen)


async def test_a_list_refused_beside_others_keeps_no_connection(shelf: Shelf, lent: list[int]) -> None:
    for _ in range(8):  # twice what the pool holds
        code, _ = await shelf.refusal(REFUSED_BESIDE_OTHERS)
        assert code == "BAD_USER_INPUT"

    assert await until(lambda: _all_back(lent), timeout_s=5)


async def _all_back(lent: list[int]) -> bool:
    """An answer leaves before its transaction ends."""
    return lent == [0]


async def test_a_reader_that_is_closed_reads_nothing_and_opens_nothing(database: Database, lent: list[int]) -> None:
    reader = Reader(database, Scope(new_id(), new_id()), together=None)
    assert await reader.json(COUNT, [10]) == '{"totalCount":0}'
    await reader.close()

    with watched() as seen:
        assert await reader.json(COUNT, [10]) is None

    assert (seen.data, seen.transactions, lent) == ([], [], [0])


async def test_closing_waits_for_the_read_under_way(database: Database, lent: list[int]) -> None:
    reader = Reader(database, Scope(new_id(), new_id()), together=None)
    reading = asyncio.create_task(reader.json(COUNT, [10]))
    late = asyncio.create_task(reader.json(COUNT, [10]))
    await asyncio.sleep(0)

    await reader.close()

    assert await reading == '{"totalCount":0}'
    assert await late in {None, '{"totalCount":0}'}
    assert lent == [0]


@pytest.mark.parametrize("apart", [False, True], ids=["transaction", "statement"])
async def test_a_read_cut_off_at_any_moment_gives_its_connection_back(database_url: str, apart: bool) -> None:
    """Off: the `finally` in db/fetch.py `_ended`: the pool is used up."""
    own, scope = Database.open(database_url, pool_size=1, application="tests"), Scope(new_id(), new_id())

    async def read() -> None:
        if apart:
            await own.reads.value("SELECT 1", scope.organization_id, scope.connection_id)
            return
        async with own.fetch(scope) as fetch:
            await fetch.value("SELECT 1")

    step = 0
    for _ in range(300):
        reading = asyncio.create_task(read())
        for _ in range(step):  # turns of the loop: a timer's shortest is as long as the read
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait({reading}, timeout=10)
        step = step + 1 if reading.cancelled() else 0

    begun = datetime.now(UTC)
    async with asyncio.timeout(10):
        async with own.fetch(scope) as fetch:
            assert await fetch.value("SELECT now() >= $1", begun)
        await own.close()


async def test_a_page_is_planned_once_a_connection_and_one_by_values_each_time(database_url: str) -> None:
    """Off: `reading` in db/engine.py: the first executions at least are planned each."""
    own, scope = Database.open(database_url, pool_size=1, application="tests"), Scope(new_id(), new_id())

    for by_values in (False, True):
        async with own.fetch(scope, by_values=by_values) as fetch:
            for limit in (10, 50, 250):
                assert await read_json(fetch, PAGE, [limit], scope=scope) == '{"nodes":[]}'
    async with own.fetch(scope) as fetch:
        [plans] = await fetch.rows(PLANS, compiled(PAGE, held=True))
    await own.close()

    assert tuple(plans) == (3, 3)


async def test_a_connection_that_died_while_it_rested_costs_no_read(database_url: str, superuser: str) -> None:
    """Off: the second attempt in db/fetch.py `value` and `begin`."""
    own, scope = Database.open(database_url, pool_size=1, application="tests"), Scope(new_id(), new_id())
    behind = await asyncpg.connect(superuser)
    kill = "SELECT pg_terminate_backend($1)"
    asked = "SELECT pg_backend_pid()"

    first = await own.reads.value(asked, scope.organization_id, None)
    await behind.fetchval(kill, first)
    second = await own.reads.value(asked, scope.organization_id, None)
    await behind.fetchval(kill, second)
    async with own.fetch(scope) as fetch:
        third = await fetch.value(asked)

    assert len({first, second, third}) == 3
    await own.close()
    await behind.close()
