"""How fast reads are beside PostGraphile, plain Strawberry over SQLModel, and a hand-written route.

    uv run --group bench python -m benchmarks.read --peer postgraphile [--orders 100000] [--most-orders 1000000]

All four read the same rows in one embedded PostgreSQL with the product's own indexes: a page of 50 orders with
vendor, addresses, custom fields and five lines, and one order by its id. Each is one process; the load, at
concurrency 8, comes from another and goes to one of them at a time, in turn, for several rounds. The product and the
hand-written route look a bearer token up and read under row-level security; PostGraphile and plain Strawberry do no
authentication at all and read as the superuser, which favours them. Then page 1,000 of a cursor walk is timed beside
page 1 in every sort, and the page and the order once more with ten times the rows. Prints a table, then the figures
as one JSON object on the last line; exits 1 where a bar falls short.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import asyncpg
from rich.console import Console
from rich.table import Table

from benchmarks.counts import COUNT
from benchmarks.reads import questions, rows, stage
from benchmarks.reads.questions import Question
from benchmarks.reads.rows import Filled
from benchmarks.reads.stage import Server, python, server
from benchmarks.reads.walk import Walker
from crosshead.dev.servers import LOGIN
from crosshead.embedded.postgres import EmbeddedPostgres
from crosshead.embedded.redis import EmbeddedRedis
from db.engine import Database
from db.migrate import migrate

CONCURRENCY: Final = 8
ROUNDS: Final = 5
SECONDS: Final = 4.0
SEED_ORDERS: Final = 10_000
BARS: Final = {
    "pageOverPostgraphile": 2.5,
    "pageOverCeiling": 0.85,
    "oneOverPostgraphile": 1.5,
    "deepest": 1.2,
    "grown": 1.2,
}
"""The last two are upper bounds: page 1,000 over page 1, and time with ten times the rows over time before."""

Figures = dict[str, dict[str, dict[str, float]]]


@contextlib.contextmanager
def servers(postgres: EmbeddedPostgres, redis_url: str, filled: Filled) -> Iterator[list[Server]]:
    """Run the four servers."""
    own, superuser = str(filled.own.connection_id), postgres.superuser_dsn(LOGIN)
    login = postgres.dsn(LOGIN, user=LOGIN, password="benchmark")  # noqa: S106  (a throw-away cluster)
    env = {
        "CROSSHEAD_DATABASE_URL": login,
        "CROSSHEAD_REDIS_URL": redis_url,
        "CROSSHEAD_MASTER_KEYS": stage.MASTER_KEY,
        # The walk and the load read more than any customer may.
        "CROSSHEAD_RATE_CAPACITY_POINTS": "1000000000",
        "CROSSHEAD_RATE_RESTORE_POINTS_PER_SECOND": "1000000000",
    }
    commands = {
        "crosshead": python("benchmarks.reads.ours"),
        "ceiling": python("benchmarks.reads.ceiling", login),
        "plain": python("benchmarks.reads.plain", superuser, own),
        "postgraphile": [stage.node(), str(stage.peer_folder() / "server.mjs"), superuser],
    }
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(server(name, command, env=env)) for name, command in commands.items()]


def load(target: Server, asked: Question, *, token: str, seconds: float) -> dict[str, float]:
    """Ask one server for a while from another process."""
    told = {
        "url": target.url,
        "headers": {"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        "paths": asked.paths,
        "bodies": asked.bodies,
        "concurrency": CONCURRENCY,
        "seconds": seconds,
        "warm_seconds": 1.0,
    }
    done = subprocess.run(
        python("benchmarks.reads.load"), input=json.dumps(told), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{target.name}: {done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def rounds(
    running: list[Server], asked: Mapping[str, Mapping[str, Question]], *, token: str, count: int
) -> dict[str, dict[str, list[dict[str, float]]]]:
    """Ask all servers in turn, several times."""
    found: dict[str, dict[str, list[dict[str, float]]]] = {s.name: {"page": [], "one": []} for s in running}
    for _ in range(count):
        for kind in ("page", "one"):
            for each in running:
                found[each.name][kind].append(load(each, asked[each.name][kind], token=token, seconds=SECONDS))
    return found


def middle(found: Mapping[str, Mapping[str, list[dict[str, float]]]]) -> Figures:
    """Give each figure's median over the rounds."""
    return {
        name: {
            kind: {key: statistics.median(each[key] for each in told) for key in ("rate", "p50", "p99", "bytes")}
            for kind, told in kinds.items()
        }
        for name, kinds in found.items()
    }


async def some_ids(dsn: str, filled: Filled) -> list[Any]:
    """Give 500 orders' ids, from all over the table."""
    connection = await asyncpg.connect(dsn)
    try:
        return [
            each["id"]
            for each in await connection.fetch(
                "SELECT id FROM purchase_order WHERE connection_id = $1 ORDER BY content_hash, md5(id::text) LIMIT 500",
                filled.own.connection_id,
            )
        ]
    finally:
        await connection.close()


def questions_of(filled: Filled, ids: list[Any]) -> dict[str, dict[str, Question]]:
    """Give each server's questions."""
    if filled.own.connection_id is None:
        raise TypeError("the rows belong to a connection")
    return {
        "crosshead": questions.crosshead(ids),
        "ceiling": questions.ceiling(ids),
        "plain": questions.plain(ids),
        "postgraphile": questions.postgraphile(filled.own.connection_id, ids),
    }


async def walk(target: Server, token: str) -> dict[str, dict[str, float]]:
    """Compare page 1,000 with page 1 in every sort."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
        walker = Walker(http, target.url)
        return {f"{s['field']} {s['direction']}": await walker.compare(s) for s in await walker.sorts()}


async def prepare(postgres: EmbeddedPostgres, login: str, orders: int) -> Filled:
    """Migrate, and store the first orders."""
    await migrate(login)
    database = Database.open(login, application="benchmark")
    filled = await rows.make_connection(database)
    await database.close()
    superuser = postgres.superuser_dsn(LOGIN)
    await rows.fill(superuser, filled.own, first=0, count=min(SEED_ORDERS, orders))
    await rows.grow(superuser, filled.own, copies=orders // SEED_ORDERS - 1)
    return filled


def measure(folder: Path, *, orders: int, most: int) -> dict[str, Any]:
    """Measure everything."""
    with EmbeddedPostgres(folder / "postgres") as postgres, EmbeddedRedis(folder / "redis") as redis:
        postgres.ensure_role(LOGIN, "benchmark", createrole=True)
        postgres.ensure_database(LOGIN, LOGIN)
        login = postgres.dsn(LOGIN, user=LOGIN, password="benchmark")  # noqa: S106  (a throw-away cluster)
        superuser = postgres.superuser_dsn(LOGIN)
        filled = asyncio.run(prepare(postgres, login, orders))
        with servers(postgres, redis.url, filled) as running:
            ours = running[:1]
            asked = questions_of(filled, asyncio.run(some_ids(superuser, filled)))
            figures: dict[str, Any] = {"small": middle(rounds(running, asked, token=filled.token, count=ROUNDS))}
            figures["walk"] = asyncio.run(walk(ours[0], filled.token))
            if most > orders:
                asyncio.run(rows.grow(superuser, filled.own, copies=most // orders - 1))
                asked = questions_of(filled, asyncio.run(some_ids(superuser, filled)))
                figures["large"] = middle(rounds(ours, asked, token=filled.token, count=ROUNDS))
    return figures


def judge(figures: dict[str, Any]) -> dict[str, float]:
    """Give the figures that have a bar."""
    small: Figures = figures["small"]

    def ratio(peer: str, kind: str) -> float:
        return round(small["crosshead"][kind]["rate"] / small[peer][kind]["rate"], 3)

    judged = {
        "pageOverPostgraphile": ratio("postgraphile", "page"),
        "pageOverCeiling": ratio("ceiling", "page"),
        "oneOverPostgraphile": ratio("postgraphile", "one"),
        "deepest": max(each["ratio"] for each in figures["walk"].values()),
    }
    if "large" in figures:
        large: Figures = figures["large"]
        judged["grown"] = max(
            round(large["crosshead"][kind]["p50"] / small["crosshead"][kind]["p50"], 3) for kind in ("page", "one")
        )
    return judged


def short(judged: Mapping[str, float]) -> list[str]:
    """Name the bars that are missed."""
    upper = {"deepest", "grown"}
    return [name for name, told in judged.items() if (told > BARS[name] if name in upper else told < BARS[name])]


def report(figures: dict[str, Any], *, orders: int, most: int) -> int:
    """Print the tables and the JSON line; give the exit code."""
    console = Console()
    table = Table("server", "question", "requests/s", "p50 ms", "p99 ms", "bytes")
    for size, count in (("small", orders), ("large", most)):
        for name, kinds in figures.get(size, {}).items():
            for kind, told in kinds.items():
                question = f"{kind}, {count:,} orders"
                table.add_row(name, question, *(str(told[key]) for key in ("rate", "p50", "p99", "bytes")))
    console.print(table)
    walked = Table("sort", "page 1 ms", "page 1,000 ms", "ratio")
    for sort, told in figures["walk"].items():
        walked.add_row(sort, *(str(value) for value in told.values()))
    console.print(walked)
    judged = judge(figures)
    missed = short(judged)
    console.print(f"missed: {', '.join(missed) or 'none'}")
    day = datetime.now(UTC).date().isoformat()
    print(json.dumps({"day": day, "orders": orders, "judged": judged, "bars": BARS, "missed": missed, **figures}))
    return 1 if missed else 0


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", choices=["postgraphile"], default="postgraphile")
    parser.add_argument("--orders", type=COUNT, default=100_000)
    parser.add_argument("--most-orders", type=COUNT, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), orders=asked.orders, most=asked.most_orders)
    return report(figures, orders=asked.orders, most=asked.most_orders)


if __name__ == "__main__":
    sys.exit(main())
