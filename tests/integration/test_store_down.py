"""What callers are told while our own store is down."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from crosshead.embedded.postgres import EmbeddedPostgres
from crosshead.embedded.redis import EmbeddedRedis
from db.engine import Database
from db.migrate import migrate
from db.types import ErrorCode
from graph.errors import extensions_of
from tests.fixtures.database import LOGIN, PASSWORD
from tests.fixtures.product import Product, serving, settings_of

PROTOCOL = Subprotocol("graphql-transport-ws")


@pytest.fixture
async def bereft(tmp_path: Path, redis_server: EmbeddedRedis) -> AsyncIterator[Product]:
    """A product that answered once, and whose store has then been stopped."""
    server = EmbeddedPostgres(tmp_path / "doomed", fsync=False)
    await asyncio.to_thread(server.start)
    try:
        server.ensure_role(LOGIN, PASSWORD, createrole=True)
        server.ensure_database("doomed", LOGIN)
        url = server.dsn("doomed", user=LOGIN, password=PASSWORD)
        await migrate(url)
        database = Database.open(url, pool_size=1, application="tests")
        async with serving(settings_of(url, redis_server), database) as product:
            await product.gql("{ viewer { kind } vendors { totalCount } }")
            await asyncio.to_thread(server.stop)
            yield product
        await database.close()
    finally:
        await asyncio.to_thread(server.stop)


async def test_everyone_is_told_that_the_store_is_down_and_that_waiting_helps(bereft: Product) -> None:
    sent = {"Authorization": f"Bearer {bereft.key}", "X-Request-Id": "mine"}
    for _ in range(3):
        async with bereft.http.post(f"{bereft.url}/graphql", json={"query": "{ x }"}, headers=sent) as answer:
            assert answer.status == 503
            assert (answer.headers["Retry-After"], answer.headers["X-Request-Id"]) == ("2", "mine")
            extensions = {**extensions_of(ErrorCode.UNAVAILABLE, retryAfterSeconds=2), "requestId": "mine"}
            message = "The store is not available; ask again soon."
            assert await answer.json() == {"errors": [{"message": message, "extensions": extensions}]}

    async with bereft.http.get(f"{bereft.url}/readyz") as answer:
        assert (answer.status, await answer.json()) == (503, {"status": "unavailable"})
    async with bereft.http.get(f"{bereft.url}/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ok"})
    async with bereft.http.post(f"{bereft.url}/graphql", json={"query": "{ x }"}) as answer:
        assert answer.status == 401, "what needs no look-up needs no store"

    url = bereft.url.replace("http:", "ws:") + "/graphql"
    async with connect(url, subprotocols=[PROTOCOL]) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": bereft.key}}))
        with pytest.raises(ConnectionClosed) as ended:
            await asyncio.wait_for(socket.recv(), 10)
    assert ended.value.rcvd is not None
    assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (1013, "The store is not available.")
