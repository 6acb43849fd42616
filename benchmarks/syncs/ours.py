"""The product's side: the real engine, with leases, hashes, history, raw items and events, on a connection of its own.

    python -m benchmarks.syncs.ours load|memory --orders N      (the product's settings in the environment)

Prints its figures as one JSON object.
"""

import argparse
import gc
import json
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import structlog
from sqlalchemy import text

from benchmarks.syncs.memory import SLUG, MemoryConnector
from benchmarks.syncs.orders import PAGE, Json, pages
from crosshead import compose
from crosshead.compose import Parts
from crosshead.organizations import make_organization
from crosshead.serve import run as run_product
from crosshead.settings import Settings
from db import connections
from db.models.sync import SyncMode
from db.scope import Scope
from db.types import Entity
from jobs.connect import ConnectRequest

WARM_ORDERS = 20_000
_COLUMNS = "status, fetched, created, updated, unchanged, quarantined, pages"


async def connect(settings: Settings, parts: Parts, connector: MemoryConnector) -> tuple[Scope, UUID]:
    """Connect the source in memory; gives the connection's scope and its first run."""
    async with parts.database.system() as session:
        entry, entities = compose.catalogue_entry(connector), compose.catalogue_entities(connector)
        await connections.write_catalogue(session, [entry], entities)
    scope, _ = await make_organization(parts.database, name="Benchmark", credits_pool=100)
    door = compose.connect_door(settings, parts)
    made, problems = await door.connect(scope, ConnectRequest(SLUG, {}, "c-1", "Customer 1"))
    if made is None:
        raise SystemExit(f"not connected: {problems}")
    own = scope.narrowed(made.connection_id)
    return own, await waiting_run(parts, own)


async def waiting_run(parts: Parts, own: Scope) -> UUID:
    """Give the run that waits to be run."""
    sql = text("SELECT id FROM sync_run WHERE connection_id = :own AND status = 'QUEUED'")
    async with parts.database.read(own) as session:
        run_id: UUID = (await session.execute(sql, {"own": own.connection_id})).scalar_one()
    return run_id


async def run(settings: Settings, parts: Parts, own: Scope, run_id: UUID) -> dict[str, Any]:
    """Run to the end; gives counters, seconds, and microseconds of processor time an order."""
    runner = compose.sync_runner(settings, parts)
    told = text(f"SELECT {_COLUMNS} FROM sync_run WHERE id = :id")
    gc.collect()
    gc.freeze()  # the pages were there before, and are none of the engine's doing
    before, started, own_time = await backends(parts, own), time.perf_counter(), time.process_time()
    while True:
        await runner.run(own, run_id)
        async with parts.database.read(own) as session:
            row = (await session.execute(told, {"id": run_id})).one()
        if row.status not in {"QUEUED", "RUNNING"}:
            break
    seconds = time.perf_counter() - started
    spent = {"python": time.process_time() - own_time, "postgres": await backends(parts, own) - before}
    each = {f"{name}Microseconds": round(spent[name] / row.fetched * 1e6, 1) for name in spent}
    return {**row._mapping, "seconds": round(seconds, 3), **each}  # noqa: SLF001  (the documented way to a row)


async def backends(parts: Parts, own: Scope) -> float:
    """Give the processor seconds of this database's server processes so far; 0 where the system does not tell."""
    sql = text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    async with parts.database.read(own) as session:
        pids = (await session.execute(sql)).scalars().all()
    told = [Path(f"/proc/{pid}/schedstat") for pid in pids]
    return sum(int(each.read_text().split()[0]) for each in told if each.exists()) / 1e9


async def load(settings: Settings, orders: int) -> dict[str, Any]:
    """Load all orders, and then all again with one in a hundred changed."""
    connector = MemoryConnector()
    async with compose.open_parts(settings, application="benchmark", connectors={SLUG: connector}) as parts:
        own, run_id = await connect(settings, parts, connector)
        whose = own.connection_id
        if whose is None:
            raise TypeError("a run belongs to a connection")
        told = {}
        for name, changed in (("first", False), ("second", True)):
            held = list(pages(orders, changed=changed))
            connector.pages = lambda held=held: iter(held)  # type: ignore[misc]
            if changed:
                door = compose.connect_door(settings, parts)
                await door.trigger(own, whose, (Entity.PURCHASE_ORDER,), SyncMode.FULL)
                run_id = await waiting_run(parts, own)
            told[name] = await run(settings, parts, own, run_id)
    return told


async def memory(settings: Settings, orders: int) -> dict[str, Any]:
    """Load orders made page by page; gives how much the process grew after the first pages."""
    connector, process = MemoryConnector(), psutil.Process()
    seen: dict[int, int] = {}

    def after(page: int) -> None:
        if page * PAGE in {WARM_ORDERS, orders}:
            gc.collect()
            seen[page * PAGE] = process.memory_info().rss

    def made() -> Iterator[list[Json]]:
        return pages(orders, changed=False)

    connector.after_page, connector.pages = after, made
    async with compose.open_parts(settings, application="benchmark", connectors={SLUG: connector}) as parts:
        own, run_id = await connect(settings, parts, connector)
        told = await run(settings, parts, own, run_id)
    megabytes = {name: round(size / 2**20, 1) for name, size in seen.items()}
    return {**told, "megabytes": megabytes, "grown": round(megabytes[orders] - megabytes[WARM_ORDERS], 1)}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["load", "memory"])
    parser.add_argument("--orders", type=int, required=True)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    measure = load if given.what == "load" else memory
    print(json.dumps(run_product(measure(Settings.model_validate({}), given.orders))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
