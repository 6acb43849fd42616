"""What a failed write means: lost, not even sent, or refused; and whether its key may be used again."""

from typing import Any, Final

from connectors.base import Wire
from connectors.errors import BadResponse, ConnectorError, OutcomeUnknown, RateLimited, SourceFault, SourceUnavailable
from db.models.connection import ConnectionStatus
from db.models.sync import SourceError
from db.models.write import UserError
from db.types import RETRYABLE, ErrorCode, Problem
from jobs import retry
from jobs.health import source_error

LOST: Final = SourceError(
    code=ErrorCode.OUTCOME_UNKNOWN,
    message="The answer to this write was lost; it may have taken effect.",
    remedy="Wait: the operation is looked up in the source by itself. Do not send the change again.",
)
_QUICK_LOOKS: Final = 12
_MENDED: Final = RETRYABLE | {ErrorCode.REAUTHORIZATION_REQUIRED, ErrorCode.SOURCE_PERMISSION}
"""Failures before any effect after which the same change may succeed: their idempotency key is let go."""


def problems_of(error: ConnectorError) -> tuple[Problem, ...]:
    """Tell a source's failure, by field where the source names fields."""
    return error.problems or (Problem(error.code, error.message, None, error.source_message),)


def lost(error: ConnectorError, wire: Wire) -> bool:
    """Tell whether nobody knows if a write took effect."""
    if not wire.requests:
        return False
    unavailable = isinstance(error, SourceUnavailable) and error.sent
    return unavailable or isinstance(error, (OutcomeUnknown, SourceFault, BadResponse))


def failed(
    problems: tuple[Problem, ...], *, error: ConnectorError | None = None, effect: bool = False
) -> dict[str, Any]:
    """Give what an operation keeps of its failure.

    Args:
        error: The source's, where it was one.
        effect: A part of it took effect, so that the same key must not do it again.
    """
    first = problems[0]
    told = SourceError(code=first.code, message=first.message[:2000], source_message=first.source_message)
    kept = source_error(error) if error is not None else told
    let_go = {"key_claim": None} if first.code in _MENDED and not effect else {}
    return {"error": kept.model_dump(mode="json"), **let_go}


def stored(problem: Problem) -> dict[str, Any]:
    """Give a problem as it is kept with its operation."""
    return UserError(
        code=problem.code,
        path=list(problem.path) if problem.path else None,
        message=problem.message[:10_000],
        source_message=problem.source_message[:10_000] if problem.source_message else None,
    ).model_dump(mode="json")


def told(kept: Any) -> Problem:
    """Give the problem again of what `stored` gave."""
    path = tuple(kept["path"]) if kept["path"] else None
    return Problem(ErrorCode(kept["code"]), kept["message"], path, kept["source_message"])


def not_writable(status: ConnectionStatus) -> Problem:
    """Tell that a connection's status forbids writes."""
    codes = {
        ConnectionStatus.REAUTHORIZATION_REQUIRED: ErrorCode.REAUTHORIZATION_REQUIRED,
        ConnectionStatus.UNREACHABLE: ErrorCode.SOURCE_UNREACHABLE,
    }
    message = f"The connection is {status.value}; nothing can be written to it."
    return Problem(codes.get(status, ErrorCode.CONFLICT), message, ("connectionId",))


def wait_seconds(attempt: int, error: ConnectorError) -> float:
    """Give how long to wait before a call is made again: as long as the source asked for, else backing off."""
    asked = error.retry_after_s if isinstance(error, RateLimited) else None
    return asked if asked is not None else min(retry.delay(attempt), 5.0 * 2**attempt)


def look_wait_seconds(looks: int, error: ConnectorError) -> float:
    """Give how long to wait after a look that failed: soon at first, then less and less often, for hours if need be."""
    asked = error.retry_after_s if isinstance(error, RateLimited) else None
    return asked if asked is not None else min(0.5 * 2.0 ** min(looks, 10), 300.0 if looks > _QUICK_LOOKS else 8.0)
