"""Answers, and the ways in which they can fail to arrive."""

import asyncio
import socket
import struct
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Final, Self

from starlette.types import ASGIApp, Message, Receive, Scope, Send

TRANSPORT: Final = "sandbox.transport"
"""Extension of the ASGI scope in which the server hands over a call's transport."""
_CHUNKS: Final = 20


@dataclass(slots=True)
class Answer:
    """An answer that was made and not sent yet."""

    start: MutableMapping[str, Any]
    body: bytes

    @classmethod
    async def of(cls, app: ASGIApp, scope: Scope, receive: Receive) -> Self:
        """Let an application answer."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await app(scope, receive, keep)
        return cls(messages[0], b"".join(message.get("body", b"") for message in messages[1:]))

    async def send(self, send: Send) -> None:
        """Send it."""
        await send(self.start)
        await send({"type": "http.response.body", "body": self.body})


async def cut(answer: Answer, send: Send) -> None:
    """Send half of the body as if it were the whole."""
    half = answer.body[: len(answer.body) // 2]
    kept = [(name, value) for name, value in answer.start["headers"] if name.lower() != b"content-length"]
    headers = [*kept, (b"content-length", str(len(half)).encode())]
    await Answer({**answer.start, "headers": headers}, half).send(send)


async def reset(answer: Answer, scope: Scope, send: Send) -> None:
    """Send half of the body, then reset the connection."""
    await send(answer.start)
    await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
    # What was written must leave before the reset, which throws away what waits.
    await asyncio.sleep(0.02)
    transport = _transport(scope)
    sock: socket.socket | None = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await drop(scope)


async def trickle(answer: Answer, send: Send, *, seconds: float) -> None:
    """Send the body bit by bit."""
    await send(answer.start)
    step = max(1, -(-len(answer.body) // _CHUNKS))
    for start in range(0, len(answer.body), step):
        await send({"type": "http.response.body", "body": answer.body[start : start + step], "more_body": True})
        await asyncio.sleep(seconds / _CHUNKS)
    await send({"type": "http.response.body", "body": b""})


async def drop(scope: Scope) -> None:
    """Break the connection."""
    _transport(scope).abort()
    # The server must notice the loss before the call ends, or it reports a missing answer.
    await asyncio.sleep(0.01)


def _transport(scope: Scope) -> asyncio.Transport:
    transport: asyncio.Transport | None = scope.get("extensions", {}).get(TRANSPORT)
    if transport is None:
        raise RuntimeError("breaking connections needs the server of sandbox.kit.server")
    return transport
