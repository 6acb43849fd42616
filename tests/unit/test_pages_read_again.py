"""How benchmarks/crash.py counts what a kill made somebody read again."""

from datetime import UTC, datetime, timedelta

from benchmarks.crashes.repeats import counted

START = datetime(2026, 6, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def reads(*told: tuple[float, str]) -> list[dict[str, str]]:
    return [{"at": at(seconds).isoformat(), "target": target} for seconds, target in told]


def test_pages_are_counted_against_the_kill_before_them() -> None:
    calls = reads((1, "a"), (2, "b"), (4, "b"), (5, "c"), (7, "b"), (8, "c"), (9, "d"))

    assert counted(calls, begun=[at(0)], killed=[at(3), at(6)]) == [0, 1, 2]


def test_the_next_run_may_read_everything_again() -> None:
    calls = reads((1, "a"), (2, "b"), (11, "a"), (12, "b"), (14, "b"))

    assert counted(calls, begun=[at(0), at(10)], killed=[at(13)]) == [0, 1]


def test_pages_read_again_without_a_kill_are_seen_too() -> None:
    assert counted(reads((1, "a"), (2, "a")), begun=[at(0)], killed=[]) == [1]
