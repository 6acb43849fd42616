"""`crosshead keys rotate` over 10,000 connections while callers need their credentials; then a row's ciphertext moves.

    uv run python -m benchmarks.keys [--connections 10000]

PostgreSQL with fsync on, an API with both master keys, a simulated source, eight callers of `checkConnection` and four
that open credentials as workers do. Then the old key is taken away and connections are called again; then sealed
credentials are moved between rows and called.

Prints a table, then the figures as one JSON object on the last line; exits 1 where a bar falls short.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Final

import aiohttp
import asyncpg
from rich.console import Console
from rich.table import Table

from benchmarks.counts import COUNT
from crosshead import compose
from crosshead.dev.servers import LOGIN
from crosshead.embedded.postgres import EmbeddedPostgres
from crosshead.embedded.redis import EmbeddedRedis
from crosshead.organizations import make_organization
from crosshead.settings import Settings
from db.engine import Database
from db.migrate import migrate
from tests.fixtures.ledger import Ledger
from tests.fixtures.ledger_connector import LedgerConnector
from tests.fixtures.many_secrets import BOTH, NEW_KEY, Traffic, rotate, store, swap
from tests.fixtures.product import Product, listening

SAMPLE: Final = 200
SWAPPED: Final = 20
BARS: Final[dict[str, tuple[str, Callable[[dict[str, Any]], bool]]]] = {
    "wrapped": ("all", lambda told: told["wrapped"] == told["connections"]),
    "underOldKey": ("0", lambda told: told["underOldKey"] == 0),
    "failedCalls": ("0", lambda told: told["failedCalls"] == 0),
    "callsMeanwhile": ("> 100", lambda told: told["callsMeanwhile"] > 100),
    "seconds": ("≤ 60", lambda told: told["seconds"] <= 60),
    "failedWithNewKeyOnly": ("0", lambda told: told["failedWithNewKeyOnly"] == 0),
    "movedThatOpened": ("0", lambda told: told["movedThatOpened"] == 0),
}


async def measure(settings: Settings, superuser: str, count: int) -> dict[str, Any]:
    """Rotate under traffic; gives the figures."""
    database = Database.open(str(settings.database_url), pool_size=6, application="benchmark")
    scope, key = await make_organization(database, name="Benchmark", credits_pool=0)
    systems = {"ledger": LedgerConnector()}
    told: dict[str, Any] = {"connections": count}
    async with Ledger.serve() as ledger, aiohttp.ClientSession() as http:
        both = settings.model_copy(update={"master_keys": type(settings.master_keys)(BOTH)})
        async with listening(compose.api(both, connectors=systems)) as url:
            made = await store(database, scope, ledger.url, count)
            traffic = Traffic(Product(url, key, scope, both, http), database, made)
            async with traffic.flowing(callers=8, openers=4):
                said, seconds = await rotate(settings)
        told |= {"wrapped": int(said.split()[0]), "seconds": round(seconds, 1), "failedCalls": len(traffic.failures)}
        told |= {"callsMeanwhile": traffic.checks + traffic.opened, "liveChecks": traffic.checks}
        told["failures"] = traffic.failures[:3]
        new = settings.model_copy(update={"master_keys": type(settings.master_keys)(NEW_KEY)})
        async with listening(compose.api(new, connectors=systems)) as url:
            after = Traffic(Product(url, key, scope, new, http), database, made)
            sample = Random(1).sample(made, SAMPLE + 2 * SWAPPED)
            for each in sample[:SAMPLE]:
                await after.check(each)
            told["failedWithNewKeyOnly"] = len(after.failures)
            moved = sample[SAMPLE:]
            await swap(superuser, list(zip(moved[::2], moved[1::2], strict=True)))
            before = after.checks
            for each in moved:
                await after.check(each)
            told["movedThatOpened"] = after.checks - before
    behind = await asyncpg.connect(superuser)
    told["underOldKey"] = await behind.fetchval("SELECT count(*) FROM connection_secret WHERE key_id <> 'newer'")
    await behind.close()
    await database.close()
    return told


def run(count: int) -> dict[str, Any]:
    """Set everything up and measure."""
    os.environ["CROSSHEAD_EGRESS_ALLOWED_CIDRS"] = "127.0.0.1/32"
    with (
        tempfile.TemporaryDirectory() as name,
        EmbeddedPostgres(Path(name) / "postgres") as postgres,
        EmbeddedRedis(Path(name) / "redis") as redis,
    ):
        postgres.ensure_role(LOGIN, "benchmark", createrole=True)
        postgres.ensure_database(LOGIN, LOGIN)
        url = postgres.dsn(LOGIN, user=LOGIN, password="benchmark")  # noqa: S106  (throw-away)
        asyncio.run(migrate(url))
        given = {"database_url": url, "redis_url": redis.url, "master_keys": BOTH, "log_level": "error", "port": 0}
        given |= {"rate_capacity_points": 10**9, "rate_restore_points_per_second": 10**9}
        return asyncio.run(measure(Settings.model_validate(given), postgres.superuser_dsn(LOGIN), count))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=COUNT, default=10_000)
    told = run(parser.parse_args().connections)
    table = Table("what", "measured", "bar")
    for name, (bar, _) in BARS.items():
        table.add_row(name, str(told[name]), bar)
    Console().print(table)
    held = all(holds(told) for _, holds in BARS.values())
    load = round(os.getloadavg()[0], 1)
    print(json.dumps(told | {"day": datetime.now(UTC).date().isoformat(), "load": load, "held": held}))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
