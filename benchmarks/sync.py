"""How fast a sync is beside dlt, and whether its memory stays flat.

    uv run --group bench python -m benchmarks.sync --peer dlt [--orders 20000] [--rounds 3] [--memory-orders 500000]

Both load the same orders (five lines, a vendor, two addresses, about 1.9 kB of JSON) from the same pages in memory into
one embedded PostgreSQL with fsync on: the product by its real engine, with leases, fences, hash compare, raw items,
history and events in one transaction a page; dlt by its merge disposition, as its documentation recommends. Then both
load all of it again with one order in a hundred changed. Each is a process of its own; they take turns, for several
rounds, and the ratios are the medians of the rounds. Beside them: dlt in the quickest way that it documents and in one
beyond that (see benchmarks/syncs/peer.py), and what Postgres takes by COPY alone of finished rows, with nothing of what
makes a sync.
Last the product loads `--memory-orders` made page by page: how much its process grows from 20,000 orders on.

Prints a table, then the figures as one JSON object on the last line; exits 1 where a bar falls short.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.counts import COUNT, PART
from benchmarks.syncs import ceiling, ours
from benchmarks.syncs.orders import PAGE
from crosshead.dev.servers import LOGIN
from crosshead.embedded.postgres import EmbeddedPostgres
from crosshead.embedded.redis import EmbeddedRedis
from db.migrate import migrate

PASSWORD: Final = "benchmark"  # noqa: S105  (of a throw-away cluster)
FIRST_GOAL: Final = 5.0
BARS: Final = {"firstOverPeer": 4.0, "secondOverPeer": 15.0}
MOST_GROWN: Final = 50.0
PEERS: Final = {"dlt": "recommended", "dltCsv": "csv", "dltUncompressed": "uncompressed"}
"""The bars are over the first; the others are shown beside it."""
LOADS: Final = ("first", "second")
MEMORY_ORDERS: Final = f"a multiple of {PAGE:,}, {ours.WARM_ORDERS:,} or more"

Round = dict[str, dict[str, Any]]


def child(module: str, *arguments: str, env: dict[str, str]) -> dict[str, Any]:
    """Run a contender in a process of its own; gives the JSON object that it prints last."""
    ran = subprocess.run(
        [sys.executable, "-m", module, *arguments], env={**os.environ, **env}, stdout=subprocess.PIPE, check=True
    )
    told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return told


def rounds_of(given: argparse.Namespace, url: str, superuser: str, env: dict[str, str], folder: Path) -> list[Round]:
    """Let all take turns."""
    told = []
    for number in range(given.rounds):
        orders = ("--orders", str(given.orders))
        seen: Round = {"ours": child("benchmarks.syncs.ours", "load", *orders, env=env)}
        if given.peer:
            peer = ("benchmarks.syncs.peer", "--url", url, *orders, "--folder", str(folder / "dlt"))
            for name, like in PEERS.items():
                seen[name] = child(*peer, "--name", f"{like}_{number}", "--settings", like, env={})
        seconds = asyncio.run(ceiling.copied(superuser, given.orders))
        seen["copyOnly"] = {"first": {"fetched": given.orders, "seconds": round(seconds, 3)}}
        for name, loads in seen.items():
            print(number + 1, name, {load: rate(told) for load, told in loads.items()}, file=sys.stderr, flush=True)
        told.append(seen)
    return told


def rate(load: dict[str, Any]) -> int:
    """Give orders per second."""
    rated: int = round(load["fetched"] / load["seconds"])
    return rated


def ratios(rounds: list[Round]) -> dict[str, float]:
    """Give how many times the peer's orders per second ours are, for each way to set it up."""
    names = {"dlt": "OverPeer"} | {name: f"Over{name[0].upper()}{name[1:]}" for name in PEERS if name != "dlt"}
    return {
        f"{load}{told}": round(statistics.median(rate(r["ours"][load]) / rate(r[name][load]) for r in rounds), 2)
        for name, told in names.items()
        for load in LOADS
        if name in rounds[0]
    }


def whole(rounds: list[Round], orders: int) -> bool:
    """Tell whether everybody stored everything."""
    changed = -(-orders // 100)
    for seen in rounds:
        first, second = (seen["ours"][load] for load in LOADS)
        ours = (first["status"], first["created"], second["status"], second["updated"], second["created"])
        peers = [load for name in PEERS if name in seen for load in seen[name].values()]
        if ours != ("SUCCEEDED", orders, "SUCCEEDED", changed, 0):
            return False
        if any((load["fetched"], load["lines"]) != (orders, 5 * orders) for load in peers):
            return False
    return True


def measure(given: argparse.Namespace) -> tuple[list[Round], dict[str, Any]]:
    """Start the servers and measure: the rounds, and the long run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with EmbeddedPostgres(folder / "postgres") as postgres, EmbeddedRedis(folder / "redis") as redis:
            postgres.ensure_role(LOGIN, PASSWORD, createrole=True)
            postgres.ensure_database(LOGIN, LOGIN)
            url = postgres.dsn(LOGIN, user=LOGIN, password=PASSWORD)
            asyncio.run(migrate(url))
            env = {
                "CROSSHEAD_DATABASE_URL": url,
                "CROSSHEAD_REDIS_URL": redis.url,
                "CROSSHEAD_MASTER_KEYS": "b:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            }
            rounds = rounds_of(given, url, postgres.superuser_dsn(LOGIN), env, folder)
            long: dict[str, Any] = {}
            if given.memory_orders:
                long = child("benchmarks.syncs.ours", "memory", "--orders", str(given.memory_orders), env=env)
    return rounds, long


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", choices=["dlt"])
    parser.add_argument("--orders", type=COUNT, default=20_000)
    parser.add_argument("--rounds", type=COUNT, default=3)
    parser.add_argument("--memory-orders", type=PART, default=500_000, help=f"0 leaves it out; else {MEMORY_ORDERS}")
    given = parser.parse_args()
    if given.memory_orders % PAGE or 0 < given.memory_orders < ours.WARM_ORDERS:
        parser.error(f"argument --memory-orders: {given.memory_orders} is not {MEMORY_ORDERS}")
    rounds, long = measure(given)
    return report(given, rounds, long)


def report(given: argparse.Namespace, rounds: list[Round], long: dict[str, Any]) -> int:
    """Print the table and the JSON line; give the exit code."""
    medians = {
        name: {load: round(statistics.median(rate(seen[name][load]) for seen in rounds)) for load in loads}
        for name, loads in rounds[0].items()
    }
    table = Table("orders/s, median of the rounds", "first load", "1 % changed")
    for name, loads in medians.items():
        table.add_row(name, *(f"{loads[load]:,}" if load in loads else "" for load in LOADS))
    Console().print(table)
    told, complete = ratios(rounds), whole(rounds, given.orders)
    short = [name for name, bar in BARS.items() if name in told and told[name] < bar]
    if long and long["grown"] >= MOST_GROWN:
        short.append("memory")
    figures = {
        "day": datetime.now(UTC).date().isoformat(),
        "orders": given.orders,
        "ordersPerSecond": medians,
        **told,
        "firstGoalMet": told["firstOverPeer"] >= FIRST_GOAL if told else None,
        "complete": complete,
        "memory": long or None,
        "short": short,
        "rounds": rounds,
    }
    print(json.dumps(figures))
    return 1 if short or not complete else 0


if __name__ == "__main__":
    sys.exit(main())
