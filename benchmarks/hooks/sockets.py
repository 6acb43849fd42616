"""Subscribers: killed and resumed again and again, and a thousand of them at once."""

import argparse
import asyncio
import os
import random
import sys
import time
from typing import Any

import orjson
import psutil
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from benchmarks.hooks.stage import Processes, Stage, connection_token, percentile, port
from tests.protocol.node import installed, node

DOCUMENT = "subscription ($after: String) { events(afterSequence: $after) { sequence type data } }"
NPM = """
import { createClient } from "graphql-ws";
import WebSocket from "ws";
const [url, authorization, after, query] = process.argv.slice(2);
const client = createClient({ url, webSocketImpl: WebSocket, connectionParams: { authorization }, retryAttempts: 0 });
for await (const answer of client.iterate({ query, variables: { after } })) console.log(answer.data.events.sequence);
"""
GQL = """
import asyncio, sys
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport
url, authorization, after, query = sys.argv[1:]
async def main():
    transport = WebsocketsTransport(url=url, init_payload={"authorization": authorization})
    async with Client(transport=transport, fetch_schema_from_transport=False) as session:
        request = gql(query)
        request.variable_values = {"after": after}
        async for told in session.subscribe(request):
            print(told["events"]["sequence"], flush=True)
asyncio.run(main())
"""


async def api(processes: Processes) -> tuple[str, int]:
    """Start an API process; gives its address and process id."""
    number = port()
    process = processes.start("crosshead", "serve", "--port", str(number))
    url = f"http://127.0.0.1:{number}"
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", number)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return url.replace("http", "ws") + "/graphql", process.pid
    raise SystemExit("the API did not start")


async def resumed(stage: Stage, url: str, asked: argparse.Namespace) -> dict[str, Any]:
    """Follow with clients of others, killed while events are committed; gives what each of them has in the end."""
    folder = installed()
    scripts = {"npm": folder / f"resume.{os.getpid()}.mjs", "gql": stage.folder / "resume.py"}
    scripts["npm"].write_text(NPM, encoding="utf-8")
    scripts["gql"].write_text(GQL, encoding="utf-8")
    commands = {"npm": [str(node()), str(scripts["npm"])], "gql": [sys.executable, str(scripts["gql"])]}
    told: dict[str, Any] = {}
    for (name, command), own in zip(commands.items(), stage.owns[-2:], strict=True):
        got, kills = await _resuming(stage, url, command, own, asked)
        wanted = list(map(str, range(1, asked.followed + 1)))
        told |= {f"{name}Kills": kills, f"{name}ExactlyOnce": got == wanted, f"{name}Events": len(got)}
    scripts["npm"].unlink()
    return told


async def _resuming(
    stage: Stage, url: str, command: list[str], own: Any, asked: argparse.Namespace
) -> tuple[list[str], int]:
    _, token = await connection_token(stage, own)
    got: list[str] = []
    kills, lot = 0, random.Random(3)

    async def committing() -> None:
        for _ in range(asked.followed // 20):
            await stage.commit(own, 20)
            await asyncio.sleep(asked.follow_seconds / (asked.followed / 20))

    task = asyncio.create_task(committing())
    until = time.monotonic() + asked.follow_seconds * 4 + 120
    while (len(got) < asked.followed or kills < asked.client_kills) and time.monotonic() < until:
        after = got[-1] if got else "0"
        process = await asyncio.create_subprocess_exec(
            *command, url, token, after, DOCUMENT, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        most = (
            lot.randrange(1, max(2, 2 * asked.followed // asked.client_kills)) if kills < asked.client_kills else 10**9
        )
        try:
            async with asyncio.timeout(30 if len(got) < asked.followed else 0.5):
                for _ in range(most):
                    line = await process.stdout.readline()
                    if not line or len(got) >= asked.followed:
                        break
                    got.append(line.decode().strip())
                    if len(got) >= asked.followed and kills >= asked.client_kills:
                        break
        except TimeoutError:
            pass
        if process.returncode is None:
            process.kill()
        kills += 1
        rest = (await process.stdout.read()).decode().split("\n")[:-1]  # what it had printed when it was killed
        got.extend(rest)
        await process.wait()
    await task
    return got, kills


async def crowd(stage: Stage, url: str, pid: int, asked: argparse.Namespace) -> dict[str, Any]:
    """Open many subscriptions of one stream, and measure their memory and how soon each hears of an event."""
    own = stage.owns[0]
    _, token = await connection_token(stage, own)
    before = psutil.Process(pid).memory_info().rss
    late: list[float] = []
    sent: dict[str, float] = {}
    open_now = 0
    full = asyncio.Event()

    async def follow() -> None:
        nonlocal open_now
        async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], compression=None) as socket:
            await socket.send(orjson.dumps({"type": "connection_init", "payload": {"authorization": token}}).decode())
            await socket.recv()
            payload = {"query": DOCUMENT, "variables": {}}
            await socket.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
            open_now += 1
            if open_now == asked.sockets:
                full.set()
            async for text in socket:
                at = time.time()
                told = orjson.loads(text)
                if told["type"] == "next":
                    late.append(at - sent[told["payload"]["data"]["events"]["sequence"]])

    tasks = []
    for n in range(asked.sockets):
        tasks.append(asyncio.create_task(follow()))
        if n % 20 == 19:
            await asyncio.sleep(0.1)
    await full.wait()
    await asyncio.sleep(3)
    after = psutil.Process(pid).memory_info().rss
    for _ in range(asked.published):
        last = (
            await stage.parts.database.at_once(
                "SELECT last_sequence AS n FROM event_counter WHERE stream_id = :s::uuid", {"s": own.connection_id}
            )
        )[0]["n"]
        sent[str(last + 1)] = time.time()
        await stage.commit(own, 1)
        until = time.monotonic() + 10
        while len(late) < asked.sockets * len(sent) and time.monotonic() < until:  # noqa: ASYNC110  (many at once)
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return {
        "sockets": asked.sockets,
        "bytesPerSocket": round((after - before) / asked.sockets),
        "published": asked.published,
        "received": len(late),
        "publishToReceiveP50": percentile(late, 0.5),
        "publishToReceiveP99": percentile(late, 0.99),
    }
