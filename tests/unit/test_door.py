"""Pieces of the door that a running server shows only slowly: deadlines and beats."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from graph.door.requests import Asking, Rejected, asked_by
from graph.door.responses import EventStream
from graph.operations import Answer

HEADERS = [(b"content-type", b"application/json")]


async def test_a_body_that_trickles_is_given_up_and_its_connection_closed() -> None:
    """Without the deadline, this waits for ever."""

    async def receive() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    with pytest.raises(Rejected) as rejected:
        await asyncio.wait_for(asked_by(_post(receive), body_seconds=0.1), 5)

    assert (rejected.value.status, rejected.value.headers) == (408, {"Connection": "close"})
    assert rejected.value.message == "The body took longer than 0.1 seconds to arrive."


async def test_a_body_in_pieces_is_read_whole() -> None:
    pieces = [b'{"query": ', b'"{ viewer', b' { kind } }"}']

    async def receive() -> Message:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    assert (await asked_by(_post(receive))).query == "{ viewer { kind } }"


def _post(receive: Any) -> Asking:
    return Asking.of({"type": "http", "method": "POST", "headers": HEADERS}, receive)


class Caller:
    """What a stream sends; gone after so many messages."""

    def __init__(self, *, gone_after: int = 100) -> None:
        self.heard: list[bytes] = []
        self._left = gone_after

    async def send(self, message: Message) -> None:
        self._left -= 1
        if self._left < 0:
            raise OSError("the caller is gone")
        self.heard.append(message.get("body", b""))

    async def receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_quiet_stream_beats_until_there_is_something_to_tell() -> None:
    heard = asyncio.Event()

    async def answers() -> AsyncGenerator[Answer, None]:
        await heard.wait()
        yield Answer(data=b'{"a":1}')

    class Listening(Caller):
        async def send(self, message: Message) -> None:
            await super().send(message)
            if self.heard.count(b":\n\n") == 2:
                heard.set()

    caller = Listening()
    await EventStream(answers(), beat_seconds=0.01)(_scope(), caller.receive, caller.send)

    beats = caller.heard.index(b'event: next\ndata: {"data":{"a":1}}\n\n')
    assert set(caller.heard[1:beats]) == {b":\n\n"}
    assert caller.heard[beats + 1 :] == [b"event: complete\ndata: \n\n", b""]


async def test_a_caller_that_is_gone_at_a_beat_ends_what_it_followed() -> None:
    """Seen to fail without `EventStream.stream_response`: the follower stays until something collects it."""
    ended = asyncio.Event()

    async def answers() -> AsyncGenerator[Answer, None]:
        try:
            await asyncio.Event().wait()
            yield Answer()
        finally:
            ended.set()

    caller = Caller(gone_after=3)
    stream = EventStream(answers(), beat_seconds=0.01)
    with pytest.raises(ClientDisconnect):
        await stream(_scope("2.4"), caller.receive, caller.send)

    await asyncio.wait_for(ended.wait(), 5)


def _scope(version: str = "2.3") -> dict[str, Any]:
    return {"type": "http", "asgi": {"spec_version": version}}
