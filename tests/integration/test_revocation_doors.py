"""Sockets and streams end with their token, whichever process holds them, with Redis or without."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from pydantic import RedisDsn

from crosshead.settings import Settings
from db.engine import Database
from tests.fixtures.front import DISCONNECT, REAUTHORIZE, REVOKE_KEY, ROTATE_TOKEN, SYSTEMS, asked, credentials
from tests.fixtures.ledger import Ledger
from tests.fixtures.listening import closed, events, heard, say, socket, stream
from tests.fixtures.product import Product, serving


@pytest.fixture
async def deaf(settings: Settings, database: Database) -> AsyncIterator[Product]:
    """The API with the ledger and without Redis."""
    changed = settings.model_copy(update={"redis_url": RedisDsn("redis://127.0.0.1:1/0")})
    async with serving(changed, database, connectors=SYSTEMS) as served:
        yield served


async def end(front: Product, connection: str, how: str, ledger: Ledger) -> None:
    """End the token of a connection."""
    if how == "REVOKED":
        query = "query ($id: ID!) { connection(id: $id) { tokens { id } } }"
        key = (await front.gql(query, id=connection))["connection"]["tokens"][0]["id"]
        await asked(front, REVOKE_KEY, apiKeyId=key)
    elif how == "REAUTHORIZED":
        await asked(front, REAUTHORIZE, connectionId=connection, credentials=credentials(ledger))
    else:
        document = {"ROTATED": ROTATE_TOKEN, "DISCONNECTED": DISCONNECT}[how]
        assert (await asked(front, document, connectionId=connection))["userErrors"] == []


@pytest.mark.parametrize("how", ["ROTATED", "REVOKED", "DISCONNECTED", "REAUTHORIZED"])
async def test_a_socket_and_a_stream_end_with_their_token(front: Product, ledger: Ledger, how: str) -> None:
    """Off: `_watch` in graph/door/socket.py, `until_ended` in graph/door/http.py."""
    connection, token = await front.connect("ledger", credentials(ledger))
    _, other = await front.connect("ledger", credentials(ledger))
    reason = "ROTATED" if how == "REAUTHORIZED" else how

    async with socket(front, token) as one, stream(front, token) as two, socket(front, other) as third:
        await end(front, connection, how, ledger)

        assert await closed(one) == (4403, reason)
        *_, (last, told), complete = await events(two)
        assert (last, complete) == ("next", ("complete", None))
        [error] = told["errors"]
        assert (error["extensions"]["code"], error["extensions"]["reason"]) == ("UNAUTHENTICATED", reason)
        await say(third, {"type": "ping"})
        assert (await heard(third))["type"] == "pong"


async def test_without_redis_they_end_all_the_same(deaf: Product, ledger: Ledger) -> None:
    """Off: the timeout of `_check` in jobs/revocation.py."""
    connection, token = await deaf.connect("ledger", credentials(ledger))

    async with socket(deaf, token) as one, stream(deaf, token) as two:
        await end(deaf, connection, "DISCONNECTED", ledger)

        assert await closed(one) == (4403, "DISCONNECTED")
        assert (await events(two))[-1] == ("complete", None)


async def test_a_dead_token_begins_no_operation_on_an_open_socket(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    """Behind the watcher's back, before it looks. Off: the look in graph/door/socket.py `handle_subscribe`."""
    _, token = await front.connect("ledger", credentials(ledger))

    async with socket(front, token) as made:
        await behind.execute(
            "UPDATE api_token SET revoked_at = now(), revoked_as = 'REVOKED' WHERE kind = 'CONNECTION'"
        )
        await say(made, {"id": "3", "type": "subscribe", "payload": {"query": "{ viewer { kind } }"}})

        assert await closed(made) == (4403, "REVOKED")


async def test_a_change_of_status_is_pushed(front: Product, ledger: Ledger) -> None:
    connection, token = await front.connect("ledger", credentials(ledger))
    pause = (
        "mutation ($id: ID!, $p: Boolean!) { updateConnection(input: {connectionId: $id, paused: $p}) { __typename } }"
    )

    async with socket(front, token) as one, socket(front, front.key) as two:
        await asyncio.sleep(0.3)  # both follow from what is there now
        told: tuple[list[Any], list[Any]] = ([], [])
        for paused in (True, False):
            await front.gql(pause, id=connection, p=paused)
            for each, by in zip(
                (one, two), told, strict=True
            ):  # heard before the next: the status is told as it is now
                by.append((await heard(each))["payload"]["data"]["connectionStatusChanged"])

    assert told[0] == told[1]
    assert [(each["sequence"], each["status"], each["previousStatus"], each["reason"]) for each in told[0]] == [
        ("1", "PAUSED", "ACTIVE", None),
        ("2", "ACTIVE", "PAUSED", None),
    ]
    assert {each["connection"]["id"] for each in told[0]} == {connection}
