"""What is let in, and what stays open, once a connection is disconnected: 1,000 disconnects under load.

    uv run python -m benchmarks.revocation [--disconnects 1000] [--held 30]

Two API processes and a worker on PostgreSQL with fsync on, Redis, and a simulated source as a process of its own. Each
connection's token asks both processes without a pause while it is disconnected, and some times more; each listens on a
socket, at one of the two; of some, a sync waits for the source. Twenty are disconnected at once, while others read by
the organization's key. For the last tenth, Redis is stopped.

Bars: no request accepted that began after the reply, sockets closed within 1 s of it (5 s without Redis), held calls of
syncs cancelled within 5 s, and the credits' ledger exact: it sums up to what is in use, which never was more than the
pool, though a tenth more callers connected than there were credits for. Prints a table, then the figures as one JSON
object on the last line; exits 1 where a bar falls short.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.counts import at_least
from crosshead.dev.servers import LOGIN
from crosshead.embedded.postgres import EmbeddedPostgres
from crosshead.embedded.redis import EmbeddedRedis
from crosshead.settings import Settings
from db.migrate import migrate
from tests.fixtures.revocation_storm import RevocationStorm

KEY = "b:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
BARS: Final[dict[str, tuple[str, Callable[[dict[str, Any]], bool]]]] = {
    "disconnects": ("as many as asked", lambda told: told["disconnects"] == told["disconnectsAsked"]),
    "acceptedAfterTheReply": ("0", lambda told: told["acceptedAfterTheReply"] == 0),
    "sockets": ("all", lambda told: told["sockets"] == told["disconnectsAsked"]),
    "socketClosedWithinS": ("≤ 1", lambda told: told["socketClosedWithinS"] <= 1),
    "socketClosedWithinSWithoutRedis": ("≤ 5", lambda told: told["socketClosedWithinSWithoutRedis"] <= 5),
    "syncsStoppedWithinS": ("≤ 5", lambda told: told["syncsStoppedWithinS"] <= 5),
    "syncsStoppedWithinSWithoutRedis": ("≤ 5", lambda told: told["syncsStoppedWithinSWithoutRedis"] <= 5),
    "ordersStored": ("0", lambda told: told["ordersStored"] == 0),
    "connectsRefused": ("a tenth", lambda told: told["connectsRefused"] == max(told["disconnectsAsked"] // 10, 2)),
    "poolExceeded": ("0", lambda told: told["poolExceeded"] == 0),
    "ledgerDiffers": ("0", lambda told: told["ledgerDiffers"] == 0),
}


async def measure(
    settings: Settings, superuser: str, redis: EmbeddedRedis, *, disconnects: int, held: int
) -> dict[str, Any]:
    """Let the storm blow; gives its figures."""
    async with RevocationStorm.open(settings, superuser, redis, disconnects=disconnects, held=held) as storm:
        began = time.perf_counter()
        await storm.blow()
        told = await storm.figures()
        return {"seconds": round(time.perf_counter() - began, 1), "disconnectsAsked": disconnects, **told}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--disconnects", type=at_least(20), default=1000, help="how many, 20 at least")
    parser.add_argument(
        "--held",
        type=at_least(1, most=30),
        default=30,
        help="how many have syncs under way, with and without Redis, 30 at most",
    )
    asked = parser.parse_args()
    os.environ["CROSSHEAD_EGRESS_ALLOWED_CIDRS"] = "127.0.0.1/32"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with EmbeddedPostgres(folder / "postgres") as postgres, EmbeddedRedis(folder / "redis") as redis:
            postgres.ensure_role(LOGIN, "benchmark", createrole=True)
            postgres.ensure_database(LOGIN, LOGIN)
            url = postgres.dsn(LOGIN, user=LOGIN, password="benchmark")  # noqa: S106  (a throw-away cluster)
            asyncio.run(migrate(url))
            settings = Settings.model_validate({"database_url": url, "redis_url": redis.url, "master_keys": KEY})
            given = {"disconnects": asked.disconnects, "held": asked.held}
            told = asyncio.run(measure(settings, postgres.superuser_dsn(LOGIN), redis, **given))
    return report(told)


def report(told: dict[str, Any]) -> int:
    """Print the table and the JSON line; give the exit code."""
    table = Table("figure", "value", "bar", "holds")
    held = {name: check(told) for name, (_, check) in BARS.items()}
    for name, value in told.items():
        bar = BARS[name][0] if name in BARS else ""
        table.add_row(name, str(value), bar, {True: "yes", False: "NO"}[held[name]] if name in held else "")
    Console().print(table)
    load = round(os.getloadavg()[0], 1)
    print(json.dumps({"day": datetime.now(UTC).date().isoformat(), "load": load, **told, "holds": all(held.values())}))
    return 0 if all(held.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
