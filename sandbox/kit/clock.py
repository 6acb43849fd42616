"""The time of a simulated system, which need not be ours, nor that of its own stamps."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any


def wall_clock() -> datetime:
    """Tell the time in UTC."""
    return datetime.now(UTC)


class Clock:
    """A clock that can be set, stopped, and told to stamp wrongly.

    Args:
        source: Where the time comes from, UTC.

    Attributes:
        offset: How far the system is from that: its Date header, its own time, its stamps.
        stamp_offset: How far its stamps are from its own time, as with application servers that disagree.
        frozen: Where it stands; None while it goes. Edits made meanwhile carry equal stamps.
    """

    def __init__(self, source: Callable[[], datetime] = wall_clock) -> None:
        self.source = source
        self.offset = timedelta()
        self.stamp_offset = timedelta()
        self.frozen: datetime | None = None

    def now(self) -> datetime:
        """Tell the system's own time, UTC."""
        return (self.frozen or self.source()) + self.offset

    def stamp(self) -> datetime:
        """Tell the time that a change is stamped with, UTC."""
        return self.now() + self.stamp_offset

    def freeze(self, at: datetime | None = None) -> None:
        """Stop, where it is or at an instant."""
        self.frozen = at or self.source()

    def reset(self) -> None:
        """Go again, and right."""
        self.offset = self.stamp_offset = timedelta()
        self.frozen = None

    def apply(self, asked: Mapping[str, Any]) -> None:
        """Set what is asked for: offset_seconds, stamp_offset_seconds, frozen.

        Raises:
            KeyError: There is no such setting.
        """
        if unknown := set(asked) - {"offset_seconds", "stamp_offset_seconds", "frozen"}:
            raise KeyError(f"no setting {', '.join(sorted(unknown))}")
        if "offset_seconds" in asked:
            self.offset = timedelta(seconds=asked["offset_seconds"])
        if "stamp_offset_seconds" in asked:
            self.stamp_offset = timedelta(seconds=asked["stamp_offset_seconds"])
        if "frozen" in asked:
            self.frozen = self.source() if asked["frozen"] else None

    def as_dict(self) -> dict[str, Any]:
        """Show how it is set."""
        return {
            "now": self.now().isoformat(),
            "offset_seconds": self.offset.total_seconds(),
            "stamp_offset_seconds": self.stamp_offset.total_seconds(),
            "frozen": self.frozen is not None,
        }
