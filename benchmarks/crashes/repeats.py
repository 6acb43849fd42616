"""How many pages each kill made somebody read again, from the ledgers' own logs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from benchmarks.crashes.fleet import Kill
from benchmarks.crashes.stage import Lane, Stage
from sandbox.kit.client import JsonObject

_PAGES: Final = frozenset({"orders", "lines"})
_RUNS: Final = (
    "SELECT started_at FROM sync_run WHERE connection_id = $1 AND entity = 'PURCHASE_ORDER' AND started_at IS NOT NULL"
    " ORDER BY started_at"
)


async def pages_read_again(stage: Stage, lane: Lane, kills: Sequence[Kill]) -> list[int]:
    """Give for each kill of a lane's workers how many pages were read again before the next."""
    begun = [row[0] for row in await stage.behind.fetch(_RUNS, lane.connection_id)]
    calls = [call for call in await lane.source.admin.calls() if call["entity"] in _PAGES and call["status"] == 200]
    return counted(calls, begun=begun, killed=_times(lane.connection_id, kills))


def counted(calls: Sequence[JsonObject], *, begun: Sequence[datetime], killed: Sequence[datetime]) -> list[int]:
    """Count by kill the pages that a run had read before.

    Args:
        calls: Answered reads of pages, in order: at, target.
        begun: When each run began.
        killed: When each worker was killed.
    """
    known: set[str] = set()
    again = [0] * (len(killed) + 1)  # the first for what is read again before any kill
    run = kill = 0
    for call in calls:
        at = datetime.fromisoformat(call["at"])
        while kill < len(killed) and killed[kill] <= at:
            kill += 1
        while run < len(begun) and begun[run] <= at:
            run += 1
            known = set()
        again[kill] += call["target"] in known
        known.add(call["target"])
    return again


def _times(connection_id: UUID, kills: Sequence[Kill]) -> list[datetime]:
    return sorted(kill.at for kill in kills if any(held.connection_id == connection_id for held in kill.held))
