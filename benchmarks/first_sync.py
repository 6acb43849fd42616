"""How fast a first sync is: 10,000 orders with lines from the simulated SAP S/4HANA into Postgres.

    uv run python -m benchmarks.first_sync [--orders 10000]

Everything is real and on this machine: the sandbox as a process of its own over
HTTP, PostgreSQL with fsync on, Redis, the connect door and one sync runner. The
sandbox takes its share of the two cores, so a real source would leave more.
Prints a table, then the figures as one JSON object on the last line; exits 1
where an order is missing.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from benchmarks.counts import COUNT
from connectors.registry import BY_SLUG
from crosshead import compose
from crosshead.compose import Parts
from crosshead.dev.servers import LOGIN
from crosshead.embedded.postgres import EmbeddedPostgres
from crosshead.embedded.redis import EmbeddedRedis
from crosshead.organizations import make_organization
from crosshead.settings import Settings
from db.migrate import migrate
from db.models.sync import SyncMode
from db.scope import Scope
from db.types import Entity
from jobs.connect import ConnectRequest
from jobs.sync import SyncRunner

LOOPBACK = {"egress_allowed_cidrs": "127.0.0.1/32"}
COLUMNS = ("status", "fetched", "created", "unchanged", "seconds", "ordersPerSecond", "callsPer1000")
COUNTS = ("fetched", "created", "updated", "unchanged", "quarantined", "pages")


def start_sandbox(folder: Path, orders: int) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    """Start the sandbox; gives the process and what it said when ready."""
    ready = folder / "sap.json"
    # Enough suppliers and materials for orders to differ; no work orders.
    arguments = ["--orders", str(orders), "--suppliers", "200", "--materials", "500", "--maintenance-orders", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.sap_s4hana", "--port", "0", "--ready-file", str(ready), *arguments]
    )
    while not ready.exists():
        if process.poll() is not None:
            raise SystemExit("the sandbox did not start")
        time.sleep(0.1)
    return process, json.loads(ready.read_text())


def calls(said: dict[str, Any]) -> int:
    """Count the calls that the sandbox has answered."""
    with urllib.request.urlopen(f"{said['adminUrl']}/calls") as answer:  # noqa: S310  (our own loopback server)
        told = json.load(answer)
    return len(told["calls"] if isinstance(told, dict) else told)


async def measure(settings: Settings, said: dict[str, Any]) -> dict[str, Any]:
    """Connect, run the first sync of the orders, then a full one over the same orders, in which nothing has changed."""
    async with compose.open_parts(settings, application="benchmark", connectors=BY_SLUG) as parts:
        scope, _ = await make_organization(parts.database, name="Benchmark", credits_pool=100)
        door = compose.connect_door(settings, parts)
        given = said["credentials"]
        credentials = {"base_url": given["baseUrl"], **{k: given[k] for k in ("username", "password", "client")}}
        request = ConnectRequest("sap_s4hana", credentials, "c-1", "Customer 1", historical_period_days=3650)
        connected, problems = await door.connect(scope, request)
        if connected is None:
            raise SystemExit(f"not connected: {problems}")
        own = scope.narrowed(connected.connection_id)
        runner = compose.sync_runner(settings, parts)
        first = await run(parts, runner, own, said)
        await door.trigger(own, connected.connection_id, (Entity.PURCHASE_ORDER,), SyncMode.FULL)
        again = await run(parts, runner, own, said)
    return {"first": first, "again": again}


async def run(parts: Parts, runner: SyncRunner, own: Scope, said: dict[str, Any]) -> dict[str, Any]:
    """Run the open run of the orders; gives its counters, seconds and calls."""
    async with parts.database.read(own) as session:
        run_id = (
            await session.execute(text("SELECT id FROM sync_run WHERE entity = 'PURCHASE_ORDER' AND status = 'QUEUED'"))
        ).scalar_one()
    before, started = calls(said), time.perf_counter()
    await runner.run(own, run_id)
    seconds, made = time.perf_counter() - started, calls(said) - before
    told = text(f"SELECT status, {', '.join(COUNTS)} FROM sync_run WHERE id = :id")
    async with parts.database.read(own) as session:
        row = (await session.execute(told, {"id": run_id})).one()
    return {**row._mapping, "seconds": round(seconds, 2), "calls": made}  # noqa: SLF001  (the documented way to a row)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=COUNT, default=10_000)
    orders = parser.parse_args().orders
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sandbox, said = start_sandbox(folder, orders)
        try:
            with EmbeddedPostgres(folder / "postgres") as postgres, EmbeddedRedis(folder / "redis") as redis:
                postgres.ensure_role(LOGIN, "benchmark", createrole=True)
                postgres.ensure_database(LOGIN, LOGIN)
                url = postgres.dsn(LOGIN, user=LOGIN, password="benchmark")  # noqa: S106  (a throw-away cluster)
                asyncio.run(migrate(url))
                key = "b:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
                settings = Settings.model_validate(
                    {"database_url": url, "redis_url": redis.url, "master_keys": key, **LOOPBACK}
                )
                runs = asyncio.run(measure(settings, said))
        finally:
            sandbox.terminate()
            sandbox.wait(10)
    return report(orders, runs)


def report(orders: int, runs: dict[str, dict[str, Any]]) -> int:
    """Print the table and the JSON line; give the exit code."""
    table = Table("run", "status", "fetched", "created", "unchanged", "seconds", "orders/s", "calls/1,000 orders")
    for name, each in runs.items():
        rate, per = each["fetched"] / each["seconds"], each["calls"] / max(each["fetched"], 1) * 1000
        each |= {"ordersPerSecond": round(rate), "callsPer1000": round(per, 1)}
        table.add_row(name, *(str(each[column]) for column in COLUMNS))
    Console().print(table)
    whole = runs["first"]["created"] == orders and runs["again"]["created"] == runs["again"]["updated"] == 0
    print(json.dumps({"orders": orders, "day": datetime.now(UTC).date().isoformat(), "complete": whole, **runs}))
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
