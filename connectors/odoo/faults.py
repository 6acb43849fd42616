"""Which refusal of Odoo is which of our errors: tables by the exception's name and by status.

JSON-RPC answers status 200 whatever happens, with `error` in the body where it failed, and with neither `result` nor
`error` where a method returned None. JSON-2 answers a status and the same five fields. The exception's `message` may be
shown; `debug` never, it is the server's traceback.

Source: odoo/exceptions.py, addons/rpc/controllers; answers recorded from Odoo 16.0 and 18.0.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal

import orjson

from connectors.egress import Response
from connectors.errors import (
    AuthError,
    BadResponse,
    ConfigError,
    ConnectorError,
    PermissionRefused,
    RateLimited,
    SourceFault,
    SourceUnavailable,
    VersionConflict,
    WriteRejected,
)

Purpose = Literal["read", "write"]
Verdict = tuple[type[ConnectorError], str]

_REFUSED: Final = (WriteRejected, "Odoo refused the values.")
_RIGHTS: Final = (PermissionRefused, "The user lacks a right in Odoo.")
_KEY: Final = (AuthError, "Odoo refused the API key: it is wrong, was revoked or has expired.")
_BUSY: Final = (VersionConflict, "Somebody else is changing the record in Odoo.")
_ODD: Final = (BadResponse, "Odoo refused to read.")
NAMES: Final[Mapping[tuple[str, Purpose], Verdict]] = {
    ("AccessDenied", "read"): _KEY,
    ("AccessDenied", "write"): _KEY,
    ("Unauthorized", "read"): _KEY,
    ("Unauthorized", "write"): _KEY,
    ("SessionExpiredException", "read"): _KEY,
    ("SessionExpiredException", "write"): _KEY,
    ("AccessError", "read"): _RIGHTS,
    ("AccessError", "write"): _RIGHTS,
    ("UserError", "read"): _ODD,
    ("UserError", "write"): _REFUSED,
    ("ValidationError", "read"): _ODD,
    ("ValidationError", "write"): _REFUSED,
    ("RedirectWarning", "read"): _ODD,
    ("RedirectWarning", "write"): _REFUSED,
    ("MissingError", "read"): _ODD,
    ("MissingError", "write"): (WriteRejected, "Odoo has no such record, or the user may not see it."),
    ("LockError", "write"): _BUSY,
    ("SerializationFailure", "write"): _BUSY,
    ("LockNotAvailable", "write"): _BUSY,
    ("ValueError", "read"): (BadResponse, "Odoo does not know a field that was asked for."),
    ("ValueError", "write"): _REFUSED,
    ("KeyError", "read"): (PermissionRefused, "This Odoo lacks the app that keeps these records."),
    ("UnprocessableEntity", "read"): (BadResponse, "Odoo does not understand the call."),
    ("UnprocessableEntity", "write"): _REFUSED,
    ("NotFound", "read"): (PermissionRefused, "This Odoo lacks the app that keeps these records."),
    ("NotFound", "write"): (WriteRejected, "This Odoo lacks the app, or the method, that the change needs."),
}
"""Last part of the exception's name and what the call was for → error."""

UNEXPECTED: Final[Mapping[Purpose, Verdict]] = {
    "read": (SourceFault, "Odoo failed inside."),
    "write": (WriteRejected, "Odoo failed inside and took the change back."),
}
"""Exceptions that are not in `NAMES`; Odoo rolls a failed call back."""

STATUSES: Final[Mapping[int, Verdict]] = {
    400: (BadResponse, "Odoo does not understand the call."),
    401: _KEY,
    403: _RIGHTS,
    404: (ConfigError, "There is no Odoo at this address, or none with this interface."),
    405: (ConfigError, "There is no Odoo at this address."),
    413: (BadResponse, "The call is larger than Odoo accepts."),
}
"""Status → error, where the body does not name an exception."""
_TEXT_LIMIT: Final = 500


def rpc_result(response: Response, purpose: Purpose = "read") -> Any:
    """Give the result of an answer of JSON-RPC; None where the method gave nothing.

    Raises:
        ConnectorError: What `NAMES`, `UNEXPECTED` and `STATUSES` say.
    """
    if response.status != 200:
        raise by_status(response, purpose)
    body = _object(response, purpose)
    if "error" in body:
        raise _by_exception(body["error"], purpose)
    if "jsonrpc" not in body:
        raise _strange(response, purpose)
    return body.get("result")


def json2_result(response: Response, purpose: Purpose = "read") -> Any:
    """Give the result of an answer of JSON-2: the bare value.

    Raises:
        ConnectorError: What `NAMES`, `UNEXPECTED` and `STATUSES` say.
    """
    if response.status == 200:
        try:
            return orjson.loads(response.body)
        except orjson.JSONDecodeError as error:
            raise _strange(response, purpose) from error
    if response.status not in {429, 502, 503, 504}:
        try:
            told = orjson.loads(response.body)
        except orjson.JSONDecodeError:
            told = None
        if isinstance(told, dict) and "name" in told:
            raise _by_name(told, purpose)
    raise by_status(response, purpose)


def by_status(response: Response, purpose: Purpose) -> ConnectorError:
    """Make the error of an answer that names no exception: of a proxy, or of something else than Odoo."""
    status = response.status
    wait = _wait(response)
    if status == 429 or (status == 503 and wait is not None and purpose == "read"):
        return RateLimited("Odoo, or a proxy before it, asks to slow down.", retry_after_s=wait)
    if status >= 500 and purpose == "write":
        message = f"Odoo, or a proxy before it, gave up on the change with status {status}."
        return SourceUnavailable(message, reason="RESET", sent=True)
    if status in STATUSES:
        kind, message = STATUSES[status]
        return kind(message)
    if status >= 500:
        return SourceFault(f"Odoo failed with status {status}.")
    if 300 <= status < 400:
        return ConfigError("The address redirects elsewhere; enter the address it leads to.")
    return BadResponse(f"Odoo answered with the unknown status {status}.")


def _wait(response: Response) -> float | None:
    """Read Retry-After: seconds, or a date, which counts from the answer's own (RFC 9110, 10.2.3)."""
    told = response.headers.get("retry-after", "")
    if told.isdigit():
        return float(told)
    try:
        until, now = (parsedate_to_datetime(text) for text in (told, response.headers["date"]))
    except (KeyError, ValueError):
        return None
    return max(0.0, (until - now).total_seconds())


def _by_exception(error: Any, purpose: Purpose) -> ConnectorError:
    told = error if isinstance(error, dict) else {}
    data = told.get("data")
    if isinstance(data, dict) and data.get("name"):
        return _by_name(data, purpose)
    if told.get("code") == 404:
        return ConfigError("This Odoo does not take calls by JSON-RPC.", source_message=_shown(told.get("message")))
    kind, message = _KEY if told.get("code") == 100 else UNEXPECTED[purpose]
    return kind(message, source_message=_shown(told.get("message")))


def _by_name(data: Mapping[str, Any], purpose: Purpose) -> ConnectorError:
    name, words = str(data.get("name")), _shown(data.get("message"))
    if name == "psycopg2.OperationalError" and "does not exist" in (words or ""):
        remedy = "Correct the name of the database and connect again."
        return ConfigError("This Odoo has no database of this name.", remedy=remedy)
    kind, message = NAMES.get((name.rpartition(".")[2], purpose), UNEXPECTED[purpose])
    if kind is SourceFault and "doesn't exist" in (words or ""):
        kind, message = NAMES["KeyError", "read"]  # "Object maintenance.request doesn't exist"
    return kind(message, source_message=words)


def _object(response: Response, purpose: Purpose) -> dict[str, Any]:
    try:
        body = orjson.loads(response.body)
    except orjson.JSONDecodeError as error:
        raise _strange(response, purpose) from error
    if not isinstance(body, dict):
        raise _strange(response, purpose)
    return body


def _strange(response: Response, purpose: Purpose) -> ConnectorError:
    """Tell an answer that was cut on its way from one of something else."""
    if purpose == "write" or "json" in response.headers.get("content-type", ""):
        return SourceUnavailable("Odoo's answer was cut short.", reason="RESET", sent=True)
    return ConfigError("What answers at this address is not Odoo.", source_message=response.text(200))


def _shown(text: Any) -> str | None:
    return str(text or "").partition("Traceback (most recent call last)")[0].strip()[:_TEXT_LIMIT] or None
