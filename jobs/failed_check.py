"""Why a live check failed, in words for the customer who entered the credentials."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from connectors import errors
from connectors.errors import ConnectorError
from db.types import ErrorCode, Problem

Kind = Literal["FORM", "CREDENTIALS", "PERMISSION", "ADDRESS", "SYSTEM", "ORGANIZATION"]


@dataclass(frozen=True, slots=True)
class CheckFailed:
    """A check that failed.

    Attributes:
        kind: Who can mend it: FORM, CREDENTIALS and ADDRESS who filled the form, PERMISSION the system's
            administrator, SYSTEM time or the system's operator, ORGANIZATION who sent the link.
        message: What happened.
        remedy: What to do about it.
        source_message: The system's own words.
        fields: Field of the form → what is wrong with it.
    """

    kind: Kind
    code: ErrorCode
    message: str
    remedy: str
    source_message: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


_KINDS: Final[Mapping[type[ConnectorError], tuple[Kind, str | None]]] = {
    errors.AuthError: ("CREDENTIALS", "Correct the user and password, or the client and its secret, and check again."),
    errors.PermissionRefused: ("PERMISSION", None),
    errors.SourceUnavailable: (
        "ADDRESS",
        "Correct the address; if it is right, the system must be up and reachable from the internet.",
    ),
    errors.ConfigError: ("ADDRESS", "Correct the address and what names the company or database, and check again."),
    errors.RateLimited: ("SYSTEM", "Wait a minute and check again."),
    errors.SourceFault: ("SYSTEM", "Wait a minute and check again; if it lasts, tell the system's administrator."),
    ConnectorError: ("SYSTEM", None),
}
"""Class of failure → its kind, and what the customer can do; None tells what the failure itself says."""


def failed_check(error: ConnectorError) -> CheckFailed:
    """Tell a failure of the source."""
    kind, remedy = next(_KINDS[of] for of in type(error).__mro__ if of in _KINDS)
    return CheckFailed(kind, error.code, error.message, remedy or error.remedy, error.source_message)


def failed_form(problems: list[Problem]) -> CheckFailed:
    """Tell what is wrong with the form; paths begin with the form's name."""
    fields = {problem.path[1]: _plain(problem) for problem in problems if problem.path and len(problem.path) > 1}
    general = [_plain(problem) for problem in problems if not problem.path or len(problem.path) == 1]
    message = " ".join(general) or "Some fields need another value."
    return CheckFailed("FORM", problems[0].code, message, "Correct the form and check again.", fields=fields)


def _plain(problem: Problem) -> str:
    """Leave out the field's name, which begins a form's messages, and pydantic's own prefix."""
    _, _, told = problem.message.partition(": ")
    told = (told or problem.message).removeprefix("Value error, ")
    return told[:1].upper() + told[1:]


def no_room() -> CheckFailed:
    """Tell that the organization cannot connect another system."""
    return CheckFailed(
        "ORGANIZATION",
        ErrorCode.CREDITS_EXHAUSTED,
        "The system works, but cannot be connected at the moment.",
        "Tell whoever sent you the link that their plan has no room for another connection.",
    )
