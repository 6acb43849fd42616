"""How many deliveries a second one sender makes, and what an endpoint that hangs costs the others."""

import argparse
import asyncio
import time
from typing import Any

import asyncpg

from benchmarks.hooks.stage import Processes, Stage, arrivals, percentile, port, settled

ENDPOINTS = 4


async def speed(stage: Stage, processes: Processes, asked: argparse.Namespace) -> dict[str, Any]:
    """Commit a heap while nobody sends, then let one worker send it."""
    journal, number = stage.folder / "speed.journal", port()
    paths = [f"/{n}" for n in range(ENDPOINTS)]
    secrets = {path: await stage.endpoint(f"http://127.0.0.1:{number}{path}") for path in paths}
    processes.receiver(journal, secrets, port=number, failing=0.0)
    heap = asked.heap // ENDPOINTS
    for n in range(0, heap, 100):
        await stage.commit(stage.owns[n // 100 % len(stage.owns)], min(100, heap - n))
    behind = await asyncpg.connect(stage.superuser)
    worker = processes.worker()
    while not arrivals(journal):  # noqa: ASYNC110  (a file, written by another process)
        await asyncio.sleep(0.05)
    while len(arrivals(journal)) < heap * ENDPOINTS:  # noqa: ASYNC110  (the same)
        await asyncio.sleep(0.1)
    await settled(behind, seconds=30)
    came = [each.at for each in arrivals(journal)]
    processes.kill(worker)
    await behind.close()
    return {"deliveries": len(came), "deliveriesPerSecond": round(len(came) / (max(came) - min(came)), 1)}


async def hanging(stage: Stage, processes: Processes, asked: argparse.Namespace) -> dict[str, Any]:
    """Send at a steady pace to endpoints that are well: first alone, then beside one that never answers."""
    journal, number = stage.folder / "hang.journal", port()
    secrets = {f"/{n}": await stage.endpoint(f"http://127.0.0.1:{number}/{n}") for n in range(2)}
    processes.receiver(journal, secrets | {"/hang": "whsec_" + "A" * 40}, port=number, failing=0.0)
    worker = processes.worker()
    await asyncio.sleep(3)  # it says that it is ready before it listens
    baseline = await _paced(stage, journal, asked)
    await stage.endpoint(f"http://127.0.0.1:{number}/hang")
    beside = await _paced(stage, journal, asked)
    processes.kill(worker)
    delay = (beside["p95"] or 0) - (baseline["p95"] or 0)
    return {
        "aloneP95": baseline["p95"],
        "besideHangingP95": beside["p95"],
        "aloneMax": baseline["max"],
        "besideHangingMax": beside["max"],
        "hangingDelaysP95": round(delay, 3),
        "hangingDelaysMax": round((beside["max"] or 0) - (baseline["max"] or 0), 3),
    }


async def _paced(stage: Stage, journal: Any, asked: argparse.Namespace) -> dict[str, Any]:
    own, before = stage.owns[0], len(arrivals(journal))
    committed: dict[int, float] = {}
    for _ in range(asked.paced):
        committed.update(await stage.commit(own, 1))
        await asyncio.sleep(0.02)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        came = [each for each in arrivals(journal)[before:] if each.sequence in committed and each.path != "/hang"]
        if len(came) >= 2 * len(committed):
            break
        await asyncio.sleep(0.1)
    late = [each.at - committed[each.sequence] for each in came]
    late += [30.0] * (2 * len(committed) - len(came))
    return {"p95": percentile(late, 0.95), "max": percentile(late, 1.0)}
