"""Workers that are killed, and how soon others go on with what they held."""

import asyncio
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from benchmarks.crashes.stage import Lane, Stage
from jobs.failpoints import Failpoint
from tests.fixtures.workers import Workers

_LOOK_SECONDS: Final = 0.1
_DIE_SECONDS: Final = 120.0
_HELD: Final = (
    "SELECT connection_id, entity, fence FROM connected_entity"
    " WHERE lease_owner LIKE '%:' || $1::text AND lease_expires_at > now()"
)
_OPEN: Final = "SELECT count(*) FROM sync_run WHERE status IN ('QUEUED', 'RUNNING', 'WAITING')"
# What brings a run to a failpoint: rows changed before. Others are met on the way.
_BEFORE: Final[Mapping[Failpoint, str]] = {
    "schedule_before_commit": "UPDATE connected_entity SET next_run_at = now() WHERE connection_id = $1",
    "due_before_commit": "UPDATE sync_run SET woken_at = NULL WHERE connection_id = $1",
    "due_committed": "UPDATE sync_run SET woken_at = NULL WHERE connection_id = $1",
    "end_before_commit": "UPDATE sync_run SET cancel_requested = true WHERE connection_id = $1",
    "end_committed": "UPDATE sync_run SET cancel_requested = true WHERE connection_id = $1",
}
_SLICED: Final = frozenset({"slice_ended", "lease_before_release", "lease_released"})
_FAILING: Final = frozenset({"wait_before_commit", "wait_committed"})
_TICKING: Final = frozenset({"schedule_before_commit", "due_before_commit", "due_committed"})


@dataclass(slots=True)
class Held:
    """What a killed worker held; `resumed_s` is when another took it, None where its run had ended already."""

    connection_id: UUID
    entity: str
    fence: int
    killed: float
    resumed_s: float | None = None
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Kill:
    """One SIGKILL of a worker that held something."""

    at: datetime
    failpoint: Failpoint | None
    held: list[Held]


@dataclass
class Fleet:
    """Workers, so many at a time, and the kills so far."""

    stage: Stage
    workers: Workers
    size: int
    kills: list[Kill] = field(default_factory=list)
    pids: list[int] = field(default_factory=list)

    async def start(self) -> None:
        """Bring the fleet to its size."""
        self.pids = [pid for pid in self.pids if self.workers.alive(pid)]
        while len(self.pids) < self.size:
            self.pids.append(await self.workers.work())

    async def kill_one_at_work(self) -> None:
        """Kill the worker that holds the most."""
        held: dict[int, list[Held]] = {}
        while not any(held.values()):
            await asyncio.sleep(_LOOK_SECONDS / 2)
            held = {pid: await self._held(pid) for pid in self.pids}
        await self._kill(max(held, key=lambda pid: len(held[pid])))

    async def kill_all(self) -> None:
        """Kill every worker; those that held nothing count for nothing."""
        for pid in self.pids:
            await self._kill(pid)
        self.pids = []

    async def die_at(self, name: Failpoint, lane: Lane, *, times: int = 1) -> bool:
        """Let a worker die at a failpoint over one connection, as soon as its lease can be had; False if none did."""
        end = time.monotonic() + _DIE_SECONDS
        while time.monotonic() < end:
            run_id = await self.stage.trigger(lane)
            await self._bring_about(name, lane)
            more: dict[str, Any] = {"failpoint": f"{name}:{times}", "slice_seconds": 0 if name in _SLICED else 240}
            started = self.workers.tick if name in _TICKING else None
            pid = await (started(**more) if started else self.workers.run(lane.own, run_id, **more))
            if await self.workers.ended(pid) == -signal.SIGKILL:
                rows = await self._held(pid)
                self.kills.append(Kill(datetime.now(UTC), name, rows))
                await self._due_at_once(lane)
                return True
            await self._due_at_once(lane)
            await asyncio.sleep(_LOOK_SECONDS)
        return False

    async def watch(self) -> None:
        """See when what was held is taken by another; never ends."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            for each in [held for kill in self.kills for held in kill.held if not held.settled]:
                await self._look(each)

    async def all_resumed(self) -> None:
        """Wait until nothing is left that a killed worker held."""
        while any(not held.settled for kill in self.kills for held in kill.held):  # noqa: ASYNC110  (rows are looked at)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _look(self, held: Held) -> None:
        fence = await self.stage.one(
            "SELECT fence FROM connected_entity WHERE connection_id = $1 AND entity = $2",
            held.connection_id,
            held.entity,
        )
        still = await self.stage.one(f"{_OPEN} AND connection_id = $1 AND entity = $2", held.connection_id, held.entity)
        if fence != held.fence:
            held.resumed_s, held.settled = time.monotonic() - held.killed, True
        elif not still:
            held.settled = True

    async def _kill(self, pid: int) -> None:
        code = await self.workers.kill(pid)
        held = await self._held(pid)  # its lease outlives it, so this tells what it held when it died
        if code == -signal.SIGKILL and held:
            self.kills.append(Kill(datetime.now(UTC), None, held))

    async def _held(self, pid: int) -> list[Held]:
        rows = await self.stage.behind.fetch(_HELD, str(pid))
        return [Held(row[0], row[1], row[2], time.monotonic()) for row in rows]

    async def _bring_about(self, name: Failpoint, lane: Lane) -> None:
        if name in _BEFORE:
            await self.stage.behind.execute(_BEFORE[name], lane.connection_id)
        if name in _FAILING:
            await lane.source.admin.add_fault("status", status=502, entity="orders")

    async def _due_at_once(self, lane: Lane) -> None:
        """Spare a waiting run its wait, which is no part of what is measured."""
        await lane.source.admin.clear_faults()
        await self.stage.behind.execute(
            "UPDATE sync_run SET next_attempt_at = now() WHERE status = 'WAITING' AND connection_id = $1",
            lane.connection_id,
        )
