"""What killed workers cost: nothing but a page read again, and a few seconds.

    uv run python -m benchmarks.crash [--kills 200] [--orders 50000]

Ledgers in processes of their own, each with so many orders that are edited all the time, are copied by real worker
processes on one PostgreSQL with fsync on. Workers that hold a run are killed with SIGKILL at random moments, and one
dies at each named failpoint (jobs/failpoints.py) in each round; nobody helps the others to go on. In the end the
edits stop, two more runs of each connection read what is left, and the store must equal the ledgers' own truth.
Prints a table, then the figures as one JSON object on the last line; exits 1 where something is lost, twice or
stale, where a kill made more than one page be read again, or where a run was not gone on with within 30 s.
"""

import argparse
import asyncio
import contextlib
import json
import random
import sys
import time
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.counts import COUNT, PART
from benchmarks.crashes.fleet import Fleet
from benchmarks.crashes.repeats import pages_read_again
from benchmarks.crashes.stage import Lane, Stage, opened
from jobs.failpoints import SYNC_FAILPOINTS
from sandbox.kit.oracle import Truth
from tests.fixtures.truth import Verdict, compare
from tests.fixtures.workers import Workers

MIX: Final = {"create": 2, "change": 6, "part": 3, "spoil": 1, "mend": 1}
MOST_AGAIN: Final = 1
RESUME_SECONDS: Final = 30.0
_SETTLE_SECONDS: Final = 900.0
_ENDED: Final = (
    "SELECT count(*) = 0 FROM sync_run WHERE connection_id = $1 AND status IN ('QUEUED', 'RUNNING', 'WAITING')"
)


async def kill_at_random(stage: Stage, fleet: Fleet, rng: random.Random, kills: int) -> None:
    """Kill so many workers at work, and keep the rest busy."""
    for _ in range(kills):
        for lane in stage.lanes:
            await stage.trigger(lane)
        await fleet.start()
        await asyncio.sleep(rng.uniform(0.05, 2.5))
        await fleet.kill_one_at_work()


async def kill_at_failpoints(stage: Stage, fleet: Fleet, rng: random.Random, rounds: int) -> dict[str, int]:
    """Let a worker die at each failpoint in each round; gives how often each was died at."""
    died = dict.fromkeys(map(str, SYNC_FAILPOINTS), 0)
    for name in SYNC_FAILPOINTS:
        left = rounds
        while left > 0:
            lanes = stage.lanes[:left]
            left -= len(lanes)
            await fleet.kill_all()
            times = rng.randint(1, 3) if name.startswith("page") else 1
            done = await asyncio.gather(*(fleet.die_at(name, lane, times=times) for lane in lanes))
            died[name] += sum(done)
            await fleet.start()
            await fleet.all_resumed()
            await asyncio.sleep(rng.uniform(0.1, 1.0))
    return died


async def settle(stage: Stage, fleet: Fleet) -> None:
    """Let the edits end, then the open runs, and one run of each connection that begins after the last edit."""
    for lane in stage.lanes:
        await lane.source.admin.stop_edits()
    await fleet.start()
    async with asyncio.timeout(_SETTLE_SECONDS):
        for _ in range(2):
            for lane in stage.lanes:
                await stage.trigger(lane)
            for lane in stage.lanes:
                while not await stage.one(_ENDED, lane.connection_id):  # noqa: ASYNC110  (a row is looked at)
                    await asyncio.sleep(0.2)


async def judged(stage: Stage, lane: Lane) -> Verdict:
    """Compare a connection's store with its ledger."""
    documents = await lane.source.admin.documents("orders")
    async with stage.behind.acquire() as behind:
        return await compare(behind, lane.connection_id, Truth("orders", documents))


async def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Kill, settle, and count."""
    rng, started = random.Random(asked.rng_seed), time.perf_counter()
    async with (
        opened(lanes=asked.connections, orders=asked.orders, lines=asked.lines, page_size=asked.page_size) as stage,
        Workers.open(stage.settings) as workers,
    ):
        fleet = Fleet(stage, workers, asked.workers)
        watching = asyncio.create_task(fleet.watch())
        for number, lane in enumerate(stage.lanes):
            await lane.source.admin.start_edits(per_second=asked.edits_per_second, seed=number, mix=MIX)
        await kill_at_random(stage, fleet, rng, asked.kills)
        died = await kill_at_failpoints(stage, fleet, rng, asked.rounds)
        await settle(stage, fleet)
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        verdicts = [await judged(stage, lane) for lane in stage.lanes]
        again = [await pages_read_again(stage, lane, fleet.kills) for lane in stage.lanes]
        edits = sum([(await lane.source.admin.overview())["counts"]["edits"] for lane in stage.lanes])
        await fleet.kill_all()
    seconds = round(time.perf_counter() - started, 1)
    return figures(asked, fleet, died, verdicts, again) | {"edits": edits, "seconds": seconds}


def figures(
    asked: argparse.Namespace, fleet: Fleet, died: dict[str, int], verdicts: list[Verdict], again: list[list[int]]
) -> dict[str, Any]:
    """Tell what was counted."""
    at_random = sum(kill.failpoint is None for kill in fleet.kills)
    resumed = sorted(held.resumed_s for kill in fleet.kills for held in kill.held if held.resumed_s is not None)
    differs = {name: sum(verdict.counts[name] for verdict in verdicts) for name in Verdict().counts}
    return {
        "orders": asked.orders,
        "connections": asked.connections,
        "workers": asked.workers,
        "kills": at_random,
        "failpoints": died,
        **differs,
        "examples": [verdict.as_dict() for verdict in verdicts if not verdict.clean],
        "readAgainPerKill": max(count for lane in again for count in lane),
        "readAgain": sum(count for lane in again for count in lane),
        "resumes": len(resumed),
        "resumeMedianSeconds": round(resumed[len(resumed) // 2], 2) if resumed else None,
        "resumeWorstSeconds": round(resumed[-1], 2) if resumed else None,
    }


def misses(asked: argparse.Namespace, told: dict[str, Any]) -> list[str]:
    """Tell each bar that falls short."""
    found = [f"{told[name]} {name}" for name in Verdict().counts if told[name]]
    if told["kills"] < asked.kills:
        found.append(f"{told['kills']} random kills")
    found += [f"{name} {count} times" for name, count in told["failpoints"].items() if count < asked.rounds]
    if told["readAgainPerKill"] > MOST_AGAIN:
        found.append(f"{told['readAgainPerKill']} pages read again after one kill")
    if told["resumeWorstSeconds"] is None or told["resumeWorstSeconds"] > RESUME_SECONDS:
        found.append(f"gone on with after {told['resumeWorstSeconds']} s")
    return found


def report(asked: argparse.Namespace, told: dict[str, Any]) -> int:
    """Print the table and the JSON line; give the exit code."""
    table = Table("what", "figure", "bar")
    table.add_row("random kills", str(told["kills"]), f">= {asked.kills}")
    table.add_row("deaths at each of the failpoints", str(min(told["failpoints"].values())), f">= {asked.rounds}")
    table.add_row("true edits meanwhile", str(told["edits"]), "")
    for name in Verdict().counts:
        table.add_row(name, str(told[name]), "0")
    table.add_row("pages read again, most per kill", str(told["readAgainPerKill"]), f"<= {MOST_AGAIN}")
    resumed = f"{told['resumeMedianSeconds']} / {told['resumeWorstSeconds']}"
    table.add_row("s until another went on, median / worst", resumed, f"<= {RESUME_SECONDS:.0f}")
    table.add_row("seconds in all", str(told["seconds"]), "")
    Console().print(table)
    short = misses(asked, told)
    print(json.dumps({"day": datetime.now(UTC).date().isoformat(), **told, "misses": short}))
    return 1 if short else 0


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=PART, default=200, help="at random moments")
    parser.add_argument("--rounds", type=PART, default=3, help="deaths at each failpoint")
    parser.add_argument("--orders", type=COUNT, default=50_000, help="of each ledger")
    parser.add_argument("--lines", type=PART, default=5)
    parser.add_argument("--page-size", type=COUNT, default=200)
    parser.add_argument("--connections", type=COUNT, default=3)
    parser.add_argument("--workers", type=COUNT, default=3)
    parser.add_argument("--edits-per-second", type=float, default=20.0, help="in each ledger")
    parser.add_argument("--rng-seed", type=int, default=1)
    asked = parser.parse_args()
    return report(asked, asyncio.run(measure(asked)))


if __name__ == "__main__":
    sys.exit(main())
