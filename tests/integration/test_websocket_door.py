"""The socket: who gets in, what it takes, and what it never tells."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from db.models.connection import ConnectionStatus
from db.models.organization import TokenKind
from db.tokens import make_token
from db.types import encode_id
from graph.door.requests import MAX_BODY_BYTES
from graph.door.socket import MAX_OPERATIONS
from tests.fixtures.everything import Everything
from tests.fixtures.product import Product

PROTOCOL = Subprotocol("graphql-transport-ws")
WHO = {"id": "1", "type": "subscribe", "payload": {"query": "{ viewer { kind } }"}}


def opened(door: Product, *protocols: str, path: str = "/graphql", **more: Any) -> connect:
    url = door.url.replace("http:", "ws:") + path
    return connect(url, subprotocols=[Subprotocol(each) for each in protocols or (PROTOCOL,)], **more)


async def say(socket: ClientConnection, message: Any) -> None:
    await socket.send(orjson.dumps(message).decode())


async def heard(socket: ClientConnection) -> Any:
    return orjson.loads(await asyncio.wait_for(socket.recv(), 10))


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """Wait until the server closes the socket without a word; gives code and reason."""
    with pytest.raises(ConnectionClosed) as ended:
        await asyncio.wait_for(socket.recv(), 10)
    assert ended.value.rcvd is not None
    return ended.value.rcvd.code, ended.value.rcvd.reason


async def let_in(socket: ClientConnection, token: str) -> None:
    await say(socket, {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
    assert await heard(socket) == {"type": "connection_ack"}


@pytest.fixture
async def socket(door: Product) -> AsyncIterator[ClientConnection]:
    async with opened(door) as made:
        await let_in(made, door.key)
        yield made


@pytest.mark.parametrize("prefix", ["Bearer ", "bearer ", ""])
@pytest.mark.parametrize("name", ["authorization", "Authorization"])
async def test_a_live_token_in_the_first_message_opens_the_socket(door: Product, prefix: str, name: str) -> None:
    async with opened(door) as socket:
        await say(socket, {"type": "connection_init", "payload": {name: f"{prefix}{door.key}"}})

        assert await heard(socket) == {"type": "connection_ack"}
        await say(socket, WHO)
        told = await heard(socket)
        assert (told["id"], told["type"]) == ("1", "next")
        assert told["payload"]["data"] == {"viewer": {"kind": "ORGANIZATION"}}
        assert told["payload"]["extensions"]["cost"]["actual"] == 1
        assert await heard(socket) == {"id": "1", "type": "complete"}


@pytest.mark.parametrize(
    "payload",
    [None, {}, {"authorization": ""}, {"authorization": "Bearer x"}, {"authorization": 7}, {"authorization": None}],
)
async def test_a_socket_without_a_live_token_is_closed_as_forbidden(door: Product, payload: Any) -> None:
    async with opened(door) as socket:
        await say(socket, {"type": "connection_init", **({} if payload is None else {"payload": payload})})

        assert await closed(socket) == (4403, "Forbidden")


async def test_the_holder_of_a_dead_token_is_told_why_and_nobody_else(door: Product, everything: Everything) -> None:
    own = everything.scopes[0]
    dead, resting = await everything.token(own), await everything.token(own)
    await everything.revoke(dead)

    async with everything.status(own, ConnectionStatus.DISCONNECTED):
        told = {make_token(TokenKind.CONNECTION): "Forbidden", dead: "REVOKED", resting: "DISCONNECTED"}
        for token, reason in told.items():
            async with opened(door) as socket:
                await say(socket, {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
                assert await closed(socket) == (4403, reason)


async def test_a_socket_that_never_says_who_it_is_is_closed(door: Product) -> None:
    async with opened(door) as socket:
        begun = asyncio.get_running_loop().time()

        assert await closed(socket) == (4408, "Connection initialisation timeout")
        assert 2.5 < asyncio.get_running_loop().time() - begun < 8


async def test_a_socket_that_asks_before_it_is_let_in_is_closed(door: Product) -> None:
    async with opened(door) as socket:
        await say(socket, WHO)

        assert await closed(socket) == (4401, "Unauthorized")


async def test_a_header_opens_no_socket(door: Product) -> None:
    """Browsers attach headers and cookies without asking: only what a script sends itself counts."""
    async with opened(door, additional_headers={"Authorization": f"Bearer {door.key}"}) as socket:
        await say(socket, {"type": "connection_init"})

        assert await closed(socket) == (4403, "Forbidden")


@pytest.mark.parametrize("protocol", ["graphql-ws", "unknown"])
async def test_a_socket_of_another_protocol_is_closed(door: Product, protocol: str) -> None:
    async with opened(door, protocol) as socket:
        assert socket.subprotocol is None
        assert await closed(socket) == (4406, "Subprotocol not acceptable")


async def test_a_page_of_another_origin_gets_no_socket(door: Product) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with opened(door, origin="https://elsewhere.example"):
            pass

    assert refused.value.response.status_code == 403


async def test_a_second_introduction_is_refused(socket: ClientConnection, door: Product) -> None:
    await say(socket, {"type": "connection_init", "payload": {"authorization": f"Bearer {door.key}"}})

    assert await closed(socket) == (4429, "Too many initialisation requests")


OTHER = "This is no message of graphql-transport-ws."
MESSAGES: dict[str, tuple[Any, str]] = {
    "null": (b"null", OTHER),
    "number": (b"1", OTHER),
    "text": (b'"subscribe"', OTHER),
    "list": (b"[]", OTHER),
    "no type": (b"{}", OTHER),
    "list type": (b'{"type": []}', OTHER),
    "no id": (b'{"type": "subscribe", "payload": {"query": "{ x }"}}', OTHER),
    "list id": (b'{"type": "subscribe", "id": [], "payload": {"query": "{ x }"}}', OTHER),
    "no payload": (b'{"type": "subscribe", "id": "1"}', OTHER),
    "null payload": (b'{"type": "subscribe", "id": "1", "payload": null}', OTHER),
    "text payload": (b'{"type": "subscribe", "id": "1", "payload": "{ x }"}', OTHER),
    "no query": (b'{"type": "subscribe", "id": "1", "payload": {}}', OTHER),
    "number query": (b'{"type": "subscribe", "id": "1", "payload": {"query": 1}}', OTHER),
    "list variables": (b'{"type": "subscribe", "id": "1", "payload": {"query": "{ x }", "variables": []}}', OTHER),
    "number name": (b'{"type": "subscribe", "id": "1", "payload": {"query": "{ x }", "operationName": 1}}', OTHER),
    "complete nothing": (b'{"type": "complete"}', OTHER),
    "complete a list": (b'{"type": "complete", "id": []}', OTHER),
    "unknown type": (b'{"type": "start"}', "Unknown message type: start"),
    "no JSON": (b"{", "WebSocket message must be valid JSON"),
    "deep": (b"[" * 90_000, "WebSocket message must be valid JSON"),
    "a key twice": (b'{"type": "ping", "type": "pong"}', "WebSocket message must be valid JSON"),
}


@pytest.mark.parametrize("name", MESSAGES)
async def test_a_message_of_another_form_closes_the_socket(socket: ClientConnection, name: str) -> None:
    message, reason = MESSAGES[name]

    await socket.send(message.decode())

    assert await closed(socket) == (4400, reason)


async def test_a_message_that_is_longer_than_a_body_may_be_closes_the_socket(door: Product) -> None:
    long = '{"type": "ping", "x": "' + "x" * MAX_BODY_BYTES + '"}'
    async with opened(door, compression=None) as socket:
        await let_in(socket, door.key)
        await socket.send(long)

        assert (await closed(socket))[0] == 1009


async def test_a_packed_message_is_no_way_around_the_limit(socket: ClientConnection) -> None:
    await socket.send('{"type": "ping", "x": "' + "x" * 20_000_000 + '"}')

    assert (await closed(socket))[0] == 1009


async def test_an_id_that_is_in_use_closes_the_socket(socket: ClientConnection) -> None:
    follow = {"id": "1", "type": "subscribe", "payload": {"query": "subscription { recordChanged { sequence } }"}}

    await say(socket, follow)
    await say(socket, follow)

    assert await closed(socket) == (4409, "Subscriber for 1 already exists")


async def test_an_introduction_with_a_payload_that_is_no_object_closes_the_socket(door: Product) -> None:
    async with opened(door) as socket:
        await say(socket, {"type": "connection_init", "payload": "token"})

        assert await closed(socket) == (4400, "Invalid connection init payload")


async def test_the_handshake_tells_request_and_version(door: Product) -> None:
    async with opened(door, additional_headers={"X-Request-Id": "mine"}) as socket:
        assert socket.response is not None
        told = socket.response.headers
        assert (told["X-Request-Id"], told["Crosshead-Version"]) == ("mine", "v1")


async def test_a_socket_carries_so_many_operations_and_lives_on(socket: ClientConnection) -> None:
    query = "subscription { recordChanged { sequence } }"
    for n in range(MAX_OPERATIONS + 1):
        await say(socket, {"id": str(n), "type": "subscribe", "payload": {"query": query}})

    told = await heard(socket)

    assert (told["id"], told["type"]) == (str(MAX_OPERATIONS), "error")
    assert [error["extensions"]["code"] for error in told["payload"]] == ["RATE_LIMITED"]
    await say(socket, {"id": "0", "type": "complete"})
    await say(socket, WHO | {"id": "again"})
    assert (await heard(socket))["payload"]["data"] == {"viewer": {"kind": "ORGANIZATION"}}


async def test_a_binary_message_closes_the_socket(socket: ClientConnection) -> None:
    await socket.send(orjson.dumps(WHO))

    assert (await closed(socket))[0] == 4400


QUERIES = [
    pytest.param("{ nothing }", id="unknown field"),
    pytest.param("query A { viewer { kind } } query A { viewer { kind } }", id="two of a name"),
    pytest.param("{", id="syntax"),
]


@pytest.mark.parametrize("query", QUERIES)
async def test_a_wrong_query_ends_its_operation_and_not_the_socket(socket: ClientConnection, query: str) -> None:
    await say(socket, {"id": "1", "type": "subscribe", "payload": {"query": query}})

    told = await heard(socket)
    assert (told["id"], told["type"]) == ("1", "error")
    assert told["payload"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert told["payload"][0]["extensions"]["requestId"].startswith("req_")
    await say(socket, {"type": "ping"})
    assert await heard(socket) == {"type": "pong"}


async def test_a_socket_opens_what_its_token_opens_and_nothing_else(door: Product, everything: Everything) -> None:
    token = await everything.token(everything.scopes[0])
    query = "{ vendors { totalCount } purchaseOrders { totalCount } connections { totalCount } }"
    async with opened(door) as socket:
        await let_in(socket, token)
        await say(socket, {"id": "1", "type": "subscribe", "payload": {"query": query}})

        one = {"totalCount": 1}
        assert (await heard(socket))["payload"]["data"] == dict.fromkeys(
            ("vendors", "purchaseOrders", "connections"), one
        )


async def test_a_foreign_connection_cannot_be_followed(door: Product, everything: Everything) -> None:
    own, foreign = everything.scopes[0], everything.scopes[2]
    assert foreign.connection_id is not None
    query = "subscription ($id: ID!) { recordChanged(connectionId: $id) { sequence } }"
    variables = {"id": encode_id("ConnectedSystem", foreign.connection_id)}
    async with opened(door) as socket:
        await let_in(socket, await everything.token(own))
        await say(socket, {"id": "1", "type": "subscribe", "payload": {"query": query, "variables": variables}})

        told = await heard(socket)
        errors = told["payload"] if told["type"] == "error" else told["payload"]["errors"]
        assert [error["extensions"]["code"] for error in errors] == ["NOT_FOUND"]
