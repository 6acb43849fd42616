"""Whether documents that were written to hold the server up do so.

    uv run python -m benchmarks.hostile [--orders 20000] [--rounds 10]

The API is one process on PostgreSQL with fsync on and Redis, over orders with five lines each. One caller sends every
document of tests/fixtures/hostile.py, one after the other and without a pause, for several rounds; another asks
`{ viewer { __typename } }` ten times a second, each on time whether or not the last one was answered. Bars: each
document answered within 250 ms, the viewer's p99 under 100 ms, no 5xx, the process grown by less than 50 MB between its
first answered round and its last. Prints a table, then the figures as one JSON object on the last line; exits 1 where a
bar falls short.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.counts import COUNT
from benchmarks.reads import rows, stage
from benchmarks.reads.stage import Server, python, server
from crosshead.dev.servers import LOGIN
from crosshead.embedded.postgres import EmbeddedPostgres
from crosshead.embedded.redis import EmbeddedRedis
from db.engine import Database
from db.migrate import migrate
from tests.fixtures.hostile import Hostile, hostile_documents

VIEWER: Final = b'{"query": "{ viewer { __typename } }"}'
EVERY_SECONDS: Final = 0.1
BARS: Final = {"slowestMs": 250, "viewerP99Ms": 100, "failures": 0, "grownMB": 50}


@dataclass(slots=True)
class Told:
    """What was measured: seconds per document and per question of the viewer, and answers of 5xx."""

    documents: dict[str, float] = field(default_factory=dict)
    viewer: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


async def ask(http: aiohttp.ClientSession, target: Server, token: str, body: bytes) -> tuple[float, int, Any]:
    """Send a body; gives seconds, status and answer."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    began = time.perf_counter()
    async with http.post(f"{target.url}/graphql", data=body, headers=headers) as answer:
        text = await answer.read()
    return time.perf_counter() - began, answer.status, json.loads(text)


async def attack(target: Server, token: str, documents: list[Hostile], told: Told) -> None:
    """Send every document once."""
    async with aiohttp.ClientSession() as http:
        for each in documents:
            seconds, status, body = await ask(http, target, token, each.body)
            told.documents[each.name] = max(told.documents.get(each.name, 0.0), seconds)
            codes = {error["extensions"]["code"] for error in body.get("errors", ())}
            if status >= 500:
                told.failures.append(each.name)
            elif codes != ({each.code} if each.code else set()):
                told.wrong.append(each.name)


async def look(target: Server, token: str, told: Told) -> None:
    """Ask who asks, ten times a second, until cancelled."""
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:

        async def once() -> None:
            seconds, status, _ = await ask(http, target, token, VIEWER)
            told.viewer.append(seconds)
            if status != 200:
                told.failures.append("viewer")

        while True:
            group.create_task(once())
            await asyncio.sleep(EVERY_SECONDS)


async def measure(target: Server, token: str, *, rounds: int) -> dict[str, Any]:
    """Attack and look on; the first round warms up, and is measured for nothing but answers."""
    documents, process = hostile_documents(), psutil.Process(target.pid)
    first, told = Told(), Told()
    await attack(target, token, documents, first)
    before = process.memory_info().rss
    looking = asyncio.create_task(look(target, token, told))
    began = time.perf_counter()
    for _ in range(rounds):
        await attack(target, token, documents, told)
    seconds = time.perf_counter() - began
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    viewer = sorted(told.viewer)
    slowest = sorted(told.documents.items(), key=lambda each: -each[1])
    return {
        "documents": len(documents),
        "rounds": rounds,
        "seconds": round(seconds, 1),
        "slowest": {name: round(took * 1000) for name, took in slowest[:10]},
        "slowestMs": round(slowest[0][1] * 1000, 1),
        "viewerAsked": len(viewer),
        "viewerP50Ms": round(viewer[len(viewer) // 2] * 1000, 1),
        "viewerP99Ms": round(viewer[int(len(viewer) * 0.99)] * 1000, 1),
        "failures": len(first.failures + told.failures),
        "wrong": sorted({*first.wrong, *told.wrong}),
        "grownMB": round((process.memory_info().rss - before) / 2**20, 1),
    }


async def prepare(postgres: EmbeddedPostgres, *, orders: int) -> str:
    """Store the orders; gives the connection's token."""
    database = Database.open(postgres.dsn(LOGIN, user=LOGIN, password="benchmark"))  # noqa: S106  (throw-away)
    filled = await rows.make_connection(database)
    await rows.fill(postgres.superuser_dsn(LOGIN), filled.own, first=0, count=orders)
    await database.close()
    return filled.token


def run(*, orders: int, rounds: int) -> dict[str, Any]:
    """Set everything up and measure."""
    with (
        tempfile.TemporaryDirectory() as name,
        EmbeddedPostgres(Path(name) / "postgres") as postgres,
        EmbeddedRedis(Path(name) / "redis") as redis,
    ):
        postgres.ensure_role(LOGIN, "benchmark", createrole=True)
        postgres.ensure_database(LOGIN, LOGIN)
        login = postgres.dsn(LOGIN, user=LOGIN, password="benchmark")  # noqa: S106  (throw-away)
        asyncio.run(migrate(login))
        token = asyncio.run(prepare(postgres, orders=orders))
        env = {
            "CROSSHEAD_DATABASE_URL": login,
            "CROSSHEAD_REDIS_URL": redis.url,
            "CROSSHEAD_MASTER_KEYS": stage.MASTER_KEY,
            # One token sends it all: what the points refuse would not be seen.
            "CROSSHEAD_RATE_CAPACITY_POINTS": "1000000000",
            "CROSSHEAD_RATE_RESTORE_POINTS_PER_SECOND": "1000000000",
        }
        with server("crosshead", python("benchmarks.reads.ours"), env=env) as target:
            return asyncio.run(measure(target, token, rounds=rounds))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=COUNT, default=20_000)
    parser.add_argument("--rounds", type=COUNT, default=10)
    given = parser.parse_args()
    figures = run(orders=given.orders, rounds=given.rounds)
    table = Table("what", "measured", "bar")
    for what, bar in BARS.items():
        table.add_row(what, f"{figures[what]}", f"{bar}")
    table.add_row("viewer p50, ms", f"{figures['viewerP50Ms']}", "")
    for name, took in figures["slowest"].items():
        table.add_row(f"  {name}", f"{took} ms", "")
    Console().print(table)
    held = all(figures[what] <= bar for what, bar in BARS.items()) and not figures["wrong"]
    load = round(os.getloadavg()[0], 1)
    told = {"orders": given.orders, "day": datetime.now(UTC).date().isoformat(), "load": load, "held": held}
    print(json.dumps(told | figures))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
