"""`crosshead listen`: post a stream's events to a local address, signed like deliveries, while a webhook is written.

It subscribes like any client: nothing but the API's address and a token is needed, and no address of one's own.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from connectors.addresses import Guard
from connectors.posting import Posted, Poster
from db.events import StoredEvent, envelope
from db.types import decode_id
from jobs.signing import signed

LOCAL: Final = ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""Where events may be forwarded to over plain http: this machine and its network."""
PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0
_ENDS: Final = {4400, 4401, 4403}
"""Close codes after which the same token and document get no further."""
_BEYOND: Final = "9" * 18
"""A number that no event has: the refusal of it tells the last one that has been given."""
_DOCUMENT: Final = """subscription ($connectionId: ID, $after: String, $types: [String!]) {
  events(connectionId: $connectionId, afterSequence: $after, types: $types) {
    id sequence type data createdAt connection { id } } }"""


@dataclass(frozen=True, slots=True)
class Listening:
    """What is listened to, and where it goes.

    Attributes:
        url: The API's address.
        connection: Public id of the connection; None for the token's own, or the organization's own stream.
        after: The last number that is not wanted; None begins with what is committed from now on.
    """

    url: str
    key: str
    forward_to: str
    secret: str
    connection: str | None = None
    after: str | None = None
    types: tuple[str, ...] = ()


class Stopped(Exception):
    """The API does not let this go on."""


class _Begins(Exception):
    """What is committed from now on comes behind this number."""

    def __init__(self, after: str) -> None:
        super().__init__(after)
        self.after = after


async def listen(asked: Listening, say: Callable[[str], None]) -> None:
    """Forward events until cancelled; what is lost on the way is taken up where it was.

    Where no number is given, the last one is asked for first: a socket that dies before its first event misses none.

    Raises:
        Stopped: The token or the document is refused; the message says why.
    """
    after = asked.after
    async with Poster.open(guard=Guard.of(LOCAL)) as poster:
        while True:
            try:
                async for event in _events(asked, after or _BEYOND):
                    await _forward(poster, asked, event, say)
                    after = str(event.sequence)
            except _Begins as begins:
                after = begins.after
                continue
            except ConnectionClosed as closed:
                if closed.rcvd is not None and closed.rcvd.code in _ENDS:
                    raise Stopped(closed.rcvd.reason or "The token is not let in.") from None
                say("The socket was lost; it is opened again.")
            except (OSError, TimeoutError, InvalidHandshake) as error:
                say(f"The API cannot be reached ({type(error).__name__}); it is tried again.")
            await asyncio.sleep(PAUSE_SECONDS)


async def _events(asked: Listening, after: str) -> AsyncIterator[StoredEvent]:
    address = asked.url.rstrip("/").replace("http", "ws", 1) + "/graphql"
    async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")], max_size=None) as socket:
        await socket.send(_message(type="connection_init", payload={"authorization": asked.key}))
        variables = {"connectionId": asked.connection, "after": after, "types": list(asked.types) or None}
        async for text in socket:
            told = orjson.loads(text)
            kind = told["type"]
            if kind == "connection_ack":
                payload = {"query": _DOCUMENT, "variables": variables}
                await socket.send(_message(id="1", type="subscribe", payload=payload))
            elif kind == "ping":
                await socket.send(_message(type="pong"))
            elif kind == "error":
                raise _refused(told["payload"][0], after)
            elif kind == "next":
                for error in told["payload"].get("errors", ()):
                    raise _refused(error, after)
                yield _stored(told["payload"]["data"]["events"])
            elif kind == "complete":
                return


def _refused(error: dict[str, Any], after: str) -> Exception:
    last = error["extensions"].get("lastSequence") if after == _BEYOND else None
    return Stopped(error["message"]) if last is None else _Begins(last)


def _message(**parts: Any) -> str:
    return orjson.dumps(parts).decode()


def _stored(told: dict[str, Any]) -> StoredEvent:
    connection = told["connection"]
    connection_id = decode_id(connection["id"], type_name="ConnectedSystem")[1] if connection else None
    event_id = decode_id(told["id"], type_name="Event")[1]
    return StoredEvent(
        stream_id=connection_id or event_id,
        sequence=int(told["sequence"]),
        id=event_id,
        connection_id=connection_id,
        type=told["type"],
        entity=None,
        record_id=None,
        data=told["data"],
        created_at=datetime.fromisoformat(told["createdAt"]),
    )


async def _forward(poster: Poster, asked: Listening, event: StoredEvent, say: Callable[[str], None]) -> None:
    """Post an event, again and again until it is taken."""
    told, pause = envelope(event), PAUSE_SECONDS
    body = orjson.dumps(told)
    while True:
        headers = signed([asked.secret], webhook_id=told["id"], body=body, now=datetime.now(UTC))
        posted = await poster.post(asked.forward_to, body, {**headers, "Content-Type": "application/json"})
        say(f"{event.sequence} {event.type} → {_outcome(posted)}")
        if posted.status is not None and 200 <= posted.status < 300:
            return
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _outcome(posted: Posted) -> str:
    return str(posted.status or posted.failure)
