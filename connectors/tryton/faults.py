"""Which refusal of Tryton is which of our errors: two tables and one function.

Inside an envelope Tryton answers HTTP 200 with `error: [name, [arguments]]` for its own exceptions, and with
`error: [text, traceback]` for all others; the transaction is rolled back in both cases. The text of an error may be
shown, its further arguments never: they hold tracebacks and whole field definitions.

Source: trytond/protocols/jsonrpc.py and exceptions.py of trytond 7.4, and answers of a real server.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import orjson

from connectors.egress import Response
from connectors.errors import (
    AuthError,
    BadResponse,
    ConfigError,
    ConnectorError,
    OutcomeUnknown,
    PermissionRefused,
    RateLimited,
    SourceFault,
    SourceUnavailable,
    VersionConflict,
    WriteRejected,
)
from connectors.kit.waiting import retry_after

Purpose = Literal["read", "prepare", "write"]
"""What a call is for; `prepare` asks Tryton to work a caller's values out, and stores nothing."""

STATUSES: Final[Mapping[int, tuple[type[ConnectorError], str]]] = {
    400: (BadResponse, "Tryton does not understand the call."),
    401: (AuthError, "Tryton refused the session."),
    403: (PermissionRefused, "Tryton does not let this user make the call."),
    404: (ConfigError, "There is no Tryton at this address, or it has no database of this name."),
    405: (ConfigError, "There is no Tryton at this address."),
    408: (SourceFault, "Tryton ran out of time."),
    413: (BadResponse, "The call is larger than Tryton accepts."),
}
"""Status → error; other 4xx are BadResponse, 3xx ConfigError, 429 RateLimited and 5xx SourceFault."""

_REFUSED: Final = (WriteRejected, "Tryton refused the values.")
_STEP: Final = (AuthError, "Tryton asks for a further sign-in step, which a connection cannot take.")
KINDS: Final[Mapping[tuple[str, Purpose], tuple[type[ConnectorError], str]]] = {
    ("UserError", "read"): (BadResponse, "Tryton refused to read."),
    ("UserError", "prepare"): _REFUSED,
    ("UserError", "write"): _REFUSED,
    ("UserWarning", "read"): (BadResponse, "Tryton asks for a confirmation."),
    ("UserWarning", "prepare"): _REFUSED,
    ("UserWarning", "write"): (WriteRejected, "Tryton asks a person to confirm this; nothing was changed."),
    ("ConcurrencyException", "read"): (SourceFault, "The records changed while Tryton read them."),
    ("ConcurrencyException", "write"): (VersionConflict, "The record changed in Tryton since it was read."),
    ("LoginException", "read"): _STEP,
    ("LoginException", "prepare"): _STEP,
    ("LoginException", "write"): _STEP,
}
"""Exception's name and what the call was for → error; names that are not here are failures inside Tryton."""

UNEXPECTED: Final[Mapping[Purpose, tuple[type[ConnectorError], str]]] = {
    "read": (SourceFault, "Tryton failed inside."),
    "prepare": (SourceFault, "Tryton failed inside."),
    "write": (WriteRejected, "Tryton failed inside and took the change back."),
}

# AccessError is a UserError on the wire; the connector's context asks for English, where the texts are these.
_ACCESS: Final = ("You are not allowed to ", 'Calling button "')
_NOT_SHOWN: Final = ("Traceback (most recent call last)",)
_TEXT_LIMIT = 500


def result(response: Response, purpose: Purpose = "read") -> Any:
    """Give the result of an answer, as Tryton encodes it.

    Raises:
        ConnectorError: Whatever `STATUSES`, `KINDS` and `UNEXPECTED` say; OutcomeUnknown for a write whose answer
            does not tell.
    """
    if response.status != 200:
        raise by_status(response, purpose)
    try:
        body = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        body = None
    if isinstance(body, dict) and isinstance(body.get("error"), list):
        raise by_envelope(body["error"], purpose)
    if not isinstance(body, dict) or "result" not in body:
        if purpose == "write":
            raise OutcomeUnknown("Tryton's answer to the change was cut or spoiled.", source_message=response.text(200))
        if body is None and "json" in response.headers.get("content-type", ""):
            # Called JSON and not readable as such: cut on its way. It comes whole next time.
            raise SourceUnavailable("Tryton's answer was cut short.", reason="RESET", sent=True)
        raise ConfigError("What answers at this address is not Tryton.", source_message=response.text(200))
    return body["result"]


def by_status(response: Response, purpose: Purpose) -> ConnectorError:
    """Make the error of an answer that is no envelope: of a server or proxy that gave up midway, or never began."""
    status = response.status
    if purpose == "write" and (status == 408 or status >= 500):
        return OutcomeUnknown(f"Tryton, or a proxy before it, gave up on the change with status {status}.")
    if status == 429:
        return RateLimited(
            "Tryton asks to slow down: too many calls, or too many failed sign-ins.",
            retry_after_s=retry_after(response.headers),
        )
    if status in STATUSES:
        kind, message = STATUSES[status]
        return kind(message)
    if status >= 500:
        return SourceFault(f"Tryton failed with status {status}.")
    if 300 <= status < 400:
        return ConfigError("The address redirects elsewhere; enter the address it leads to.")
    return BadResponse(f"Tryton answered with the unknown status {status}.")


def by_envelope(error: list[Any], purpose: Purpose) -> ConnectorError:
    """Make the error of an envelope's `error` array."""
    name = str(error[0]) if error else ""
    if (name, purpose) not in KINDS:
        kind, message = UNEXPECTED[purpose]
        return kind(message, source_message=_shown(name))
    kind, message = KINDS[name, purpose]
    words = _words(name, error[1] if len(error) > 1 else None)
    if words.startswith(_ACCESS):
        kind, message = PermissionRefused, "The user lacks a right in Tryton."
    return kind(message, source_message=_shown(words))


def _words(name: str, arguments: Any) -> str:
    """Pick what is meant for people: UserError has (message, description, …), UserWarning (name, message, …)."""
    if not isinstance(arguments, list):
        return str(arguments or "")
    first = 1 if name in {"UserWarning", "LoginException"} else 0
    description = arguments[first + 1] if len(arguments) > first + 1 and name != "LoginException" else ""
    return "\n".join(str(part) for part in (*arguments[first : first + 1], description) if part)


def _shown(text: str) -> str | None:
    for marker in _NOT_SHOWN:
        text = text.partition(marker)[0]
    return text.strip()[:_TEXT_LIMIT] or None
