"""How fast each connector reads, how many calls it makes, and how much processor time is its own.

    uv run python -m benchmarks.connectors [--orders 100000] [--only sap_s4hana,odoo]

For every connector: its sandbox as a process of its own with so many purchase orders, read whole as a first sync reads
them: pages of whole items through the connector's own feeds, each item mapped and hashed as the sync machine does, and
nothing stored. Orders a second are of the pair on this machine, so mostly of the sandbox; calls and the processor time
of the reading process are the connector's. A real Tryton is no simulation and holds its demo orders only: its passes
are repeated until so many orders were read (`--tryton-orders`).

Prints a table, then the figures as one JSON object on the last line; exits 1 where an order is missing, or where a
connector takes more than 0.25 s of processor time for 1,000 orders.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.counts import COUNT
from connectors.addresses import Guard
from connectors.base import Connector, Window
from connectors.compiled import record
from connectors.egress import Egress
from connectors.registry import BY_SLUG
from crosshead.embedded.postgres import EmbeddedPostgres
from db.types import Entity
from jobs.items import hashed

MOST_CPU_SECONDS: Final = 0.25
_READY_SECONDS: Final = 900.0
_ROWS: Final = ("orders", "seconds", "ordersPerSecond", "callsPer1000", "cpuSecondsPer1000", "sandboxMegabytes")


@contextmanager
def sandbox(slug: str, orders: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Start a system; gives what it said of itself, and its process id."""
    with tempfile.TemporaryDirectory() as name:
        ready, arguments = Path(name) / "ready.json", ["--orders", str(orders)]
        if slug == "tryton":
            with EmbeddedPostgres(Path(name) / "postgres") as postgres:
                arguments = ["--postgres-url", postgres.superuser_dsn(), "--bin-dir", str(postgres.bin_dir)]
                with _process(slug, ready, arguments) as running:
                    yield running
        else:
            with _process(slug, ready, arguments) as running:
                yield running


@contextmanager
def _process(slug: str, ready: Path, arguments: list[str]) -> Iterator[tuple[dict[str, Any], int]]:
    command = [sys.executable, "-m", f"sandbox.{slug}", "--port", "0", "--ready-file", str(ready), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + _READY_SECONDS
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"the sandbox of {slug} did not start")
            time.sleep(0.1)
        yield json.loads(ready.read_text()), process.pid
    finally:
        process.terminate()
        process.wait(30)


def snake(name: str) -> str:
    """Give a name of the ready file as the connect form's."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


async def measure(connector: Connector, credentials: dict[str, Any], orders: int) -> dict[str, Any]:
    """Read so many orders, in as many passes as it takes."""
    calls = 0

    @asynccontextmanager
    async def counted() -> AsyncIterator[None]:
        nonlocal calls
        calls += 1
        yield

    form = connector.spec.credentials(**{snake(name): value for name, value in credentials.items()})
    mapping = connector.mappings[Entity.PURCHASE_ORDER]
    units = connector.units(connector.spec.write_defaults())
    feeds = [feed for feed in connector.feeds if feed.entity is Entity.PURCHASE_ORDER and feed.full]
    read, passes, keys = 0, 0, set[str]()
    async with (
        Egress.open(guard=Guard.of(["127.0.0.0/8"])) as egress,
        connector.open(form, egress=egress.through(counted)) as source,
    ):
        await source.clock()  # signs in
        calls, started, spent = 0, time.perf_counter(), time.process_time()
        while read < orders and (passes == 0 or read):
            passes += 1
            for feed in feeds:
                async for page in source.read(feed, window=Window(), position=None):
                    for each in hashed(connector, Entity.PURCHASE_ORDER, page.items):
                        record(mapping, each.item.body, units=units)
                        keys.add(each.item.source_id)
                    read += len(page.items)
        seconds, cpu = time.perf_counter() - started, time.process_time() - spent
    return {
        "orders": read,
        "different": len(keys),
        "passes": passes,
        "seconds": round(seconds, 2),
        "ordersPerSecond": round(read / seconds) if read else 0,
        "callsPer1000": round(calls / read * 1000, 2) if read else None,
        "cpuSecondsPer1000": round(cpu / read * 1000, 4) if read else None,
    }


def one(slug: str, orders: int) -> dict[str, Any]:
    """Start a system and read it."""
    with sandbox(slug, orders) as (told, pid):
        figures = asyncio.run(measure(BY_SLUG[slug], told["credentials"], orders))
        figures["sandboxMegabytes"] = round(psutil.Process(pid).memory_info().rss / 2**20)
    return figures


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=COUNT, default=100_000)
    parser.add_argument("--tryton-orders", type=COUNT, default=2_000)
    parser.add_argument("--only", default=",".join(BY_SLUG))
    given = parser.parse_args()
    told: dict[str, Any] = {}
    for slug in given.only.split(","):
        told[slug] = one(slug, given.tryton_orders if slug == "tryton" else given.orders)
        print(slug, told[slug], file=sys.stderr, flush=True)
    table = Table("read whole", *_ROWS)
    for slug, figures in told.items():
        table.add_row(slug, *(f"{figures[name]:,}" if figures[name] is not None else "" for name in _ROWS))
    Console().print(table)
    short = [
        slug
        for slug, figures in told.items()
        if (figures["cpuSecondsPer1000"] or MOST_CPU_SECONDS + 1) > MOST_CPU_SECONDS
        or (slug != "tryton" and figures["different"] != given.orders)
    ]
    print(json.dumps({"day": datetime.now(UTC).date().isoformat(), "short": short, "connectors": told}))
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
