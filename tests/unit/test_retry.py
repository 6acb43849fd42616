"""When a failed run is tried again."""

import pytest

from jobs.retry import BASE_SECONDS, CAP_SECONDS, delay


@pytest.mark.parametrize(
    ("attempt", "ceiling"),
    [(1, 30), (2, 60), (3, 120), (4, 240), (9, 7680), (10, 15360), (11, 21600), (12, 21600), (10_000, 21600)],
)
def test_the_longest_wait_doubles_from_30_seconds_to_6_hours(attempt: int, ceiling: int) -> None:
    assert delay(attempt, jitter=1.0) == ceiling
    assert delay(attempt, jitter=0.5) == ceiling / 2


def test_a_wait_is_never_shorter_than_a_second() -> None:
    assert delay(1, jitter=0.0) == 1.0
    assert delay(50, jitter=0.0) == 1.0


def test_a_wait_is_what_the_source_asked_for() -> None:
    assert delay(1, retry_after_s=45.0, jitter=1.0) == 45.0
    assert delay(9, retry_after_s=10.0, jitter=1.0) == 10.0
    assert delay(1, retry_after_s=0.2, jitter=0.0) == 1.0
    assert delay(20, retry_after_s=CAP_SECONDS * 2, jitter=1.0) == CAP_SECONDS * 2


def test_waits_without_a_given_jitter_spread_over_the_whole_range() -> None:
    waits = [delay(4) for _ in range(400)]

    assert all(1.0 <= each <= BASE_SECONDS * 8 for each in waits)
    assert min(waits) < BASE_SECONDS * 2
    assert max(waits) > BASE_SECONDS * 6
