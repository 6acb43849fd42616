"""Late commits: changes that are stamped now and can be seen only later, as of long transactions in a real system."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.kit.log import caused_by


@dataclass(frozen=True, slots=True)
class _Pending:
    key: str
    apply: Callable[[], object]
    at: datetime | None
    call: int | None


class Late:
    """What was stamped and cannot be seen yet."""

    def __init__(self) -> None:
        self._pending: list[_Pending] = []

    def __len__(self) -> int:
        """Count them."""
        return len(self._pending)

    @property
    def keys(self) -> set[str]:
        """Documents that nobody else may edit meanwhile, as a database's row locks have it."""
        return {each.key for each in self._pending}

    def put(
        self,
        key: str,
        apply: Callable[[], object],
        *,
        now: datetime,
        call: int,
        seconds: float | None = None,
        calls: int | None = None,
    ) -> None:
        """Keep a change back for `seconds` of the system's clock, or until so many more calls have come in.

        Args:
            apply: Makes the change, with the stamp that it was given.
            call: Number of the last call.
        """
        at = None if seconds is None else now + timedelta(seconds=seconds)
        self._pending.append(_Pending(key, apply, at, None if calls is None else call + calls))

    def commit(self, *, now: datetime, call: int) -> None:
        """Let be seen what is due; those with neither a time nor a number of calls wait for `commit_all`."""
        for each in list(self._pending):
            if (each.at is not None and each.at <= now) or (each.call is not None and each.call < call):
                self._apply(each)

    def commit_all(self) -> None:
        """Let all be seen."""
        for each in list(self._pending):
            self._apply(each)

    def clear(self) -> None:
        """Forget all: they are rolled back."""
        self._pending.clear()

    def _apply(self, each: _Pending) -> None:
        self._pending.remove(each)
        with caused_by("late"):
            each.apply()
