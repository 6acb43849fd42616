"""Deliveries under blows: senders killed, Redis emptied, a receiver that fails by lot."""

import argparse
import asyncio
import random
import time
from collections import defaultdict
from typing import Any

import asyncpg
from redis.asyncio import Redis

from benchmarks.hooks import npm
from benchmarks.hooks.stage import Arrival, Processes, Stage, arrivals, percentile, port, settled

PER_TRANSACTION = 10


async def storm(stage: Stage, processes: Processes, asked: argparse.Namespace) -> dict[str, Any]:
    """Commit and roll back, kill and flush; gives what became of it."""
    journal, bodies, number = stage.folder / "storm.journal", stage.folder / "storm.bodies", port()
    secret = await stage.endpoint(f"http://127.0.0.1:{number}/0")
    processes.receiver(journal, {"/0": secret}, port=number, failing=asked.failing, bodies=bodies)
    verifier = npm.Verifier(stage.folder, bodies, secret)
    workers = [processes.worker() for _ in range(2)]
    behind = await asyncpg.connect(stage.superuser)
    redis = Redis.from_url(str(stage.settings.redis_url))
    committed: dict[tuple[str, int], float] = {}
    done = asyncio.Event()

    async def blows() -> None:
        lot = random.Random(2)
        for n in range(asked.kills):
            await asyncio.sleep(asked.seconds / max(asked.kills, 1) * lot.uniform(0.5, 1.5) / 2)
            old = workers.pop(0)
            await asyncio.to_thread(processes.kill, old)
            workers.append(await asyncio.to_thread(processes.worker))
            if asked.flushes and n % max(1, asked.kills // asked.flushes) == 0:
                await redis.flushall()
        done.set()

    blowing = asyncio.create_task(blows())
    began, written, rolled = time.monotonic(), 0, 0
    turns = asked.events // PER_TRANSACTION
    for turn in range(turns):
        own = stage.owns[turn % len(stage.owns)]
        for number_, at in await stage.commit(own, PER_TRANSACTION):
            committed[str(own.connection_id), number_] = at
        written += PER_TRANSACTION
        if rolled < asked.rolled_back * (turn + 1) / turns:
            await stage.commit(own, PER_TRANSACTION, keep=False)
            rolled += PER_TRANSACTION
        ahead = began + asked.seconds * (turn + 1) / turns - time.monotonic()
        await asyncio.sleep(max(0.0, ahead))
    await blowing
    pending = await settled(behind, seconds=120)
    told = await _judged(behind, arrivals(journal), committed)
    await redis.aclose()
    await behind.close()
    for worker in workers:
        processes.kill(worker)
    return {
        "committed": written,
        "rolledBack": rolled,
        "kills": asked.kills,
        "pending": pending,
        **told,
        **{f"npm{name[0].upper()}{name[1:]}": value for name, value in verifier.end().items()},
    }


async def _judged(behind: Any, came: list[Arrival], committed: dict[tuple[str, int], float]) -> dict[str, Any]:
    """Compare what came with what was committed."""
    rows = await behind.fetch("SELECT id, stream_id, sequence FROM event")
    by_id = {f"evt_{row['id'].hex}": (str(row["stream_id"]), row["sequence"]) for row in rows}
    taken = {by_id[each.webhook_id] for each in came if each.status == 204 and each.webhook_id in by_id}
    firsts: dict[str, float] = {}
    ids: dict[tuple[str, int], set[str]] = defaultdict(set)
    for each in came:
        firsts.setdefault(each.webhook_id, each.at)
        if each.webhook_id in by_id:
            ids[by_id[each.webhook_id]].add(each.webhook_id)
    late = [
        at - committed[by_id[webhook_id]] for webhook_id, at in firsts.items() if by_id.get(webhook_id) in committed
    ]
    return {
        "attempts": len(came),
        "lost": len(committed.keys() - taken),
        "forRolledBack": sum(each.webhook_id not in by_id for each in came),
        "otherIds": sum(len(each) > 1 for each in ids.values()),
        "unverified": sum(not each.verified for each in came),
        "repeats": len(came) - len(firsts),
        "firstAttemptP50": percentile(late, 0.5),
        "firstAttemptP95": percentile(late, 0.95),
        "firstAttemptP99": percentile(late, 0.99),
    }
