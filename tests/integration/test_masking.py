"""What nobody expected is told as that and no more, on every way out."""

import asyncio
import re
from typing import Any

import asyncpg
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from db.types import ErrorCode
from graph.errors import extensions_of
from tests.fixtures.product import Product

MASKED = "Something failed on our side. Tell us the request id."
QUERY = '{ vendors(filter: {name: {eq: "private-value"}}) { nodes { name } } }'


@pytest.fixture
async def broken(product: Product, superuser: str) -> Product:
    """A product whose database is not the one that its code knows."""
    behind = await asyncpg.connect(superuser)
    await behind.execute("ALTER TABLE vendor RENAME COLUMN name TO secret_column")
    await behind.close()
    return product


def masked(errors: list[dict[str, Any]], request_id: str) -> None:
    (error,) = errors
    assert error["message"] == MASKED
    assert error["extensions"] == {**extensions_of(ErrorCode.INTERNAL), "requestId": request_id}


async def test_an_unexpected_failure_tells_its_request_id_and_nothing_else(
    broken: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    status, body = await broken.post(QUERY, headers={"X-Request-Id": "mine"})

    assert (status, body["data"]) == (200, None)
    masked(body["errors"], "mine")
    told = orjson.dumps(body).decode()
    assert [word for word in ("secret_column", "SELECT", "asyncpg", "private-value", "Traceback") if word in told] == []
    logged = capsys.readouterr().out
    assert "column t1.name does not exist" in logged, "the log must say what the caller is not told"
    assert re.search("request_id=.?mine", re.sub(r"\x1b\[[0-9;]*m", "", logged)), "and whose request it was"


async def test_an_unexpected_failure_on_a_socket_tells_its_request_id_and_nothing_else(broken: Product) -> None:
    url = broken.url.replace("http:", "ws:") + "/graphql"
    headers = {"X-Request-Id": "mine"}
    protocol = Subprotocol("graphql-transport-ws")
    async with connect(url, subprotocols=[protocol], additional_headers=headers) as socket:
        for message in (
            {"type": "connection_init", "payload": {"authorization": broken.key}},
            {"id": "1", "type": "subscribe", "payload": {"query": QUERY}},
        ):
            await socket.send(orjson.dumps(message).decode())
        told = [orjson.loads(await asyncio.wait_for(socket.recv(), 10)) for _ in range(3)]

    assert [each["type"] for each in told] == ["connection_ack", "next", "complete"]
    assert told[1]["payload"]["data"] is None
    masked(told[1]["payload"]["errors"], "mine")
    assert "secret_column" not in str(told)


async def test_a_failure_at_one_field_leaves_the_next_request_well(broken: Product) -> None:
    await broken.post(QUERY)

    assert await broken.gql("{ items { totalCount } viewer { kind } }") == {
        "items": {"totalCount": 0},
        "viewer": {"kind": "ORGANIZATION"},
    }


NUL = "a\x00b"
NULS = {
    "filter": ("query ($v: String!) { vendors(filter: {name: {eq: $v}}) { totalCount } }", NUL),
    "prefix": ("query ($v: String!) { vendors(filter: {name: {prefix: $v}}) { totalCount } }", NUL),
    "in": ("query ($v: String!) { vendors(filter: {name: {in: [$v]}}) { totalCount } }", NUL),
    "id": ("query ($v: ID!) { node(id: $v) { id } }", NUL),
    "system": (
        """mutation ($v: String!) { connectSystem(input: {system: $v, credentials: {}, customer: {ref: "c", name: "C"}})
           { userErrors { code } } }""",
        NUL,
    ),
}


@pytest.mark.parametrize("name", NULS)
async def test_a_character_that_the_store_cannot_hold_is_the_callers_mistake(door: Product, name: str) -> None:
    document, value = NULS[name]

    _, body = await door.post(document, v=value)

    codes = [error["extensions"]["code"] for error in body.get("errors", ())]
    codes += [error["code"] for of in (body["data"] or {}).values() for error in (of or {}).get("userErrors", ())]
    assert set(codes) in ({"BAD_USER_INPUT"}, {"NOT_FOUND"}), body
