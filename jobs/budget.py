"""The call budget of each connection, shared by its syncs and writes over all processes; writes go first.

Each call to a source is let out by one statement in Postgres and given back by another, so that the limits hold
whichever process calls, a rest that a source asked for holds from the next call on, and nothing goes through an open
breaker. See docs/decisions/0010-call-budget-in-postgres.md.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import partial
from typing import Any, Final, cast
from uuid import uuid4

import structlog

from connectors.base import Limits
from connectors.errors import ConnectorError, RateLimited, Reason, SourceUnavailable
from db import budget
from db.budget import Answer
from db.engine import Database
from db.scope import Scope
from jobs.finish import finish
from jobs.held import renewing

log = structlog.get_logger(__name__)

STEP_BACK: Final = timedelta(seconds=0.4)
"""How long syncs step back for a write that waits; it asks again sooner than that."""


class Priority(Enum):
    """Who calls: a caller of the API waits for WRITE, nobody for SYNC."""

    WRITE = auto()
    SYNC = auto()


class Refused(ConnectorError):
    """A call was not let out; nothing was sent, and the source did not fail.

    Attributes:
        until: When it is worth asking again, UTC.
    """

    until: datetime


class HeldBack(Refused, RateLimited):
    """The call was not let out: the source asked for a rest, or its budget is used up. Nothing was sent."""

    remedy = "Wait; the source asked to be left alone, or is busy with other calls."

    def __init__(self, message: str, *, until: datetime, retry_after_s: float) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.until = until


class CutOff(Refused, SourceUnavailable):
    """The call was not let out: the source has not answered of late, and only checks go to it. Nothing was sent."""

    def __init__(self, message: str, *, reason: Reason, until: datetime) -> None:
        super().__init__(message, reason=reason, sent=False)
        self.until = until


@dataclass(frozen=True, slots=True)
class Budget:
    """Lets calls out to sources.

    Attributes:
        now: The clock, UTC.
        call_seconds: How long a call of a process that died counts as under way.
        patience_seconds: How long a call waits for room before it is refused.
    """

    database: Database
    now: Callable[[], datetime]
    call_seconds: float = 30.0
    patience_seconds: float = 60.0

    @asynccontextmanager
    async def call(
        self, scope: Scope, *, priority: Priority, limits: Limits, probe: bool = False
    ) -> AsyncIterator[None]:
        """Hold room for one call while the block runs; waits for it where there is none.

        Args:
            scope: The connection.
            priority: Writes pass syncs that wait.
            limits: How much the source bears.
            probe: The call goes through an open breaker.

        Raises:
            HeldBack: The source asked for a rest, or no room came free in time.
            CutOff: The breaker is open.
        """
        call = uuid4().hex[:12]
        try:
            await self._enter(scope, call, priority=priority, limits=limits, probe=probe)
            renew = partial(self._renew, scope, call)
            async with renewing(self.database, renew, seconds=self.call_seconds, failed="call_not_renewed"):
                yield
        finally:  # also where entering was cut short: the call may have been let out and counted by then
            await finish(self._leave(scope, call))

    async def _leave(self, scope: Scope, call: str) -> None:
        try:
            await budget.give_back(self.database, scope, call=call)
        except self.database.failures as error:
            log.warning("call_not_given_back", error=type(error).__name__)  # it lapses by itself

    async def _enter(self, scope: Scope, call: str, *, priority: Priority, limits: Limits, probe: bool) -> None:
        first = priority is Priority.WRITE
        asked = {"call": call, "first": first, "probe": probe, **shares(limits, priority)}
        until = time.monotonic() + self.patience_seconds
        while True:
            now = self.now()
            clock = {"now": now, "now_s": now.timestamp(), "step_back": now + STEP_BACK}
            lapses = {"lapses_s": now.timestamp() + self.call_seconds}
            answer = await budget.take(self.database, scope, {**asked, **clock, **lapses})
            if answer is not None and answer.verdict == "GO":
                return
            left = until - time.monotonic()
            wait_s = max(0.05 if first else 0.2, answer.wait_s if answer and answer.verdict == "RATE" else 0.0)
            refused = _refused(answer, now=now, wait_s=wait_s, left_s=left)
            if refused is not None:
                raise refused
            await asyncio.sleep(wait_s)

    async def _renew(self, scope: Scope, call: str) -> bool:
        lapses_s = self.now().timestamp() + self.call_seconds
        await budget.renew(self.database, scope, call=call, lapses_s=lapses_s)
        return True


def shares(limits: Limits, priority: Priority) -> dict[str, Any]:
    """Give what a call may take of the limits: syncs leave one of the slots and a fifth of the burst to writes."""
    sync = priority is Priority.SYNC
    slots = max(1, limits.at_once - 1) if sync else limits.at_once
    if limits.per_minute is None:
        return {"slots": slots, "apart": 0.0, "ahead": 0.0}
    apart = 60.0 / limits.per_minute
    burst = max(1, limits.burst - max(1, limits.burst // 5)) if sync else limits.burst
    return {"slots": slots, "apart": apart, "ahead": (burst - 1) * apart}


def _refused(answer: Answer | None, *, now: datetime, wait_s: float, left_s: float) -> Refused | None:
    """Give why a call is refused for good; None lets it wait."""
    if answer is None:
        return CutOff("The connection is gone.", reason="BLOCKED", until=now)
    if answer.verdict == "CUT_OFF":
        worked = f" (it last worked at {answer.last_success_at:%Y-%m-%dT%H:%M:%SZ})" if answer.last_success_at else ""
        message = f"The source does not answer{worked}; calls go out again once a check succeeds."
        reason = cast("Reason", answer.reason)  # none where its server answered, and failed
        return CutOff(message, reason=reason, until=answer.probe_at or now)
    if answer.verdict == "PAUSED" and answer.paused_until is not None:
        rest_s = (answer.paused_until - now).total_seconds()
        return HeldBack("The source asked to be left alone.", until=answer.paused_until, retry_after_s=rest_s)
    if wait_s > left_s:
        until = now + timedelta(seconds=wait_s)
        return HeldBack("The source is busy with other calls.", until=until, retry_after_s=wait_s)
    return None
