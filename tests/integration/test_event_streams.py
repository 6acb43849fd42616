"""The subscription `events`: what is stored, then what is committed, with no gap and no repeat."""

import asyncio
import contextlib
import re
import socket as python_socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from db import events
from db.engine import Database
from db.events import NewEvent
from db.scope import Scope
from db.statuses import STATUS_CHANGED
from db.types import Entity, decode_id, encode_id
from graph.door import socket as door
from jobs.channels import Channels
from jobs.events import Events
from tests.factories.purchasing import make_purchase_order
from tests.factories.writing import make_write_operation
from tests.fixtures.engine import Engine
from tests.fixtures.front import REVOKE_KEY, asked, credentials
from tests.fixtures.ledger import Ledger
from tests.fixtures.listening import PROTOCOL, closed, heard, say, stream
from tests.fixtures.listening import socket as subscribed
from tests.fixtures.product import Product
from tests.fixtures.reading import watched

FOLLOWERS = 12
FOLLOW = """subscription ($id: ID, $after: String, $types: [String!]) {
  events(connectionId: $id, afterSequence: $after, types: $types) { id sequence type data createdAt } }"""


class Line:
    """A connection to tell of, and sockets that follow it."""

    def __init__(self, front: Product, database: Database, connection: str, token: str) -> None:
        self.front = front
        self.database = database
        self.connection = connection
        self.token = token
        self.own = front.scope.narrowed(decode_id(connection)[1])

    async def commit(self, *names: str) -> int:
        """Commit events; gives the last number."""
        async with self.database.write(self.own) as session:
            last = await events.append(session, self.own, [NewEvent(name, {"name": name}) for name in names])
        assert last is not None
        return last

    @asynccontextmanager
    async def socket(
        self, *, key: str | None = None, document: str = FOLLOW, **variables: Any
    ) -> AsyncIterator[ClientConnection]:
        """Follow over a socket."""
        url = self.front.url.replace("http:", "ws:") + "/graphql"
        async with connect(url, subprotocols=[PROTOCOL]) as made:
            await say(made, {"type": "connection_init", "payload": {"authorization": key or self.token}})
            assert (await heard(made))["type"] == "connection_ack"
            payload = {"query": document, "variables": variables}
            await say(made, {"id": "1", "type": "subscribe", "payload": payload})
            yield made


async def took(socket: ClientConnection, n: int) -> list[dict[str, Any]]:
    """Take so many events."""
    messages = [await heard(socket) for _ in range(n)]
    assert [each["type"] for each in messages] == ["next"] * n, messages
    return [each["payload"]["data"]["events"] for each in messages]


@pytest.fixture
async def line(front: Product, database: Database, ledger: Ledger) -> Line:
    connection, token = await front.connect("ledger", credentials(ledger))
    return Line(front, database, connection, token)


async def test_what_is_stored_comes_first_then_what_is_committed_each_number_once(line: Line) -> None:
    """Off: `start` in jobs/channels.py `_attached` as 0, or the tail begun at the last number: a gap or a repeat."""
    last = await line.commit(*["vendor.created"] * 30)
    stop = asyncio.Event()

    async def committing() -> int:
        number = last
        while not stop.is_set():
            number = await line.commit("vendor.updated", "vendor.updated")
        return number

    async with asyncio.TaskGroup() as group:
        group.create_task(committing())
        try:
            for after in (0, last - 5, last):
                async with line.socket(after=str(after)) as socket:
                    got = await took(socket, 60)
                    assert [int(each["sequence"]) for each in got] == list(range(after + 1, after + 61))
        finally:
            stop.set()


async def test_without_a_number_it_begins_with_what_is_committed_from_now_on(line: Line) -> None:
    await line.commit("vendor.created")
    async with line.socket() as socket:
        await say(socket, {"id": "2", "type": "subscribe", "payload": {"query": "{ viewer { kind } }"}})
        assert [(await heard(socket))["type"] for _ in range(2)] == ["next", "complete"]
        last = await line.commit("vendor.updated")
        [got] = await took(socket, 1)

    assert (got["sequence"], got["type"], got["data"]) == (str(last), "vendor.updated", {"name": "vendor.updated"})


async def test_only_the_types_asked_for_are_told(line: Line) -> None:
    after = await line.commit("sync.started")
    async with line.socket(after=str(after), types=["vendor.deleted"]) as socket:
        await line.commit("vendor.created", "vendor.deleted", "vendor.updated", "vendor.deleted")
        got = await took(socket, 2)

    assert [int(each["sequence"]) for each in got] == [after + 2, after + 4]


async def test_the_organizations_own_stream_is_followed_without_a_connection(line: Line) -> None:
    async with line.socket(key=line.front.key, after="0") as socket:
        async with line.database.write(line.front.scope) as session:
            await events.append(session, line.front.scope, [NewEvent("endpoint.disabled", {"n": 1})])
        [got] = await took(socket, 1)

    assert (got["sequence"], got["type"], got["data"]) == ("1", "endpoint.disabled", {"n": 1})


@pytest.mark.parametrize("wide", [False, True], ids=["a connection", "all connections"])
async def test_a_change_is_read_once_whoever_follows(line: Line, wide: bool) -> None:
    """Off: `Shared` in graph/subscription.py, or `held` in graph/shared.py: as many reads as followers."""
    async with line.database.write(line.own) as session:
        order = await make_purchase_order(session, scope=line.own)
        written = await make_write_operation(session, scope=line.own)
    status = {"connectionId": line.connection, "status": "ACTIVE", "previousStatus": "PAUSED", "reason": "r"}
    operation = {"operationId": encode_id("WriteOperation", written.id)}
    happening = [
        NewEvent("purchase_order.updated", {"version": 2}, Entity.PURCHASE_ORDER, order.id),
        NewEvent("write.settled", operation),
        NewEvent(STATUS_CHANGED, status),
    ]
    followed = (
        "recordChanged{} {{ sequence record {{ id }} }}",
        "writeSettled{} {{ id state }}",
        "connectionStatusChanged{} {{ sequence connection {{ id status }} }}",
    )
    of = "" if wide else f'(connectionId: "{line.connection}")'

    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(
                subscribed(line.front, line.front.key, f"subscription {{ {each.format(of)} }}")
            )
            for each in followed
            for _ in range(FOLLOWERS)
        ]
        with watched() as seen:
            async with line.database.write(line.own) as session:
                await events.append(session, line.own, happening)
            payloads = [(await heard(each))["payload"] for each in sockets]

    told = [orjson.dumps(each["data"]).decode() for each in payloads]
    assert [len(set(told[n * FOLLOWERS : (n + 1) * FOLLOWERS])) for n in range(3)] == [1, 1, 1], told
    assert not [each for each in payloads if "errors" in each]
    asked = [each for each in seen.data if not re.match(r"\s*(WITH counted|INSERT|UPDATE)", each)]
    looks = [each for each in asked if re.search(r"\bFROM event(_counter)?\b", each)]
    assert len(asked) - len(looks) == len(followed), asked
    assert 0 < len(looks) < FOLLOWERS


async def test_a_number_that_is_gone_or_was_never_given_is_refused(line: Line, behind: asyncpg.Connection) -> None:
    last = await line.commit(*["vendor.created"] * 5)
    await behind.execute("DELETE FROM event WHERE stream_id = $1 AND sequence < $2", line.own.connection_id, last - 1)
    refusals = {}

    for after in (0, last + 1):
        async with line.socket(after=str(after)) as socket:
            message = await heard(socket)
            [error] = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
            refusals[after] = (error["extensions"]["code"], error["extensions"].get("oldestSequence"))
    async with line.socket(after=str(last - 2)) as socket:
        assert [int(each["sequence"]) for each in await took(socket, 2)] == [last - 1, last]

    assert refusals == {0: ("SEQUENCE_EXPIRED", str(last - 1)), last + 1: ("BAD_USER_INPUT", None)}


async def test_nobody_follows_a_stream_of_others(line: Line, ledger: Ledger) -> None:
    other, token = await line.front.connect("ledger", credentials(ledger))
    codes = []

    for key, connection in ((token, line.connection), (line.front.key, "conn_" + "0" * 32)):
        async with line.socket(key=key, id=connection, after="0") as socket:
            message = await heard(socket)
            [error] = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
            codes.append(error["extensions"]["code"])
    assert other != line.connection
    assert codes == ["NOT_FOUND", "NOT_FOUND"]


@pytest.mark.parametrize(
    ("variables", "words"),
    [({"after": "-1"}, "afterSequence"), ({"after": "1e3"}, "afterSequence"), ({"types": ["vendor.*"]}, "vendor.*")],
)
async def test_what_is_no_number_or_no_type_is_refused(line: Line, variables: dict[str, Any], words: str) -> None:
    async with line.socket(**variables) as socket:
        message = await heard(socket)

    [error] = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert words in error["message"]


async def test_over_server_sent_events_the_same_is_told(line: Line) -> None:
    last = await line.commit("vendor.created", "vendor.updated")
    query = f'subscription {{ events(afterSequence: "{last - 2}") {{ sequence type }} }}'

    async with stream(line.front, line.token, query) as content:
        lines: list[str] = []
        while len(lines) < 2:
            text = (await asyncio.wait_for(content.readline(), 10)).decode()
            if text.startswith("data: {"):
                lines.append(text)
    assert [f'"sequence":"{n}"' in text for n, text in zip((last - 1, last), lines, strict=True)] == [True, True]


async def test_revoking_the_key_closes_the_socket(line: Line) -> None:
    issued = await asked(
        line.front,
        """mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { token apiKey { id }
        userErrors { message } } }""",
        name="Follower",
        scope="READ",
    )
    await line.commit("vendor.created")
    async with line.socket(key=issued["token"], id=line.connection, after="0") as socket:
        await took(socket, 1)
        await asked(line.front, REVOKE_KEY, apiKeyId=issued["apiKey"]["id"])
        assert await closed(socket) == (4403, "REVOKED")


async def test_a_follower_that_falls_behind_goes_on_from_what_is_stored(engine: Engine) -> None:
    """Off: `until = follower.seen` in jobs/channels.py: what did not fit is missing."""
    own = await engine.connect()
    follower = Events(engine.database, engine.queue, poll_seconds=0.02)
    follower.channels = Channels(engine.database, follower._follower, poll_seconds=0.02, most_waiting=3)
    got: list[int] = []
    go = asyncio.Event()

    async def follow() -> None:
        async for live in follower.channels.follow(own, after=0):
            got.append(live.event.sequence)
            await go.wait()
            if len(got) == 201:
                return

    task = asyncio.create_task(follow())
    for _ in range(20):
        async with engine.database.write(own) as session:
            await events.append(session, own, [NewEvent("vendor.created", {})] * 10)
        await asyncio.sleep(0.01)
    go.set()
    async with engine.database.write(own) as session:
        await events.append(session, own, [NewEvent("vendor.created", {})])
    async with asyncio.timeout(20):
        await task

    assert got == list(range(1, 202))


async def test_a_stream_that_cannot_be_read_ends_its_followers_and_begins_anew_for_the_next(engine: Engine) -> None:
    """Off: `follower.fail()` in jobs/channels.py `_kept`: followers wait for ever."""
    own = await engine.connect()
    broken = asyncio.Event()

    class Bell(asyncio.Event):
        async def wait(self) -> bool:  # type: ignore[override]
            await super().wait()
            if broken.is_set():
                raise ValueError("out of order")
            return True

    @asynccontextmanager
    async def bell(_: Scope) -> AsyncIterator[asyncio.Event]:
        made = Bell()
        bells.put_nowait(made)
        yield made

    bells: asyncio.Queue[Bell] = asyncio.Queue()
    channels = Channels(engine.database, bell, poll_seconds=60)
    first = asyncio.ensure_future(anext(channels.follow(own, after=None)))
    broken.set()
    (await bells.get()).set()
    async with asyncio.timeout(20):
        with pytest.raises(RuntimeError, match="no longer read"):
            await first

    broken.clear()
    second = asyncio.ensure_future(anext(channels.follow(own, after=None)))
    rung = await bells.get()
    async with engine.database.write(own) as session:
        last = await events.append(session, own, [NewEvent("vendor.created", {})])
    rung.set()
    async with asyncio.timeout(20):
        assert (await second).event.sequence == last


async def test_a_socket_that_takes_nothing_is_closed_with_its_code(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Off: the timeout in graph/door/socket.py `send_json`: the socket stays open, and the event waits for ever."""
    monkeypatch.setattr(door, "SLOW_SECONDS", 0.3)
    url = line.front.url.replace("http:", "ws:") + "/graphql"
    async with line.database.write(line.own) as session:
        told = [NewEvent("vendor.created", {"text": "x" * 50_000}) for _ in range(400)]
        await events.append(session, line.own, told)

    small = python_socket.create_connection(("127.0.0.1", int(line.front.url.rsplit(":", 1)[1])))
    small.setsockopt(python_socket.SOL_SOCKET, python_socket.SO_RCVBUF, 65_536)
    async with connect(
        url, sock=small, subprotocols=[PROTOCOL], max_queue=1, max_size=None, compression=None
    ) as socket:
        await say(socket, {"type": "connection_init", "payload": {"authorization": line.token}})
        assert (await heard(socket))["type"] == "connection_ack"
        await say(socket, {"id": "1", "type": "subscribe", "payload": {"query": FOLLOW, "variables": {"after": "0"}}})
        await heard(socket)
        await asyncio.sleep(3)  # it reads nothing for longer than it may
        numbers: list[Any] = []
        with contextlib.suppress(ConnectionClosed):
            numbers.extend([await socket.recv() for _ in range(399)])
        assert len(numbers) < 400
        assert (await closed(socket))[0] == door.TOO_SLOW
