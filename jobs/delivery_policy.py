"""What follows from an attempt: a pure function of its outcome and of how often it was tried."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal
from uuid import UUID

from db.models.webhook import DeliveryState, EndpointEnd

RETRY_SECONDS: Final = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each attempt, after the one before: at once, 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 hours."""
JITTER: Final = 0.2
LONGEST_RETRY_AFTER: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """How deliveries are sent.

    Attributes:
        retry_seconds: Seconds before each attempt; their number is that of the attempts.
        disable_after_seconds: An endpoint that only fails for so long is disabled.
        lease_seconds: How long a delivery waits for a process that died while sending it.
        at_once: The most that one process sends to one endpoint at a time.
        most: The most that one process sends at a time.
    """

    retry_seconds: tuple[int, ...] = RETRY_SECONDS
    disable_after_seconds: float = 5 * 86_400.0
    lease_seconds: float = 30.0
    at_once: int = 16
    most: int = 1_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from an attempt.

    Attributes:
        state: Where the delivery is now.
        delay_s: Seconds until the next attempt, where there is one.
        disable: Why its endpoint is disabled, where it is.
    """

    state: DeliveryState
    delay_s: float | None = None
    disable: EndpointEnd | None = None


def decide(
    policy: DeliveryPolicy,
    *,
    status: int | None,
    retry_after_s: float | None,
    tries: int,
    failing_for_s: float | None,
    test: bool,
    jitter: float,
) -> Verdict:
    """Decide what follows: 2xx alone is a success, 410 ends the endpoint, all else is tried again for a time.

    Args:
        status: The HTTP status; None where no answer came.
        retry_after_s: What the endpoint asked for.
        tries: Attempts so far, this one included.
        failing_for_s: How long the endpoint had only failed before this attempt.
        test: It is a test, which disables nothing.
        jitter: 0 to 1.
    """
    if status is not None and 200 <= status < 300:
        return Verdict(DeliveryState.SUCCEEDED)
    if status == 410 and not test:
        return Verdict(DeliveryState.FAILED, disable=EndpointEnd.GONE)
    long = not test and failing_for_s is not None and failing_for_s >= policy.disable_after_seconds
    disable = EndpointEnd.FAILING if long else None
    if tries >= len(policy.retry_seconds) or status == 410:
        return Verdict(DeliveryState.FAILED, disable=disable)
    planned = policy.retry_seconds[tries] * (1 - JITTER + 2 * JITTER * jitter)
    asked = min(retry_after_s or 0.0, LONGEST_RETRY_AFTER)
    return Verdict(DeliveryState.PENDING, max(planned, asked), disable)


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Read Retry-After: seconds, or an HTTP date; None where it is neither."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (at - now).total_seconds()) if at.tzinfo is not None else None


Hurry = Literal["SLOW", "QUICK"]


class Rooms:
    """How many posts to each endpoint may be under way: one that does not answer is sent one at a time.

    What hangs takes ten seconds of a place; refusals are quick and take nobody's. So that many endpoints that hang
    take no places from others, a time-out halves an endpoint's room and an answer adds to it.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._room: dict[UUID, int] = {}
        self._under_way: dict[UUID, int] = {}

    def begin(self, endpoint: UUID) -> None:
        """Note a post that begins."""
        self._under_way[endpoint] = self._under_way.get(endpoint, 0) + 1

    def end(self, endpoint: UUID, how: Hurry) -> None:
        """Note a post that ended."""
        left = self._under_way[endpoint] - 1
        if left:
            self._under_way[endpoint] = left
        else:
            del self._under_way[endpoint]
        room = self._room.get(endpoint, self._most)
        room = max(1, room // 2) if how == "SLOW" else min(self._most, room + 1)
        if room == self._most:
            self._room.pop(endpoint, None)
        else:
            self._room[endpoint] = room

    @property
    def under_way(self) -> int:
        """How many posts are under way."""
        return sum(self._under_way.values())

    def left(self) -> dict[UUID, int]:
        """Give the endpoints that take fewer than the most, and how many."""
        known = self._room.keys() | self._under_way.keys()
        return {each: max(0, self._room.get(each, self._most) - self._under_way.get(each, 0)) for each in known}
