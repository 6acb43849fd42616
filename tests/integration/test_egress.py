"""The way out: what was sent is sent once, and each failure says how far the call got."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from connectors.egress import Egress, Request
from connectors.errors import BadResponse, SourceUnavailable
from tests.fixtures.egress import LOOPBACK


@asynccontextmanager
async def dropping_server(answers: list[bytes | None]) -> AsyncIterator[tuple[str, list[str]]]:
    """Answer each request with the next of `answers`; None drops the connection after reading it."""
    seen: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                seen.append(head.split(b" ", 1)[0].decode())
                answer = answers.pop(0)
                if answer is None:
                    return
                writer.write(answer)
                await writer.drain()
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/", seen


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize("method", ["DELETE", "PUT", "POST", "PATCH"])
async def test_a_write_whose_answer_is_lost_is_sent_once(method: str) -> None:
    """Without `_retry_connection = False` in Egress.open, DELETE and PUT arrive twice and this fails."""
    async with dropping_server([None, None]) as (url, seen), Egress.open(guard=LOOPBACK) as egress:
        with pytest.raises(SourceUnavailable) as failed:
            await egress.send(Request(method, url, safe=False))

    assert (failed.value.reason, failed.value.sent) == ("RESET", True)
    assert seen == [method]


async def test_a_read_on_a_connection_that_the_source_had_closed_is_sent_again() -> None:
    async with dropping_server([OK, None, OK]) as (url, seen), Egress.open(guard=LOOPBACK) as egress:
        await egress.send(Request("GET", url))
        answer = await egress.send(Request("GET", url))

    assert (answer.status, answer.json()) == (200, {})
    assert seen == ["GET", "GET", "GET"]


async def test_nobody_listening_is_told_as_connect_and_nothing_was_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with Egress.open(guard=LOOPBACK) as egress:
            with pytest.raises(SourceUnavailable) as failed:
                await egress.send(Request("POST", f"http://127.0.0.1:{taken.getsockname()[1]}/", safe=False))

    assert (failed.value.reason, failed.value.sent) == ("CONNECT", False)


async def test_an_unknown_host_is_told_as_dns() -> None:
    async with Egress.open(guard=LOOPBACK) as egress:
        with pytest.raises(SourceUnavailable) as failed:
            await egress.send(Request("GET", "http://no-such-host.invalid/"))

    assert (failed.value.reason, failed.value.sent) == ("DNS", False)


async def test_a_server_without_tls_is_told_as_tls() -> None:
    async def speak_plainly(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(speak_plainly, "127.0.0.1", 0)
    async with server, Egress.open(guard=LOOPBACK) as egress:
        with pytest.raises(SourceUnavailable) as failed:
            await egress.send(Request("GET", f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"))

    assert (failed.value.reason, failed.value.sent) == ("TLS", False)


async def test_a_redirect_is_not_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
    async with dropping_server([moved]) as (url, seen), Egress.open(guard=LOOPBACK) as egress:
        answer = await egress.send(Request("GET", url))

    assert answer.status == 302
    assert seen == ["GET"]


async def test_an_answer_that_is_not_json_is_told_as_a_bad_response() -> None:
    html = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"
    async with dropping_server([html]) as (url, _), Egress.open(guard=LOOPBACK) as egress:
        answer = await egress.send(Request("GET", url))
        with pytest.raises(BadResponse):
            answer.json()
