"""The reference clients of both streams (npm graphql-sse, graphql-ws) against the running server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from db.types import encode_id
from tests.factories.sync import make_event_counter, make_sync_run
from tests.fixtures.reading import Shelf
from tests.protocol.node import started

PROTOCOLS = ["sse", "ws"]


@asynccontextmanager
async def following(
    shelf: Shelf, folder: Path, protocol: str, *, count: int = 1, **operation: Any
) -> AsyncIterator[asyncio.StreamReader]:
    """Follow an operation with a client of another make; gives what it prints."""
    url = f"{shelf.product.url}/graphql"
    url = url.replace("http:", "ws:") if protocol == "ws" else url
    client = await started(folder, "follow.mjs", protocol, url, TOKEN=shelf.token, COUNT=str(count))
    assert client.stdin is not None
    assert client.stdout is not None
    client.stdin.write(orjson.dumps(operation))
    client.stdin.close()
    try:
        yield client.stdout
    finally:
        if client.returncode is None:
            client.kill()
        await client.wait()


async def heard(client: asyncio.StreamReader) -> Any:
    return orjson.loads(await asyncio.wait_for(client.readline(), 20))


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_query_is_answered_once_and_complete(shelf: Shelf, node_folder: Path, protocol: str) -> None:
    query = "query Who($n: Int) { viewer { kind } vendors(first: $n) { totalCount } }"
    async with following(shelf, node_folder, protocol, count=9, query=query, variables={"n": 1}) as client:
        told = await heard(client)
        assert told["data"] == {"viewer": {"kind": "CONNECTION"}, "vendors": {"totalCount": 0}}
        assert await heard(client) is None


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_subscription_is_followed(shelf: Shelf, node_folder: Path, protocol: str) -> None:
    """A named run is told at once."""
    async with shelf.database.write(shelf.own) as session:
        await make_event_counter(session, scope=shelf.own)
        run = await make_sync_run(session, scope=shelf.own)
        run_id = encode_id("SyncRun", run.id)
    query = "subscription ($id: ID!) { syncRunUpdated(syncRunId: $id) { id status } }"

    async with following(shelf, node_folder, protocol, query=query, variables={"id": run_id}) as client:
        assert (await heard(client))["data"] == {"syncRunUpdated": {"id": run_id, "status": "SUCCEEDED"}}
        assert await heard(client) is None


async def test_a_query_that_is_wrong_is_told_in_the_stream(shelf: Shelf, node_folder: Path) -> None:
    async with following(shelf, node_folder, "sse", count=9, query="{ nothing }") as client:
        told = await heard(client)
        assert "data" not in told
        assert [error["extensions"]["code"] for error in told["errors"]] == ["BAD_USER_INPUT"]
        assert await heard(client) is None
