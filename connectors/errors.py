"""What can go wrong with a source: what happened, who can fix it, does waiting help.

ConnectorError              code                      waiting helps   who fixes it
├─ ConfigError              BAD_USER_INPUT            no              customer: host, database, company
├─ AuthError                REAUTHORIZATION_REQUIRED  no              customer: credentials
├─ PermissionRefused        SOURCE_PERMISSION         no              customer: rights of the user
├─ RateLimited              SOURCE_RATE_LIMITED       yes             time
├─ SourceUnavailable        SOURCE_UNREACHABLE        yes             the source, or the way to it
├─ SourceFault              SOURCE_ERROR              yes             the source (5xx)
├─ BadResponse              SOURCE_ERROR              no              us: the answer is not what we know
├─ WriteRejected            SOURCE_REJECTED           no              the caller: values, with paths
├─ VersionConflict          CONFLICT                  no              the caller: read again, decide again
├─ Unsupported              UNSUPPORTED               no              nobody: the system cannot
└─ OutcomeUnknown           OUTCOME_UNKNOWN           no              us: look up, then decide
MappingError                one item does not fit; it is quarantined and the page goes on
"""

from typing import ClassVar, Literal

from db.types import ErrorCode, Problem

Reason = Literal["DNS", "CONNECT", "TLS", "TIMEOUT", "RESET", "BLOCKED"]


class ConnectorError(Exception):
    """Base of all failures of a source.

    Attributes:
        message: One sentence for people, free of secrets.
        source_message: The source's own words, when it spoke.
        remedy: What to do about it.
        problems: The same told per field, where the source names fields.
    """

    code: ClassVar[ErrorCode] = ErrorCode.SOURCE_ERROR
    transient: ClassVar[bool] = False
    remedy: str = "Look at the source's own message."

    def __init__(
        self,
        message: str,
        *,
        source_message: str | None = None,
        remedy: str | None = None,
        problems: tuple[Problem, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.source_message = source_message
        self.problems = problems
        if remedy is not None:
            self.remedy = remedy


class ConfigError(ConnectorError):
    """The address, database or company is wrong."""

    code = ErrorCode.BAD_USER_INPUT
    remedy = "Correct the address, database or company and connect again."


class AuthError(ConnectorError):
    """The source refused the credentials."""

    code = ErrorCode.REAUTHORIZATION_REQUIRED
    remedy = "Enter working credentials with reauthorizeConnection."


class PermissionRefused(ConnectorError):
    """The credentials are right, but may not do this."""

    code = ErrorCode.SOURCE_PERMISSION
    remedy = "Ask the source's administrator to grant the user this right."


class RateLimited(ConnectorError):
    """The source asked us to slow down."""

    code = ErrorCode.SOURCE_RATE_LIMITED
    transient = True
    remedy = "Wait; the call is made again by itself."

    def __init__(self, message: str, *, retry_after_s: float | None = None, source_message: str | None = None) -> None:
        super().__init__(message, source_message=source_message)
        self.retry_after_s = retry_after_s


class SourceUnavailable(ConnectorError):
    """No answer came; `reason` says how far the call got."""

    code = ErrorCode.SOURCE_UNREACHABLE
    transient = True
    remedy = "Check that the source is up and reachable from here; calls resume by themselves."

    def __init__(self, message: str, *, reason: Reason, sent: bool, source_message: str | None = None) -> None:
        super().__init__(message, source_message=source_message)
        self.reason: Reason = reason
        self.sent = sent
        """True when the request may have reached the source: a write's outcome is then unknown."""


class SourceFault(ConnectorError):
    """The source answered, but failed (5xx)."""

    transient = True
    remedy = "The source failed; the call is made again by itself."


class BadResponse(ConnectorError):
    """The answer is not what this connector knows."""

    remedy = "Report it: the connector does not know this answer."


class WriteRejected(ConnectorError):
    """The source refused the values; nothing was changed."""

    code = ErrorCode.SOURCE_REJECTED
    remedy = "Correct the values that the source names and send the change again."


class VersionConflict(ConnectorError):
    """The record changed in the source since the caller read it."""

    code = ErrorCode.CONFLICT
    remedy = "Read the record again and decide again."


class Unsupported(ConnectorError):
    """The system cannot do this."""

    code = ErrorCode.UNSUPPORTED
    remedy = "Ask the connection's capabilities first."


class OutcomeUnknown(ConnectorError):
    """A write left, and its answer was lost."""

    code = ErrorCode.OUTCOME_UNKNOWN
    remedy = "Look the reference up in the source before sending the change again."


class MappingError(Exception):
    """One item does not fit the model; the message says which field and why."""
