"""What follows from an attempt at a delivery."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from db.models.webhook import DeliveryState, EndpointEnd
from jobs.delivery_policy import DeliveryPolicy, Rooms, Verdict, decide, retry_after_seconds

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE, TWO = UUID(int=1), UUID(int=2)


def decided(**more: object) -> Verdict:
    given = {
        "status": 500,
        "retry_after_s": None,
        "tries": 1,
        "failing_for_s": None,
        "test": False,
        "jitter": 0.5,
        **more,
    }
    return decide(DeliveryPolicy(), **given)  # type: ignore[arg-type]


def test_the_table_ends_after_ten_attempts_and_jitter_is_a_fifth_either_way() -> None:
    table = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert [decided(tries=n).delay_s for n in range(1, 10)] == pytest.approx(table)
    assert decided(tries=10) == Verdict(DeliveryState.FAILED)
    assert [decided(tries=2, jitter=at).delay_s for at in (0.0, 1.0)] == pytest.approx([240.0, 360.0])


def test_retry_after_puts_off_and_never_hastens_and_is_held_to_a_day() -> None:
    assert [decided(tries=2, retry_after_s=asked).delay_s for asked in (1.0, 600.0, 1e9)] == pytest.approx(
        [300.0, 600.0, 86_400.0]
    )


def test_410_ends_an_endpoint_but_a_test_ends_nothing() -> None:
    assert decided(status=410) == Verdict(DeliveryState.FAILED, disable=EndpointEnd.GONE)
    assert decided(status=410, test=True) == Verdict(DeliveryState.FAILED)
    assert decided(failing_for_s=432_000.0).disable is EndpointEnd.FAILING
    assert decided(failing_for_s=432_000.0, test=True).disable is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("9" * 40, None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


def test_an_endpoint_that_hangs_ends_with_one_place_and_wins_its_places_back() -> None:
    rooms = Rooms(8)
    for _ in range(8):
        rooms.begin(ONE)
    rooms.begin(TWO)
    assert (rooms.left(), rooms.under_way) == ({ONE: 0, TWO: 7}, 9)

    for _ in range(8):
        rooms.end(ONE, "SLOW")
    rooms.end(TWO, "QUICK")
    assert (rooms.left(), rooms.under_way) == ({ONE: 1}, 0)
    for _ in range(7):
        rooms.begin(ONE)
        rooms.end(ONE, "QUICK")
    assert rooms.left() == {}
