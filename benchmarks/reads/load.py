"""Load from a process of its own: asks for a while at a fixed concurrency, and tells rate and percentiles.

Reads one JSON object from its input: url, headers, bodies (a list that is walked in turn; null asks by GET), paths,
concurrency, seconds, warm_seconds. Prints one JSON object.

Requests are made beforehand and answers only taken apart as far as it must be, so that the machine's cores are left to
the servers: a client of aiohttp takes longer for a request than the slower of them takes for an answer.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import httptools
import uvloop


def requests(asked: Mapping[str, Any]) -> Iterator[bytes]:
    """Give the requests as they are sent, in turn and for ever."""
    host = urlsplit(asked["url"]).netloc
    headers = "".join(f"{name}: {value}\r\n" for name, value in {"Host": host, **asked["headers"]}.items())
    made = []
    for path, body in zip(asked["paths"], asked["bodies"], strict=True):
        method, sent = ("GET", b"") if body is None else ("POST", body.encode())
        length = f"Content-Length: {len(sent)}\r\n" if sent else ""
        made.append(f"{method} {path} HTTP/1.1\r\n{headers}{length}\r\n".encode() + sent)
    return itertools.cycle(made)


class Client(asyncio.Protocol):
    """One connection: asks, takes the answer, asks again.

    Args:
        sent: The requests, shared with the other connections.
        counting_from: When answers begin to count, by `time.perf_counter`.
        until: When the last request is sent.
        took: Is told the seconds that each answer took.
    """

    def __init__(self, sent: Iterator[bytes], counting_from: float, until: float, took: list[float]) -> None:
        self._sent = sent
        self._counting_from = counting_from
        self._until = until
        self._took = took
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self._began = 0.0
        self.size = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer."""
        try:
            self._parser.feed_data(data)
        except Exception as error:  # noqa: BLE001  (whatever it is, this connection's work is over)
            self._fail(error)

    def on_body(self, body: bytes) -> None:
        """Keep a part of a body."""
        self._body += body

    def on_message_complete(self) -> None:
        """Look at an answer, and ask again."""
        status = self._parser.get_status_code()
        if status != 200 or b'"errors"' in self._body[:200]:
            raise RuntimeError(f"{status}: {bytes(self._body[:500])!r}")
        if self._began >= self._counting_from:
            self._took.append(time.perf_counter() - self._began)
            self.size = len(self._body)
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """End; before its time, by failing."""
        self._fail(exc or RuntimeError("the server has closed the connection"))

    def _ask(self) -> None:
        self._body.clear()
        self._began = time.perf_counter()
        if self._began < self._until:
            self._transport.write(next(self._sent))
        elif not self.done.done():
            self.done.set_result(None)

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


async def measure(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Ask, and tell what it took."""
    loop, at, sent, took = asyncio.get_running_loop(), urlsplit(asked["url"]), requests(asked), list[float]()
    counting_from = time.perf_counter() + asked["warm_seconds"]
    until = counting_from + asked["seconds"]
    clients = []
    for _ in range(asked["concurrency"]):
        _, client = await loop.create_connection(lambda: Client(sent, counting_from, until, took), at.hostname, at.port)
        clients.append(client)
    await asyncio.gather(*(each.done for each in clients))
    took.sort()
    return {
        "rate": round(len(took) / asked["seconds"], 1),
        "p50": round(took[len(took) // 2] * 1000, 2),
        "p99": round(took[int(len(took) * 0.99)] * 1000, 2),
        "bytes": clients[0].size,
    }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(measure(json.load(sys.stdin)))))
