"""How long a source asks to be left alone: the header Retry-After (RFC 9110, section 10.2.3)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Give the seconds to wait, from a number or a date; None where there is neither.

    Args:
        headers: Of the answer, names in lower case.
        now: When the answer came, for a date; the source's own clock is in its Date header, and goes first.
    """
    told = headers.get("retry-after", "").strip()
    if told.isdigit():
        return float(told)
    until = _instant(told)
    if until is None:
        return None
    present = _instant(headers.get("date", "")) or now or datetime.now(UTC)
    return max((until - present).total_seconds(), 0.0)


def _instant(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
