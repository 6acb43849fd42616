"""Whether webhooks and subscriptions miss nothing while senders die, receivers fail and sockets are lost; and how fast.

    uv run python -m benchmarks.webhooks [--parts storm,speed,hanging,resumed,crowd] [--events 10000] [--kills 50] …

Everything is real and on this machine: PostgreSQL with fsync on, Redis, workers and the API as processes of their own,
a receiver that verifies each signature with the public library and writes a journal. Each part has its own database.
- storm: 10,000 committed and 1,000 rolled-back changes, a receiver that fails 30 % at random, 50 SIGKILLs of senders,
  Redis emptied five times. Nothing is lost, nothing is told of what was rolled back, repeats carry the same webhook-id,
  every signature is verified (Python's standardwebhooks, and npm's), the first attempt comes within 2 s (p95).
- speed: deliveries a second by one worker, at least 300.
- hanging: what an endpoint that never answers costs the others at a steady pace, against the same without it: < 1 s.
- resumed: clients of others (npm graphql-ws, Python gql) killed and resumed 100 times over 10,000 events: each number
  once.
- crowd: 1,000 subscriptions: memory a socket, and publish-to-receive p99 (printed, no bar).
Exits 1 where a bar is missed.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.counts import COUNT, PART, at_least
from benchmarks.hooks import sockets
from benchmarks.hooks.speed import ENDPOINTS, hanging, speed
from benchmarks.hooks.stage import Processes, Stage, servers, staged
from benchmarks.hooks.storm import PER_TRANSACTION, storm
from crosshead import compose
from crosshead.logs import configure_logs
from crosshead.settings import Settings
from jobs import worker


async def work(settings: Settings) -> None:
    """Be a worker."""
    configure_logs(level="error", style="json")
    async with compose.worker(settings, connectors={}) as parts:
        print("ready", flush=True)
        await worker.run(parts)


async def follow(stage: Stage, processes: Processes, asked: argparse.Namespace) -> dict[str, Any]:
    """Run the parts that need the API."""
    url, pid = await sockets.api(processes)
    told: dict[str, Any] = {}
    if "resumed" in asked.parts:
        told |= await sockets.resumed(stage, url, asked)
    if "crowd" in asked.parts:
        told |= await sockets.crowd(stage, url, pid, asked)
    return told


PARTS: Final[dict[str, Callable[..., Any]]] = {"storm": storm, "speed": speed, "hanging": hanging, "follow": follow}
BARS: Final[dict[str, Callable[[Any], bool]]] = {
    "lost": lambda value: value == 0,
    "forRolledBack": lambda value: value == 0,
    "otherIds": lambda value: value == 0,
    "unverified": lambda value: value == 0,
    "npmRefused": lambda value: value == 0,
    "firstAttemptP95": lambda value: value < 2.0,
    "deliveriesPerSecond": lambda value: value >= 300,
    "hangingDelaysP95": lambda value: value < 1.0,
    "hangingDelaysMax": lambda value: value < 1.0,
    "npmExactlyOnce": bool,
    "gqlExactlyOnce": bool,
}


def run(name: str, asked: argparse.Namespace) -> dict[str, Any]:
    """Run one part on servers of its own."""
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder)) as (settings, superuser):
        processes = Processes(settings)

        async def part() -> dict[str, Any]:
            async with staged(settings, superuser, Path(folder), count=4) as stage:
                told: dict[str, Any] = await PARTS[name](stage, processes, asked)
                return told

        try:
            return asyncio.run(part())
        finally:
            processes.close()


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default="storm,speed,hanging,resumed,crowd")
    for name, count, default in (
        ("--events", at_least(PER_TRANSACTION), 10_000),
        ("--rolled-back", PART, 1_000),
        ("--kills", PART, 50),
        ("--flushes", PART, 5),
        ("--heap", at_least(ENDPOINTS), 6_000),
        ("--paced", COUNT, 500),
        ("--followed", at_least(20), 10_000),
        ("--client-kills", PART, 100),
        ("--sockets", COUNT, 1_000),
        ("--published", COUNT, 50),
    ):
        parser.add_argument(name, type=count, default=default)
    for name, share in (("--failing", 0.3), ("--seconds", 180.0), ("--follow-seconds", 90.0)):
        parser.add_argument(name, type=float, default=share)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Measure and print."""
    asked = arguments()
    if asked.worker:
        asyncio.run(work(Settings.model_validate({})))
        return 0
    asked.parts = asked.parts.split(",")
    names = [name for name in ("storm", "speed", "hanging") if name in asked.parts]
    names += ["follow"] if {"resumed", "crowd"} & set(asked.parts) else []
    told: dict[str, Any] = {}
    for name in names:
        told |= run(name, asked)
    missed = [name for name, holds in BARS.items() if name in told and not holds(told[name])]
    table = Table("figure", "value", "bar")
    for name, value in told.items():
        table.add_row(name, str(value), "" if name not in BARS else "missed" if name in missed else "held")
    Console().print(table)
    print(json.dumps({"day": datetime.now(UTC).date().isoformat(), **told, "missed": missed}))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
