"""How fast a pass goes, and when it will have read all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.base import Feed

_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Pace:
    """How far a run has come, as it is told (see SyncRun)."""

    total: int | None
    worked_ms: int
    items_per_second: Decimal | None
    estimated_end_at: datetime | None


def pace(*, fetched: int, total: int | None, worked_ms: int, now: datetime) -> Pace:
    """Tell the average rate since the run began, and when it will have read all at that rate."""
    worked_ms = max(worked_ms, 1)
    rate = Decimal(fetched * 1000) / worked_ms
    left = None if total is None else total - fetched
    end = now + timedelta(seconds=float(left / rate)) if left is not None and left > 0 and rate else None
    return Pace(total, worked_ms, rate.quantize(_TENTH), end)


def total_of(feeds: Iterable[Feed], stands: Mapping[str, Mapping[str, Any]]) -> int | None:
    """Tell how many items a pass reads, once every feed of it has told; None until then.

    A feed of parts counts its parts, which are not items; a pass that reads one has no total.

    Args:
        stands: Feed → how it stands, with the `total` it told.
    """
    totals = [stands.get(feed.name, {}).get("total") if feed.full else None for feed in feeds]
    return sum(each for each in totals if each is not None) if totals and None not in totals else None
