"""How fast a pass goes, told from what was read and how long it took."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from connectors.base import Feed
from db.types import Entity
from jobs.pace import Pace, pace, total_of

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
WHOLE = Feed(Entity.VENDOR, "whole", timedelta(hours=1), cursor="changed", tie_break="id")
OTHER = Feed(Entity.VENDOR, "other", timedelta(hours=1), cursor="changed", tie_break="id")
PARTS = Feed(Entity.VENDOR, "parts", timedelta(hours=1), full=False, cursor="changed", tie_break="id")


@pytest.mark.parametrize(
    ("fetched", "total", "worked_ms", "rate", "seconds_left"),
    [
        (500, 2000, 2_000, "250.0", 6),
        (1, 3, 3_000, "0.3", 6),
        (2000, 2000, 8_000, "250.0", None),  # all is read
        (2001, 2000, 8_000, "250.1", None),  # rows came while it was read
        (500, None, 2_000, "250.0", None),  # the source tells no total
        (0, 2000, 10, "0.0", None),
        (0, 0, 0, "0.0", None),
    ],
)
def test_the_pace_is_an_average_over_the_time_worked(
    fetched: int, total: int | None, worked_ms: int, rate: str, seconds_left: int | None
) -> None:
    end = None if seconds_left is None else NOON + timedelta(seconds=seconds_left)

    told = pace(fetched=fetched, total=total, worked_ms=worked_ms, now=NOON)

    assert told == Pace(total, max(worked_ms, 1), Decimal(rate), end)


@pytest.mark.parametrize(
    ("feeds", "stands", "total"),
    [
        ([WHOLE], {"whole": {"total": 7}}, 7),
        ([WHOLE], {"whole": {"total": None}}, None),
        ([WHOLE], {}, None),
        ([WHOLE, OTHER], {"whole": {"total": 7}}, None),
        ([WHOLE, OTHER], {"whole": {"total": 7}, "other": {"total": 0}}, 7),
        ([WHOLE, PARTS], {"whole": {"total": 7}, "parts": {"total": 3}}, None),
        ([], {}, None),
    ],
)
def test_a_total_is_told_once_all_feeds_have_told_theirs(
    feeds: list[Feed], stands: dict[str, dict[str, int]], total: int | None
) -> None:
    assert total_of(feeds, stands) == total
