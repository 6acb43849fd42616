"""The account's local time: SuiteQL tells and compares stamps in it, without saying so."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

FORMAT: Final = 'YYYY-MM-DD"T"HH24:MI:SS'
_UNKNOWN: Final = timedelta(hours=24)
"""How far back to begin where the zone is not known: local time is at most 12 hours behind UTC, and 14 ahead."""
_SOON: Final = timedelta(hours=2)
"""No clock goes back by more: what changes later is stamped later, too."""
_NO_TIME: Final = timedelta(0)


class Zone:
    """Brings instants to the account's time and back.

    Args:
        name: IANA name; None where nobody told.
    """

    def __init__(self, name: str | None) -> None:
        self.name = name
        self._zone = ZoneInfo(name) if name else None

    def bound(self, since: datetime) -> str:
        """Give the local time at or before which every change since an instant is stamped.

        When clocks go back, an hour comes twice: changes of the second must not hide behind stamps of the first.
        """
        if self._zone is None:
            return f"{since.astimezone(UTC) - _UNKNOWN:%Y-%m-%dT%H:%M:%S}"
        local = since.astimezone(self._zone)
        soon = (since + _SOON).astimezone(self._zone)
        back = (local.utcoffset() or _NO_TIME) - (soon.utcoffset() or _NO_TIME)
        return f"{local.replace(tzinfo=None) - max(back, _NO_TIME):%Y-%m-%dT%H:%M:%S}"

    def instant(self, local: Any) -> datetime | None:
        """Read a stamp as an instant, UTC; None where there is none, or the zone is not known."""
        if not local or self._zone is None:
            return None
        return datetime.fromisoformat(str(local)).replace(tzinfo=self._zone).astimezone(UTC)
