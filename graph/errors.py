"""The errors of the API: one class, one closed list of codes, nothing unexpected told."""

import re
from dataclasses import dataclass
from typing import Any, Final

from graphql import GraphQLError

from db.engine import Database
from db.types import RETRYABLE, ErrorCode, InvalidId

UNAVAILABLE: Final = Database.unreachable
RETRY_SECONDS: Final = 2
"""After how long a store that is down is asked again."""
_FAR: Final = 10**15
_VALUES: Final = re.compile(r"(, found: .+|: [\[{].+)(?=\.$)|: [\[{].+", re.DOTALL)
"""What graphql-core shows of a wrong input: whole objects, with the credentials in them."""
_LONGEST: Final = 1_000
"""Messages of the language repeat what they were given."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code means to a caller.

    Attributes:
        remedy: Who does what about it, where the error itself says nothing better.
        status: HTTP status of a request that is refused with it.
    """

    remedy: str
    status: int = 400


MEANINGS: Final = {
    ErrorCode.UNAUTHENTICATED: Meaning("Send a live token; an organization key with the scope ADMIN issues them.", 401),
    ErrorCode.FORBIDDEN: Meaning("Use a token whose scope allows it.", 403),
    ErrorCode.NOT_FOUND: Meaning("Check the id, and that the token sees what it names."),
    ErrorCode.BAD_USER_INPUT: Meaning("Correct the document or its values where the message says."),
    ErrorCode.UNSUPPORTED: Meaning("Ask the connection's capabilities first."),
    ErrorCode.CONFLICT: Meaning("Read again and decide again."),
    ErrorCode.IDEMPOTENCY_CONFLICT: Meaning("Use a new idempotency key for another input."),
    ErrorCode.REAUTHORIZATION_REQUIRED: Meaning("Enter working credentials with reauthorizeConnection."),
    ErrorCode.SOURCE_UNREACHABLE: Meaning("Wait; if it lasts, check that the source is up and reachable from here."),
    ErrorCode.SOURCE_RATE_LIMITED: Meaning("Wait as long as retryAfterSeconds says."),
    ErrorCode.SOURCE_PERMISSION: Meaning("Ask the source's administrator to grant the user this right."),
    ErrorCode.SOURCE_REJECTED: Meaning("Correct the values that the source names and send the change again."),
    ErrorCode.SOURCE_ERROR: Meaning("Wait; if it lasts, show sourceMessage to the source's administrator."),
    ErrorCode.OUTCOME_UNKNOWN: Meaning(
        "Follow the write operation until it is settled; do not send the change again under another key."
    ),
    ErrorCode.CREDITS_EXHAUSTED: Meaning("Disconnect a system, or ask the operator for more credits."),
    ErrorCode.RATE_LIMITED: Meaning("Wait as long as retryAfterSeconds says, or ask for less at once.", 429),
    ErrorCode.QUERY_TOO_COMPLEX: Meaning("Ask for less at once."),
    ErrorCode.SEQUENCE_EXPIRED: Meaning("Read the records anew, then follow from the newest sequence."),
    ErrorCode.UNAVAILABLE: Meaning("Ask again soon.", 503),
    ErrorCode.INTERNAL: Meaning("Tell the operator the request id; the log says what happened.", 500),
}
"""What each code means; docs/errors.md tells the same."""


class ApiError(GraphQLError):
    """A failure that the caller is told about.

    Args:
        code: What kind of failure it is.
        message: One sentence, free of internals.
        details: Further extensions, such as connectionId or retryAfterSeconds.
    """

    def __init__(self, code: ErrorCode, message: str, **details: Any) -> None:
        super().__init__(message, extensions=extensions_of(code, **details))
        self.code = code


def extensions_of(code: ErrorCode, **details: Any) -> dict[str, Any]:
    """Give the extensions of an error with this code."""
    return {"code": code.value, "retryable": code in RETRYABLE, "remedy": MEANINGS[code].remedy, **details}


def bad_input(message: str, **details: Any) -> ApiError:
    """Make a BAD_USER_INPUT error."""
    return ApiError(ErrorCode.BAD_USER_INPUT, message, **details)


def unavailable() -> ApiError:
    """Make the error of a store that is down."""
    message = "The store is not available; ask again soon."
    return ApiError(ErrorCode.UNAVAILABLE, message, retryAfterSeconds=RETRY_SECONDS)


def too_complex(what: str, found: float | str, limit: int, *, advice: str | None = None) -> ApiError:
    """Make a QUERY_TOO_COMPLEX error.

    Args:
        what: What was counted, in the plural.
        found: How many there are, or what is known of that.
        limit: How many there may be; 0 where that is no number of them.
        advice: What to do about it, where it is not obvious.
    """
    number = found if isinstance(found, str) else f"{_shown(found):,}"
    allowed = f"; a request may have {limit:,}" if limit else ""
    message = f"The request has {number} {what}{allowed}."
    counted = {} if isinstance(found, str) else {"counted": _shown(found)}
    remedy = {"remedy": advice} if advice else {}
    return ApiError(ErrorCode.QUERY_TOO_COMPLEX, message, what=what, **counted, limit=limit, **remedy)


def refusal_of(what: str, detail: str) -> ApiError:
    """Make the error of a statement that refused to answer (db.told.refusal)."""
    if what == "HISTORY_EXPIRED":
        message = f"Versions before {detail} were deleted; give a later asOf."
        return bad_input(message, reason=what, historySince=detail)
    if what == "HISTORY_TOO_LONG":
        message = f"More than {int(detail):,} versions ended since asOf; a list would have to look at all of them."
        advice = "Give a later asOf, or read without filter, orderBy and totalCount."
        return ApiError(ErrorCode.QUERY_TOO_COMPLEX, message, reason=what, limit=int(detail), remedy=advice)
    if what == "TOO_MANY_GROUPS":
        return too_complex("groups", f"more than {int(detail):,}", int(detail), advice="Filter, or group by less.")
    if what == "SEQUENCE_EXPIRED":
        message = f"Events before number {detail} were deleted."
        return ApiError(ErrorCode.SEQUENCE_EXPIRED, message, oldestSequence=detail)
    if what == "SEQUENCE_AHEAD":
        message = f"The connection's last event has number {detail}; afterSequence lies beyond it."
        return bad_input(message, reason=what, lastSequence=detail)
    raise ValueError(f"{what} is no refusal of ours")


def _shown(found: float) -> int:
    """Give a count as a number that every reader of JSON can hold."""
    return int(min(found, _FAR))


def told(error: GraphQLError, *, request_id: str) -> GraphQLError:
    """Make the error that leaves the process.

    Errors of ours and of the GraphQL language keep their message; anything
    else was unexpected, and says only where to look for it.
    """
    original = error.original_error
    message = error.message
    if isinstance(error, ApiError) or isinstance(original, ApiError):
        ours = error if isinstance(error, ApiError) else original
        extensions = getattr(ours, "extensions", None) or {}
    elif isinstance(original, InvalidId):
        message, extensions = str(original), extensions_of(ErrorCode.BAD_USER_INPUT)
    elif isinstance(original, UNAVAILABLE):
        ours = unavailable()
        message, extensions = ours.message, ours.extensions or {}
    elif is_unexpected(error):
        message = "Something failed on our side. Tell us the request id."
        extensions = extensions_of(ErrorCode.INTERNAL)
    else:
        message, extensions = _VALUES.sub("", message), extensions_of(ErrorCode.BAD_USER_INPUT)
    return GraphQLError(
        message if len(message) <= _LONGEST else f"{message[:_LONGEST]} …",
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={**extensions, "requestId": request_id},
    )


def is_unexpected(error: GraphQLError) -> bool:
    """Tell whether nobody foresaw this error."""
    original = error.original_error
    return original is not None and not isinstance(original, (GraphQLError, InvalidId, *UNAVAILABLE))


def code_of(error: GraphQLError) -> str:
    """Give the code of a told error."""
    return str((error.extensions or {}).get("code", ErrorCode.INTERNAL.value))
