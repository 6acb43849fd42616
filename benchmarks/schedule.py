"""Whether schedules keep their time, and no entity is ever worked on twice, while workers are killed and stopped.

    uv run python -m benchmarks.schedule [--minutes 10] [--connections 500] [--seconds-between-blows 15]

500 connections of three entities each, every one due each minute at a phase of its own (25 runs a second), worked on
by three real worker processes. Again and again one of them is killed (SIGKILL) and another started in its place, or
stopped (SIGSTOP) for longer than its leases last, and let go on (SIGCONT). Everything else is real, too, and on this
machine: PostgreSQL with fsync on, Redis, the sandbox's ledger as a process of its own, each call of which takes 100 ms.

Triggers write a journal that workers know nothing of: each lease taken and given back with its fence, each time that
came, each start of a run, and each change of a run with the worker that made it beside the one that held the lease.
- overlaps: changes made by another worker than the one that held the lease, or under a fence older than one before.
- stale writers fenced: of the attempts of workers that had lost their lease, how many were refused (their log says so).
- lateness: from the time that came to the next start of a run of that entity.
Exits 1 where there was an overlap, a stale writer got through, none tried, or the 99th percentile of lateness is a
minute or more.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.counts import COUNT
from connectors.base import Feed
from connectors.mapping import EntityMapping, To
from crosshead import compose, serve
from crosshead.dev.servers import LOGIN
from crosshead.embedded.postgres import EmbeddedPostgres
from crosshead.embedded.redis import EmbeddedRedis
from crosshead.logs import configure_logs
from crosshead.organizations import make_organization
from crosshead.settings import Settings
from db import connections
from db.migrate import migrate
from db.models.items.item import ItemFields
from db.types import Entity
from jobs import worker
from jobs.connect import ConnectRequest
from tests.fixtures.ledger_connector import ORDERS, OVERLAP, VENDORS, LedgerConnector
from tests.fixtures.product import environment

INTERVAL_S = 60.0
LEASE_SECONDS = 10
WORKERS = 3
ITEMS = Feed(Entity.ITEM, "vendors", OVERLAP, cursor="changed", tie_break="id")
JOURNAL = """
CREATE TABLE journal (at timestamptz NOT NULL DEFAULT clock_timestamp(), kind text NOT NULL, connection_id uuid,
    entity text, fence bigint, holder text, writer text, due_at timestamptz);
CREATE FUNCTION on_entity() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
  IF NEW.fence <> OLD.fence THEN
    INSERT INTO journal (kind, connection_id, entity, fence, holder)
    VALUES ('taken', NEW.connection_id, NEW.entity, NEW.fence, NEW.lease_owner);
  END IF;
  IF NEW.next_run_at <> OLD.next_run_at THEN
    INSERT INTO journal (kind, connection_id, entity, due_at)
    VALUES ('due', NEW.connection_id, NEW.entity, OLD.next_run_at);
  END IF;
  RETURN NEW; END $$;
CREATE TRIGGER journal AFTER UPDATE ON connected_entity FOR EACH ROW EXECUTE FUNCTION on_entity();
CREATE FUNCTION on_run() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
  IF NEW.revision <> OLD.revision THEN
    INSERT INTO journal (kind, connection_id, entity, fence, holder, writer)
    SELECT CASE WHEN OLD.started_at IS NULL AND NEW.started_at IS NOT NULL THEN 'started' ELSE 'changed' END,
        e.connection_id, e.entity, e.fence, e.lease_owner, current_setting('application_name')
    FROM connected_entity e WHERE e.connection_id = NEW.connection_id AND e.entity = NEW.entity;
  END IF;
  RETURN NEW; END $$;
CREATE TRIGGER journal AFTER UPDATE ON sync_run FOR EACH ROW EXECUTE FUNCTION on_run();
"""
OVERLAPS = """
    SELECT count(*) FILTER (
               WHERE holder IS NULL OR split_part(holder, ':', 2) <> split_part(writer, ' ', 2)) AS foreign_,
           count(*) FILTER (WHERE fence < newest) AS older, count(*) AS changes
    FROM (SELECT *, max(fence) OVER (PARTITION BY connection_id, entity ORDER BY at) AS newest
          FROM journal WHERE kind IN ('started', 'changed')) told
"""
LATENESS = """
    SELECT extract(epoch FROM coalesce(s.at, $2) - d.due_at)::float8 AS late, s.at IS NULL AS waiting
    FROM journal d LEFT JOIN LATERAL (
        SELECT min(at) AS at FROM journal s WHERE s.kind = 'started' AND s.connection_id = d.connection_id
            AND s.entity = d.entity AND s.at >= d.at) s ON true
    WHERE d.kind = 'due' AND d.due_at >= $1
"""


HELD = "SELECT count(*) FROM connected_entity WHERE lease_owner LIKE $1"


class ThreeEntities(LedgerConnector):
    """The ledger's connector, with its vendors read once more as items."""

    def __init__(self) -> None:
        super().__init__(feeds=(ORDERS, VENDORS, ITEMS))
        fields = (To("code", "code"), To("description", "name"))
        self.mappings = {**self.mappings, Entity.ITEM: EntityMapping(ItemFields, fields)}


async def work(settings: Settings) -> None:
    """Be a worker."""
    configure_logs(level="info", style="json")
    connectors = {"ledger": ThreeEntities()}
    async with compose.worker(settings, connectors=connectors, application=f"worker {os.getpid()}") as parts:
        await worker.run(parts)


class Fleet:
    """The worker processes, and what has been done to them."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._environment = environment(settings)
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        self._started = 0
        self._random = random.Random(1)
        self.kills = self.stops = 0
        self.cpu_s = 0.0

    def start(self) -> None:
        """Start one."""
        self._started += 1
        command = [sys.executable, "-m", "benchmarks.schedule", "--worker"]
        with (self._folder / f"worker-{self._started}.log").open("wb") as log:
            self._running.append(subprocess.Popen(command, env=self._environment, stdout=log, stderr=log))

    def reset(self) -> None:
        """Count processor time from now on."""
        self.cpu_s = -sum(_cpu_s(process) for process in self._running)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        self.cpu_s += _cpu_s(process)
        process.kill()
        process.wait()
        self._running.remove(process)

    async def blow(self, behind: asyncpg.Connection) -> None:
        """Kill one and start another, or stop one at work for longer than its leases last; in turn."""
        process = self._random.choice(self._running)
        if self.kills <= self.stops:
            self.kills += 1
            self._end(process)
            self.start()
        else:
            self.stops += 1
            process.send_signal(signal.SIGSTOP)
            while not await behind.fetchval(HELD, f"%:{process.pid}"):  # it was idle: let go, and try again
                process.send_signal(signal.SIGCONT)
                await asyncio.sleep(0.02)
                process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(LEASE_SECONDS * 1.5)
            process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End them all."""
        for process in list(self._running):
            self._end(process)

    def refusals(self) -> int:
        """Count how often a worker was told that its lease is another's."""
        logs = self._folder.glob("worker-*.log")
        return sum(line.count(b'"sync_lease_lost"') for log in logs for line in log.read_bytes().splitlines())


async def connect(settings: Settings, url: str, count: int) -> None:
    """Connect the ledger that many times over."""
    async with compose.open_parts(settings, application="benchmark", connectors={"ledger": ThreeEntities()}) as parts:
        async with parts.database.system() as session:
            of = ThreeEntities()
            await connections.write_catalogue(session, [compose.catalogue_entry(of)], compose.catalogue_entities(of))
        scope, _ = await make_organization(parts.database, name="Benchmark", credits_pool=2 * count)
        door = compose.connect_door(settings, parts)
        for n in range(count):
            credentials = {"base_url": url, "key": "ledger-key"}
            made, problems = await door.connect(scope, ConnectRequest("ledger", credentials, f"c-{n}", f"Customer {n}"))
            if made is None:
                raise SystemExit(f"not connected: {problems}")


@asynccontextmanager
async def looking(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Look behind row-level security."""
    behind = await asyncpg.connect(url)
    try:
        yield behind
    finally:
        await behind.close()


async def measure(superuser: str, fleet: Fleet, asked: argparse.Namespace) -> dict[str, Any]:
    """Let the fleet run through the first syncs, then for the time asked under blows; gives the figures."""
    open_runs = "SELECT count(*) FROM sync_run WHERE status IN ('QUEUED', 'RUNNING', 'WAITING')"
    async with looking(superuser) as behind:
        await behind.execute("UPDATE connected_entity SET next_run_at = now() + interval '1 day'")
        for _ in range(WORKERS):
            fleet.start()
        while await behind.fetchval(open_runs):  # noqa: ASYNC110  (rows, seen from outside)
            await asyncio.sleep(1.0)
        await behind.execute(JOURNAL)
        await behind.execute("UPDATE connected_entity SET next_run_at = now() + random() * interval '60 seconds'")
        await behind.execute("TRUNCATE journal")
        fleet.reset()
        began: datetime = await behind.fetchval("SELECT now()")
        until = time.monotonic() + asked.minutes * 60
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, asked.seconds_between_blows))
            if until - time.monotonic() > LEASE_SECONDS * 2:
                await fleet.blow(behind)
        ended: datetime = await behind.fetchval("SELECT now()")
        fleet.close()
        return await judge(behind, fleet, began, ended)


async def judge(behind: asyncpg.Connection, fleet: Fleet, began: datetime, ended: datetime) -> dict[str, Any]:
    """Read the journal."""
    told = await behind.fetchrow(OVERLAPS)
    late = sorted(row["late"] for row in await behind.fetch(LATENESS, began, ended))
    runs = await behind.fetchval("SELECT count(*) FROM journal WHERE kind = 'started' AND at <= $1", ended)
    failed = await behind.fetchval("SELECT count(*) FROM sync_run WHERE status = 'FAILED'")
    slipped, refused = told["foreign_"] + told["older"], fleet.refusals()
    seconds = (ended - began).total_seconds()
    return {
        "runs": runs,
        "runsPerSecond": round(runs / seconds, 1),
        "failedRuns": failed,
        "changes": told["changes"],
        "kills": fleet.kills,
        "stops": fleet.stops,
        "overlaps": slipped,
        "staleAttempts": refused + slipped,
        "staleFencedPercent": round(100 * refused / (refused + slipped), 2) if refused + slipped else None,
        "latenessP50": _percentile(late, 0.5),
        "latenessP95": _percentile(late, 0.95),
        "latenessP99": _percentile(late, 0.99),
        "latenessMax": _percentile(late, 1.0),
        "workerCpuMsPerRun": round(1000 * fleet.cpu_s / max(runs, 1), 1),
    }


def _cpu_s(process: subprocess.Popen[bytes]) -> float:
    times = psutil.Process(process.pid).cpu_times()
    return times.user + times.system


def _percentile(values: list[float], share: float) -> float | None:
    return round(values[min(len(values) - 1, int(share * len(values)))], 2) if values else None


def start_ledger(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start the ledger; gives the process and its address."""
    ready = folder / "ledger.json"
    few = ["--orders", "5", "--vendors", "2", "--lines", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.ledger", "--port", "0", "--ready-file", str(ready), *few]
    )
    while not ready.exists():
        if process.poll() is not None:
            raise SystemExit("the ledger did not start")
        time.sleep(0.05)
    said = json.loads(ready.read_text())
    fault = json.dumps({"kind": "delay", "seconds": 0.1, "count": None}).encode()
    headers = {"Content-Type": "application/json"}
    url = f"{said['adminUrl']}/faults"
    with urllib.request.urlopen(urllib.request.Request(url, fault, headers)):  # noqa: S310  (our own loopback server)
        return process, said["url"]


def run(asked: argparse.Namespace) -> dict[str, Any]:
    """Set everything up, and measure."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        ledger, source = start_ledger(folder)
        stack.callback(ledger.wait, 10)
        stack.callback(ledger.terminate)
        postgres = stack.enter_context(EmbeddedPostgres(folder / "postgres"))
        redis = stack.enter_context(EmbeddedRedis(folder / "redis"))
        postgres.ensure_role(LOGIN, "benchmark", createrole=True)
        postgres.ensure_database(LOGIN, LOGIN)
        url = postgres.dsn(LOGIN, user=LOGIN, password="benchmark")  # noqa: S106  (a throw-away cluster)
        asyncio.run(migrate(url))
        settings = Settings.model_validate(
            {
                "database_url": url,
                "redis_url": redis.url,
                "master_keys": "b:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
                "egress_allowed_cidrs": "127.0.0.1/32",
                "database_pool_size": 10,
                "worker_jobs": 12,
                "source_connections_per_host": 16,
                "sync_every_minutes": 1,
                "sync_minimum_minutes": 1,
                "sync_full_every_hours": 0,
                "lease_seconds": LEASE_SECONDS,
            }
        )
        asyncio.run(connect(settings, source, asked.connections))
        fleet = Fleet(settings, folder)
        stack.callback(fleet.close)
        return asyncio.run(measure(postgres.superuser_dsn(LOGIN), fleet, asked))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--connections", type=COUNT, default=500)
    parser.add_argument("--seconds-between-blows", type=float, default=15.0)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        serve.run(work(Settings.model_validate({})))
        return 0
    told = run(asked)
    table = Table("figure", "value")
    for name, value in told.items():
        table.add_row(name, str(value))
    Console().print(table)
    held = told["overlaps"] == 0 and told["staleFencedPercent"] == 100.0
    kept = told["latenessP99"] is not None and told["latenessP99"] < INTERVAL_S
    asked_for = {
        "connections": asked.connections,
        "minutes": asked.minutes,
        "day": datetime.now(UTC).date().isoformat(),
    }
    print(json.dumps({**asked_for, **told, "held": held, "onTime": kept}))
    return 0 if held and kept else 1


if __name__ == "__main__":
    sys.exit(main())
