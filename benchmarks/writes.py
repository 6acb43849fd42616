"""What becomes of writes while processes die and answers are lost: 1,000 mutations, 200 processes killed.

    uv run python -m benchmarks.writes [--mutations 1000] [--kills 200]

Two API processes and a worker on PostgreSQL with fsync on, Redis, and a simulated source as a process of its own, which
drops every fifth answer after it has committed. Processes are killed by SIGKILL: before a write is sent, after it was,
after its answer, after the commit, and at random. Then one order is sent under one key 50 times at once.

Counts are read from the source's own log and from the operations' rows, not from what was answered. Prints a table,
then the figures as one JSON object on the last line; exits 1 where a bar falls short: no document doubled, none
acknowledged that is not there, all settled, and within 60 s of the loss of their answer.
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

from benchmarks.counts import COUNT, PART
from crosshead.dev.servers import LOGIN
from crosshead.embedded.postgres import EmbeddedPostgres
from crosshead.embedded.redis import EmbeddedRedis
from crosshead.settings import Settings
from db.migrate import migrate
from tests.fixtures.write_storm import Storm

KEY = "b:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
PARALLEL: Final = 50
BARS: Final[dict[str, tuple[str, Callable[[dict[str, Any]], bool]]]] = {
    "kills": ("as many as asked", lambda told: told["kills"] >= told["killsAsked"]),
    "duplicates": ("0", lambda told: told["duplicates"] == 0),
    "acknowledgedMissing": ("0", lambda told: told["acknowledgedMissing"] == 0),
    "withoutEffect": ("0", lambda told: told["withoutEffect"] == 0),
    "unsettled": ("0", lambda told: told["unsettled"] == 0),
    "settledWithinS": ("≤ 60", lambda told: told["settledWithinS"] <= 60),
    "acknowledged": ("all", lambda told: told["acknowledged"] == told["mutations"]),
    "documentsOfOneKey": ("1", lambda told: told["documentsOfOneKey"] == 1),
}


async def measure(settings: Settings, superuser: str, mutations: int, kills: int) -> dict[str, Any]:
    """Let the storm blow; gives its figures."""
    async with Storm.open(settings, superuser, mutations=mutations, kills=kills) as storm:
        began = time.perf_counter()
        await storm.blow()
        told = await storm.figures()
        told["seconds"] = round(time.perf_counter() - began, 1)
        told["answers"] = dict(storm.answers.most_common())
        told["killsAsked"] = kills
        told["documentsOfOneKey"] = await storm.one_key(PARALLEL)
        return told


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=COUNT, default=1000)
    parser.add_argument("--kills", type=PART, default=200)
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
            told = asyncio.run(measure(settings, postgres.superuser_dsn(LOGIN), asked.mutations, asked.kills))
    return report(told)


def report(told: dict[str, Any]) -> int:
    """Print the table and the JSON line; give the exit code."""
    table = Table("figure", "value", "bar", "holds")
    held = {name: check(told) for name, (_, check) in BARS.items()}
    for name, value in told.items():
        bar = BARS[name][0] if name in BARS else ""
        table.add_row(name, str(value), bar, {True: "yes", False: "NO"}[held[name]] if name in held else "")
    Console().print(table)
    print(json.dumps({"day": datetime.now(UTC).date().isoformat(), **told, "holds": all(held.values())}))
    return 0 if all(held.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
