"""What is asked for at the same time is one statement, and nobody is told what is somebody else's."""

import asyncio
import gc
from collections.abc import Sequence
from uuid import UUID

import pytest
from strawberry.dataloader import DataLoader

from db.engine import Database
from db.models.organization import TokenEnd
from db.scope import Scope
from db.selection import Leaf, OneById, Selection
from db.tokens import Dead, end
from db.types import new_id
from graph.together import MOST, Together
from tests.factories.connections import make_token
from tests.factories.purchasing import make_purchase_order
from tests.factories.rows import EPOCH
from tests.fixtures.engine import until
from tests.fixtures.policies_alone import Changed
from tests.fixtures.reading import Shelf, watched

NUMBER = OneById(Selection("PurchaseOrder", (Leaf("n", "order_number"),)), id_slot=0)
STATUS = OneById(Selection("PurchaseOrder", (Leaf("s", "status"),)), id_slot=0)
ONE = "query ($id: ID!) { purchaseOrder(id: $id) { orderNumber } }"


@pytest.fixture
async def orders(shelf: Shelf) -> list[UUID]:
    """Ids of ten orders."""
    return await made(shelf, shelf.own, "PO")


async def made(shelf: Shelf, scope: Scope, name: str) -> list[UUID]:
    """Store ten orders; gives their ids."""
    async with shelf.database.write(scope) as session:
        stored = [
            await make_purchase_order(session, scope=scope, source_id=f"o-{n}", order_number=f"{name}{n}")
            for n in range(10)
        ]
    return [each.id for each in stored]


def told(name: str, numbers: Sequence[int]) -> list[str]:
    return [f'{{"n":"{name}{n}"}}' for n in numbers]


async def test_objects_are_read_by_as_few_statements_as_may_be(shelf: Shelf, orders: list[UUID]) -> None:
    """Off: MOST = 1 in graph/together.py. One id is unknown, and one comes twice."""
    together, asked = Together(shelf.database), [*orders, new_id(), orders[3]]

    with watched() as seen:
        answers = await asyncio.gather(*(together.one(NUMBER, [each], scope=shelf.own) for each in asked))

    assert answers == [*told("PO", range(10)), None, *told("PO", [3])]
    assert [len(values[2]) for values in seen.values] == [MOST, MOST, MOST]


async def test_who_asks_within_another_scope_is_answered_within_it(
    shelf: Shelf, orders: list[UUID], locks: Changed | None
) -> None:
    """Off: leave `scope` out of `asked` in graph/together.py `one`."""
    other, _ = await shelf.connect()
    theirs, together = await made(shelf, other, "X"), Together(shelf.database)
    ids, scopes = [orders[0], theirs[0]], [shelf.own, other, await shelf.stranger(), shelf.product.scope]

    answers = await asyncio.gather(*(together.one(NUMBER, [each], scope=scope) for scope in scopes for each in ids))

    [own], [of_other] = told("PO", [0]), told("X", [0])
    assert answers == [own, None, None, of_other, None, None, own, of_other]
    assert locks is None or any("AS asked(id)" in each for each in locks.statements), "our filter was taken out"


async def test_who_asks_in_other_words_is_answered_in_them(shelf: Shelf, orders: list[UUID]) -> None:
    """Off: leave `root` out of `asked` in graph/together.py `one`."""
    together = Together(shelf.database)

    answers = await asyncio.gather(
        *(together.one(root, [orders[n]], scope=shelf.own) for n in range(2) for root in (NUMBER, STATUS))
    )

    assert answers == [*told("PO", [0]), '{"s":"APPROVED"}', *told("PO", [1]), '{"s":"APPROVED"}']


async def test_who_goes_away_takes_the_answer_from_nobody(shelf: Shelf, orders: list[UUID]) -> None:
    together = Together(shelf.database)
    asking = [asyncio.create_task(together.one(NUMBER, [each], scope=shelf.own)) for each in orders[:MOST]]
    for _ in range(3):  # until the statement is under way
        await asyncio.sleep(0)

    asking[0].cancel()

    assert await asyncio.gather(*asking[1:]) == told("PO", range(1, MOST))
    assert asking[0].cancelled()


@pytest.mark.parametrize("rounds", [1, 3, None], ids=["before their statement", "amid it", "with their answers"])
async def test_nothing_is_kept_of_those_who_went_away(shelf: Shelf, orders: list[UUID], rounds: int | None) -> None:
    """Off: a plain dict in graph/together.py."""
    together = Together(shelf.database)
    before = loaders()

    async def none() -> bool:
        return loaders() <= before

    assert await gone(together, orders, shelf.own, rounds=rounds) == (0 if rounds else len(orders))

    await until(none)  # what was cut off amid a statement has to end


async def gone(together: Together, orders: list[UUID], scope: Scope, *, rounds: int | None) -> int:
    """Ask, and go away after so many rounds of the event loop; gives how many were answered."""
    before = loaders()
    asking = [asyncio.create_task(together.one(NUMBER, [each], scope=scope)) for each in orders]
    for _ in range(rounds or 0):
        await asyncio.sleep(0)
    if rounds:
        assert loaders() == before + 1
        for each in asking:
            each.cancel()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    return sum(isinstance(each, str) for each in answers)


def loaders() -> int:
    """Count those that are alive."""
    gc.collect()
    return sum(isinstance(each, DataLoader) for each in gc.get_objects())


async def test_an_outage_is_told_to_all_who_asked(shelf: Shelf, orders: list[UUID]) -> None:
    gone = Database.open(str(shelf.product.settings.database_url), pool_size=1, application="tests")
    together = Together(gone)
    await gone.close()

    answers = await asyncio.gather(
        *(together.one(NUMBER, [each], scope=shelf.own) for each in orders[:2]),
        together.holder(shelf.token),
        return_exceptions=True,
    )

    assert [isinstance(each, Database.unreachable) for each in answers] == [True] * 3


async def test_tokens_are_looked_up_by_one_statement_and_each_is_told_its_own(shelf: Shelf) -> None:
    other, token = await shelf.connect()
    together = Together(shelf.database)

    with watched() as seen:
        first, second, nobody, again = await asyncio.gather(
            *(together.holder(each) for each in (shelf.token, token, "chd_conn_none", shelf.token))
        )

    assert first is not None
    assert second is not None
    assert (first.scope, second.scope, nobody, again) == (shelf.own, other, None, first)
    assert len(seen.tokens) == 1
    assert first.untouched
    later = await asyncio.gather(together.holder(shelf.token), together.holder(token))
    assert [each and each.untouched for each in later] == [False, False], "their use is noted for this minute"


async def test_a_token_that_has_ended_is_told_as_dead_to_whoever_asks_next(shelf: Shelf) -> None:
    """Off: `cache=True` in graph/together.py."""
    async with shelf.database.write(shelf.own) as session:
        token = await make_token(session, scope=shelf.own)
    together = Together(shelf.database)
    alive = await together.holder(token)
    assert alive is not None
    assert alive.dead is None

    async with shelf.database.write(shelf.own) as session:
        await end(session, shelf.own, TokenEnd.REVOKED, now=EPOCH, token_id=alive.token_id)
    ended, live = await asyncio.gather(together.holder(token), together.holder(shelf.token))

    assert ended is not None
    assert live is not None
    assert (ended.dead, live.dead) == (Dead.REVOKED, None)


async def test_requests_side_by_side_are_each_answered_their_own(shelf: Shelf, orders: list[UUID]) -> None:
    ids = [f"po_{each.hex}" for each in orders * 5]

    answers = await asyncio.gather(*(shelf.gql(ONE, id=each) for each in ids))

    assert [each["purchaseOrder"]["orderNumber"] for each in answers] == [f"PO{n}" for n in range(10)] * 5
