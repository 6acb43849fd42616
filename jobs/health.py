"""What a source's answers, refusals and silences say of its connection: one table, and one way to record them.

Syncs, checks and writes record here, in the transaction that stores what became of them.

failure             touches        what follows                                     the run
ConfigError         the connection -                                                ends FAILED
AuthError           the connection REAUTHORIZATION_REQUIRED: schedules stop         ends FAILED
PermissionRefused   the entity     the entity is DEGRADED, the others go on         ends FAILED
RateLimited         the connection all calls rest until Retry-After                 waits until then
SourceUnavailable   the connection the third in a row opens the breaker             waits, longer each time
SourceFault         the entity     the third in a row opens the breaker             waits, longer each time
BadResponse         the entity     the entity is DEGRADED, the others go on         ends FAILED
OutcomeUnknown      the entity     -                                                -
WriteRejected, VersionConflict, Unsupported: the caller's own; nothing is recorded
Refused             a call that we did not let out (jobs/budget.py); nothing is recorded, the run waits

A waiting run and a write are told apart from the source's failures by `transient` of connectors.errors.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final, Literal
from uuid import UUID

from connectors import errors
from connectors.errors import ConnectorError, RateLimited
from db import health, statuses
from db.engine import WriteSession
from db.events import NewEvent
from db.health import IssueChange, Noted
from db.models.health import BreakerState
from db.models.sync import SourceError
from db.scope import Scope
from db.secrets import Sealed
from db.statuses import Change
from db.types import Entity, ErrorCode, Operation, encode_id
from jobs import retry
from jobs.budget import Refused

CHECK: Final = "CHECK"
UNANSWERED_TO_OPEN: Final = 3
FIRST_PROBE: Final = timedelta(seconds=30)


class Effect(Enum):
    """What follows for the connection."""

    NOTHING = auto()
    UNANSWERED = auto()
    PAUSE = auto()
    REAUTHORIZE = auto()


@dataclass(frozen=True, slots=True)
class Policy:
    """What a class of failures touches, and what follows.

    Attributes:
        extent: All of the connection, or the entity and operation that met it.
        recorded: It is the source's failure, not the caller's: it counts, and is kept.
    """

    extent: Literal["connection", "entity"]
    effect: Effect = Effect.NOTHING
    recorded: bool = True


POLICIES: Final[dict[type[ConnectorError], Policy]] = {
    ConnectorError: Policy("entity"),
    errors.ConfigError: Policy("connection"),
    errors.AuthError: Policy("connection", Effect.REAUTHORIZE),
    errors.PermissionRefused: Policy("entity"),
    errors.RateLimited: Policy("connection", Effect.PAUSE),
    errors.SourceUnavailable: Policy("connection", Effect.UNANSWERED),
    errors.SourceFault: Policy("entity", Effect.UNANSWERED),
    errors.BadResponse: Policy("entity"),
    errors.OutcomeUnknown: Policy("entity"),
    errors.WriteRejected: Policy("entity", recorded=False),
    errors.VersionConflict: Policy("entity", recorded=False),
    errors.Unsupported: Policy("entity", recorded=False),
    Refused: Policy("connection", recorded=False),
}


def policy_of(error: ConnectorError) -> Policy:
    """Give the policy of a failure: its class's own, or that of the nearest class above."""
    return next(POLICIES[of] for of in type(error).__mro__ if of in POLICIES)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure, and what was under way.

    Attributes:
        entity: The entity that was read or written; None for a check of the whole connection.
        operation: What was done to it, or CHECK.
        run_id, write_id: The run or the write operation that met it.
        attempts: Failures of that run in a row, this one included.
        tried: The credentials that were used; once others have taken their place, their refusal moves no status.
    """

    error: ConnectorError
    operation: Operation | Literal["CHECK"]
    entity: Entity | None = None
    run_id: UUID | None = None
    write_id: UUID | None = None
    attempts: int = 1
    tried: Sealed | None = None

    def waits(self) -> float:
        """Give the seconds until it may be tried again."""
        asked = self.error.retry_after_s if isinstance(self.error, RateLimited) else None
        return retry.delay(self.attempts, retry_after_s=asked)


async def failed(
    session: WriteSession, scope: Scope, failure: Failure, *, now: datetime, wait_s: float | None = None
) -> list[NewEvent]:
    """Record a failure of a source: its error, its issue, the connection's health and status.

    Args:
        session: The transaction that stores what became of the run, the check or the write.
        scope: The connection.
        failure: What failed; what is the caller's own (values refused, a stale version) is not recorded.
        now: The clock, UTC.
        wait_s: Seconds until it is tried again, where that has been drawn already.

    Returns:
        The events to append at the end of the transaction.
    """
    policy, error = policy_of(failure.error), failure.error
    if not policy.recorded:
        return []
    noted = _noted(failure, policy)
    opened = await health.note(session, scope, noted, now=now)
    until = now + timedelta(seconds=failure.waits() if wait_s is None else wait_s)
    breaker = await health.failed(
        session,
        scope,
        noted,
        now=now,
        threshold=UNANSWERED_TO_OPEN,
        probe_at=now + FIRST_PROBE,
        paused_until=until if policy.effect is Effect.PAUSE else None,
    )
    told = [] if opened is None else [issue_event("issue.opened", scope, opened)]
    what = _change(policy, breaker)
    reason = None if what is Change.ANSWERED else error.message
    moved = await statuses.change(session, scope, what, reason=reason, tried=failure.tried)
    return [*told, moved] if moved else told


async def succeeded(
    session: WriteSession,
    scope: Scope,
    *,
    operation: Operation | Literal["CHECK"],
    entity: Entity | None = None,
    now: datetime,
) -> list[NewEvent]:
    """Record a success of a source: it is healthy, what waited for it is due, and what it touches is resolved.

    Returns:
        The events to append at the end of the transaction.
    """
    resolved, silent = await health.succeeded(session, scope, entity=entity, operation=operation, now=now)
    told = [issue_event("issue.resolved", scope, issue) for issue in resolved]
    moved = await statuses.change(session, scope, Change.ANSWERED) if silent else None
    return [*told, moved] if moved else told


def _change(policy: Policy, breaker: BreakerState) -> Change:
    if policy.effect is Effect.REAUTHORIZE:
        return Change.REFUSED
    return Change.SILENT if breaker is BreakerState.OPEN else Change.ANSWERED


def _noted(failure: Failure, policy: Policy) -> Noted:
    error = source_error(failure.error)
    operation = str(failure.operation)
    touches: tuple[Entity | None, str | None] = (
        (None, None) if policy.extent == "connection" else (failure.entity, operation)
    )
    said = normalised(f"{error.message} {error.source_message or ''}")
    return Noted(
        entity=failure.entity,
        operation=operation,
        touches=touches,
        fingerprint="/".join((touches[0] or "*", touches[1] or "*", error.code, said)),
        answered=policy.effect is not Effect.UNANSWERED,
        error=error.model_dump(mode="json"),
        run_id=failure.run_id,
        operation_id=failure.write_id,
    )


_VARYING: Final = re.compile(
    r"""
    "[^"]*" | '[^']*'                          # quoted values
    | \b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b
    | \b[0-9a-f]{16,}\b
    | \d+(?:[.,:T+-]\d+)*Z?                    # numbers, dates, times
    """,
    re.VERBOSE | re.IGNORECASE,
)


def normalised(message: str) -> str:
    """Give what a message has in common with others of its kind: keys, numbers, times and quoted values are out."""
    return " ".join(_VARYING.sub("#", message).lower().split())[:200]


def source_error(error: ConnectorError) -> SourceError:
    """Keep a source's failure with its remedy."""
    return SourceError(
        code=ErrorCode(error.code),
        message=error.message[:2000],
        source_message=error.source_message[:2000] if error.source_message else None,
        remedy=error.remedy,
        reason=getattr(error, "reason", None),
    )


def issue_event(name: str, scope: Scope, issue: IssueChange) -> NewEvent:
    """Tell an issue that was opened or resolved."""
    data = {
        "connectionId": _told(scope),
        "issueId": encode_id("Issue", issue.id),
        "entity": issue.entity,
        "operation": issue.operation,
        "code": issue.code.value,
        "message": issue.message,
        "occurrences": issue.occurrences,
    }
    return NewEvent(name, data)


def _told(scope: Scope) -> str | None:
    return encode_id("ConnectedSystem", scope.connection_id) if scope.connection_id else None
