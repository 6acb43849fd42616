"""What a database that cannot answer raises: an outage is told apart from a statement that fails."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.engine import APP_ROLE, Database, driver, make_engine, plain_url
from db.fetch import FetchPool
from db.scope import Scope
from db.types import new_id

SCOPE = Scope(new_id())


@pytest.fixture
async def narrow(database_url: str) -> AsyncIterator[Database]:
    """Pools of one connection each that give up at once."""
    app = make_engine(database_url, role=None, pool_size=1, application="narrow")
    app.pool._timeout = 0.05  # type: ignore[attr-defined]
    fetches = FetchPool(plain_url(database_url), role=APP_ROLE, size=1, application="narrow")
    opened = Database(app, app, fetches, fetches)
    yield opened
    await opened.close()


async def test_a_session_ended_in_the_middle_of_a_statement_is_an_outage_and_the_next_one_works(
    narrow: Database,
) -> None:
    with pytest.raises(Database.unreachable):
        async with narrow.read(SCOPE) as session:
            await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    async with narrow.read(SCOPE) as session:
        assert (await session.execute(text("SELECT 1"))).scalar_one() == 1


async def test_a_pool_without_a_connection_to_spare_is_an_outage(narrow: Database) -> None:
    async with narrow.read(SCOPE):
        with pytest.raises(Database.unreachable):
            async with narrow.read(SCOPE):
                pass


async def test_a_server_that_takes_no_more_connections_is_an_outage(database_url: str, superuser: str) -> None:
    behind = await asyncpg.connect(superuser)
    name = database_url.rsplit("/", 1)[1]
    await behind.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
    await behind.close()
    opened = Database.open(database_url, pool_size=1)

    with pytest.raises(Database.unreachable):
        async with opened.read(SCOPE):
            pass
    assert not await opened.reachable()
    await opened.close()


async def test_a_statement_that_fails_is_no_outage(narrow: Database) -> None:
    with pytest.raises(DBAPIError) as failed:
        async with narrow.read(SCOPE) as session:
            await session.execute(text("SELECT 1 / 0"))

    assert not isinstance(failed.value, Database.unreachable)


@pytest.mark.parametrize("values", [(), (1, 2), ("one",)], ids=["too few", "too many", "of another type"])
async def test_values_that_do_not_fit_a_statement_are_no_outage(narrow: Database, values: tuple[Any, ...]) -> None:
    with pytest.raises((asyncpg.InterfaceError, asyncpg.DataError)) as failed:
        async with narrow.fetch(SCOPE) as fetch:
            await fetch.value("SELECT $1::integer", *values)

    assert not isinstance(failed.value, Database.unreachable)


async def test_a_value_that_does_not_fit_a_session_s_statement_is_no_outage(narrow: Database) -> None:
    with pytest.raises(DBAPIError) as failed:
        async with narrow.read(SCOPE) as session:
            await session.execute(text("SELECT CAST(:number AS integer)"), {"number": "one"})

    assert not isinstance(failed.value, Database.unreachable)


async def test_a_statement_on_a_connection_that_has_ended_is_an_outage(narrow: Database, superuser: str) -> None:
    behind = await asyncpg.connect(superuser)
    async with narrow.fetch(SCOPE) as fetch:
        await behind.fetchval("SELECT pg_terminate_backend($1)", await fetch.value("SELECT pg_backend_pid()"))
        for _ in range(2):
            with pytest.raises(Database.unreachable):
                await fetch.value("SELECT 1")
    await behind.close()

    async with narrow.lookups.fetch() as fetch:
        assert await fetch.value("SELECT 1") == 1
        fetch.connection.terminate()
        with pytest.raises(Database.unreachable):
            await fetch.value("SELECT 1")


async def test_a_statement_of_a_session_whose_connection_has_ended_is_an_outage(narrow: Database) -> None:
    async def asked_after_its_end() -> None:
        async with narrow.read(SCOPE) as session:
            (await driver(session)).terminate()
            await session.execute(text("SELECT 1"))

    with pytest.raises(Database.unreachable):
        await asked_after_its_end()


async def test_a_pool_that_is_being_closed_is_an_outage(narrow: Database) -> None:
    async with narrow.fetch(SCOPE):
        closing = asyncio.create_task(narrow.reads.close())
        await asyncio.sleep(0)
        with pytest.raises(Database.unreachable):
            async with narrow.fetch(SCOPE):
                pass
    await closing


@pytest.mark.parametrize(("idle_seconds", "same"), [(0.0, False), (300.0, True)])
async def test_a_connection_that_rested_too_long_is_not_taken(
    database_url: str, idle_seconds: float, *, same: bool
) -> None:
    """Something on the way may have forgotten it, and then what is asked on it is lost.

    Off: the first loop in `FetchPool.take`.
    """
    pool = FetchPool(plain_url(database_url), role=APP_ROLE, size=2, application="resting", idle_seconds=idle_seconds)
    async with pool.fetch() as fetch:
        first = await fetch.value("SELECT pg_backend_pid()")

    async with pool.fetch() as fetch:
        assert (await fetch.value("SELECT pg_backend_pid()") == first) is same
    await pool.close()


async def test_a_pool_is_closed_though_a_server_does_not_answer(database_url: str) -> None:
    """Off: close one connection after the other in `FetchPool.close`, and raise what the first of them says."""
    pool = FetchPool(plain_url(database_url), role=APP_ROLE, size=3, application="hung")
    async with pool.fetch() as one, pool.fetch() as two, pool.fetch() as three:
        connections = [each.connection for each in (one, two, three)]
    hung = [each.get_server_pid() for each in connections[:2]]
    for pid in hung:
        os.kill(pid, signal.SIGSTOP)
    try:
        await pool.close()
    finally:
        for pid in hung:
            os.kill(pid, signal.SIGCONT)

    assert [each.is_closed() for each in connections] == [True] * 3


async def test_a_read_transaction_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match="read-only transaction"):
        async with database.read(SCOPE) as session:
            await session.execute(text("DELETE FROM purchase_order"))
