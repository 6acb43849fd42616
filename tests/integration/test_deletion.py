"""What `deleteConnectionData` leaves behind: nothing but what is told, of one connection and no other."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import select, update
from sqlmodel import col

from db import purge
from db.engine import Database, make_engine
from db.models.connection import ConnectedSystem, ConnectionStatus
from db.purge import KEPT, Verdict
from jobs import purge as deletions
from tests.fixtures.everything import NOW, Everything, fill_all, scoped_tables
from tests.fixtures.front import DELETE, DISCONNECT, asked, credentials, standing, work
from tests.fixtures.ledger import Ledger
from tests.fixtures.product import Product

CUSTOMER = "Customer 1"


@pytest.fixture
async def stored(database: Database, superuser: str) -> AsyncIterator[Everything]:
    """Four connections with a row of each in every table; the first one is disconnected."""
    behind = make_engine(superuser, role=None, pool_size=1, application="tests")
    made = await fill_all(database, behind)
    first = col(ConnectedSystem.id) == made.scopes[0].connection_id
    async with behind.begin() as connection:
        await connection.execute(update(ConnectedSystem).where(first).values(status=ConnectionStatus.DISCONNECTED))
    yield made
    await behind.dispose()


async def owners(stored: Everything) -> dict[str, list[object]]:
    """Give table → the connections that own its rows."""
    found = {}
    async with stored.behind.connect() as connection:
        for table in scoped_tables():
            if table.name != "organization":
                owner = table.c.id if table.name == "connection" else table.c.connection_id
                found[table.name] = sorted((await connection.execute(select(owner))).scalars(), key=str)
    return found


async def begin(stored: Everything, *, confirm: str = CUSTOMER) -> Verdict:
    async with stored.database.write(stored.scopes[0]) as session:
        return await purge.request(session, stored.scopes[0], confirm=confirm, now=NOW)


async def test_every_row_goes_but_those_that_are_kept_for_a_reason(stored: Everything) -> None:
    """Derived from the tables: a new one is emptied, or stands in KEPT with its reason."""
    own, *others = [scope.connection_id for scope in stored.scopes]
    before = await owners(stored)

    verdict = await begin(stored)
    told = await deletions.work_off(stored.database, stored.scopes[0], seconds=60)

    assert (verdict, told.done) == (Verdict.BEGUN, True)
    after = await owners(stored)
    assert {name for name, held in after.items() if own in held} == set(KEPT)
    assert {name: [each for each in held if each != own] for name, held in after.items()} == {
        name: [each for each in held if each != own] for name, held in before.items()
    }
    assert all(set(held) >= set(others) for held in after.values())
    assert {each.table: each.rows for each in told.remains} == dict.fromkeys(KEPT, 1)
    assert told.deleted == sum(held.count(own) for held in before.values()) - len(KEPT)


async def test_a_deletion_that_was_cut_off_is_gone_on_with(stored: Everything) -> None:
    """Off: the condition in db/purge.py `pending`, or `purge.run` in jobs/worker.py."""
    await begin(stored)
    async with stored.database.write(stored.scopes[0]) as session:
        cut_off = await purge.step(session, stored.scopes[0], limit=3)

    ended = [await deletions.tick(stored.database) for _ in range(2)]

    assert (cut_off, ended) == ((3, False), [1, 0])
    assert {name for name, held in (await owners(stored)).items() if stored.scopes[0].connection_id in held} == set(
        KEPT
    )


async def test_no_transaction_deletes_more_than_its_batch(stored: Everything) -> None:
    await begin(stored)
    steps: list[tuple[int, bool]] = []

    while not steps or not steps[-1][1]:
        async with stored.database.write(stored.scopes[0]) as session:
            steps.append(await purge.step(session, stored.scopes[0], limit=4))

    assert [went for went, done in steps if not done] == [4] * (len(steps) - 1)
    assert steps[-1][0] <= 4


async def test_nothing_goes_before_it_was_asked_for(stored: Everything) -> None:
    before = await owners(stored)

    told = await deletions.work_off(stored.database, stored.scopes[0], seconds=60)
    wrong = await begin(stored, confirm="Customer 2")
    async with stored.database.write(stored.scopes[1]) as session:
        early = await purge.request(session, stored.scopes[1], confirm=CUSTOMER, now=NOW)
    async with stored.database.write(stored.scopes[2]) as session:
        foreign = await purge.request(session, stored.scopes[0], confirm=CUSTOMER, now=NOW)

    assert (told.deleted, wrong, early, foreign) == (
        0,
        Verdict.NOT_CONFIRMED,
        Verdict.NOT_DISCONNECTED,
        Verdict.UNKNOWN,
    )
    assert await deletions.tick(stored.database) == 0
    assert await owners(stored) == before


async def test_a_deleted_connection_is_gone_and_its_token_still_told_why(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    for _ in range(3):
        ledger.add()
    connection, token = await front.connect("ledger", credentials(ledger))
    await work(front)
    refused = [await asked(front, DELETE, connectionId=connection, confirm=CUSTOMER)]
    await asked(front, DISCONNECT, connectionId=connection)
    refused.append(await asked(front, DELETE, connectionId=connection, confirm="somebody else"))

    payload = await asked(front, DELETE, connectionId=connection, confirm=CUSTOMER)
    again = await asked(front, DELETE, connectionId=connection, confirm=CUSTOMER)

    assert [[(each["code"], each["path"]) for each in answer["userErrors"]] for answer in (*refused, again)] == [
        [("CONFLICT", ["connectionId"])],
        [("BAD_USER_INPUT", ["confirm"])],
        [("NOT_FOUND", ["connectionId"])],
    ]
    assert (payload["done"], payload["userErrors"]) == (True, [])
    kept = {each["table"]: each["rows"] for each in payload["remaining"]}
    assert kept == {"api_token": 1, "audit_entry": 3, "credit_entry": 2}
    assert await standing(front, token) == "DISCONNECTED"
    seen = await front.gql(
        "query ($id: ID!) { connection(id: $id) { id } purchaseOrders { totalCount } }", id=connection
    )
    assert seen == {"connection": None, "purchaseOrders": {"totalCount": 0}}
    assert CUSTOMER not in str(await behind.fetch("SELECT * FROM api_token")) + str(
        [await behind.fetch(f"SELECT * FROM {name}") for name in ("credit_entry", "audit_entry")]
    )
