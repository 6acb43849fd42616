"""The receivers of docs/webhooks.md, as they stand there, and `crosshead listen`."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from crosshead.embedded.ports import free_port
from crosshead.listen import Listening, listen
from db import events
from db.events import NewEvent
from jobs.signing import new_secret, signed
from tests.factories.sync import make_event_counter
from tests.fixtures.listening import PROTOCOL
from tests.fixtures.reading import Shelf
from tests.fixtures.receiver import receiving
from tests.protocol.node import node

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Give the only block of a language on the page that verifies."""
    [found] = [code for code in re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL) if "Webhook" in code]
    return str(found)


@asynccontextmanager
async def running(folder: Path, language: str, secret: str, tmp_path: Path) -> AsyncIterator[tuple[str, Any]]:
    """Run a receiver of the page; gives its address and what it prints."""
    port = free_port()
    if language == "python":
        script = tmp_path / "receiver.py"
        command = [sys.executable, str(script)]
    else:
        script = folder / f"receiver.{os.getpid()}.ts"
        command = [str(node()), str(script)]
    script.write_text(block(language), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, "PORT": str(port), "WEBHOOK_SECRET": secret}, stdout=asyncio.subprocess.PIPE
    )
    try:
        await listens(port)
        yield f"http://127.0.0.1:{port}/hooks", process.stdout
    finally:
        process.kill()
        await process.wait()
        script.unlink()


async def listens(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


@pytest.mark.parametrize("language", ["python", "ts"])
async def test_a_receiver_of_the_page_takes_what_is_signed_once_and_nothing_else(
    node_folder: Path, tmp_path: Path, language: str
) -> None:
    secret, old = new_secret(), new_secret()
    body = b'{"type":"vendor.created","sequence":"7","id":"evt_1","data":{"name":"Gr\xc3\xbc\xc3\x9fe"}}'
    statuses = []

    async with running(node_folder, language, secret, tmp_path) as (url, printed), aiohttp.ClientSession() as http:

        async def post(secrets: list[str], sent: bytes, **headers: str) -> int:
            given = {**signed(secrets, webhook_id="evt_1", body=body, now=datetime.now(UTC)), **headers}
            async with http.post(url, data=sent, headers=given) as answer:
                return answer.status

        statuses.append(await post([secret], body))
        statuses.append(await post([old, secret], body))
        statuses.append(await post([old], body))
        statuses.append(await post([secret], body.replace(b"7", b"8")))
        statuses.append(await post([secret], body, **{"webhook-timestamp": "1"}))
        line = (await asyncio.wait_for(printed.readline(), 10)).decode().split()

    assert (statuses, line) == ([204, 204, 400, 400, 400], ["vendor.created", "7"])


async def test_listen_forwards_signed_events_and_goes_on_after_a_failure(shelf: Shelf) -> None:
    secret = new_secret()
    async with shelf.database.write(shelf.own) as session:
        await make_event_counter(session, scope=shelf.own, last_sequence=0)
    async with receiving() as receiver:
        receiver.answers = [500]
        command = [sys.executable, "-m", "crosshead", "listen", "--forward-to", f"{receiver.url}/hooks"]
        options = ["--url", shelf.product.url, "--after", "0", "--type", "vendor.created", "--secret", secret]
        process = await asyncio.create_subprocess_exec(
            *command,
            *options,
            env={**os.environ, "CROSSHEAD_KEY": shelf.token},
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with shelf.database.write(shelf.own) as session:
                told = [NewEvent(name, {"n": n}) for n, name in enumerate(("vendor.created", "vendor.updated") * 2)]
                await events.append(session, shelf.own, told)
            async with asyncio.timeout(30):
                while len(receiver.got) < 3:
                    receiver.came.clear()
                    await receiver.came.wait()
        finally:
            process.terminate()
            await process.wait()

    got = [each.verified_by(secret) for each in receiver.got]
    assert [(each["type"], each["connectionId"], each["data"]) for each in got] == [
        ("vendor.created", shelf.connection_id, {"n": 0}),
        ("vendor.created", shelf.connection_id, {"n": 0}),
        ("vendor.created", shelf.connection_id, {"n": 2}),
    ]
    assert len(set(receiver.ids())) == 2


async def test_listen_misses_nothing_where_its_socket_dies_before_the_first_event(shelf: Shelf) -> None:
    """Off: `or _BEYOND` in crosshead/listen.py: the event that was committed meanwhile never comes."""
    secret, upstream = new_secret(), shelf.product.url.replace("http:", "ws:") + "/graphql"
    followed: list[str | None] = []

    async def commit(n: int) -> None:
        async with shelf.database.write(shelf.own) as session:
            await events.append(session, shelf.own, [NewEvent("vendor.created", {"n": n})])

    async def between(listener: ServerConnection) -> None:
        """Pass messages on; the first subscription to what may come dies, and something comes just then."""
        async with connect(upstream, subprotocols=[PROTOCOL]) as api, asyncio.TaskGroup() as group:

            async def back() -> None:
                async for text in api:
                    await listener.send(text)

            passing = group.create_task(back())
            async for text in listener:
                told = orjson.loads(text)
                if told["type"] == "subscribe":
                    after = told["payload"]["variables"]["after"]
                    followed.extend([after] if len(after or "") < 18 else [])
                    if len(followed) == 1 and after == followed[0]:
                        await commit(1)
                        break
                await api.send(text)
            passing.cancel()

    async with shelf.database.write(shelf.own) as session:
        await make_event_counter(session, scope=shelf.own, last_sequence=0)
    await commit(0)
    async with receiving() as receiver, serve(between, "127.0.0.1", 0, subprotocols=[PROTOCOL]) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        asked = Listening(url, shelf.token, f"{receiver.url}/hooks", secret)
        listening = asyncio.create_task(listen(asked, lambda _: None))
        async with asyncio.timeout(10):
            await receiver.came.wait()
        listening.cancel()

    assert [each.verified_by(secret)["data"] for each in receiver.got] == [{"n": 1}]
    assert followed == ["1", "1"]
