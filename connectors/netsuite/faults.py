"""What an answer of NetSuite means when it is not the one we hoped for: by its code first, for statuses vary."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

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
from db.types import ErrorCode, Problem

CROWDED: Final = frozenset({"CONCURRENCY_LIMIT_EXCEEDED", "SSS_REQUEST_LIMIT_EXCEEDED", "WS_REQUEST_BLOCKED"})
"""The account's limit of calls at once, shared with all its integrations; told as 429, 400, or anything."""
_PERMISSION: Final = frozenset({"INSUFFICIENT_PERMISSION", "INSUFFICIENT_PERMISSIONS", "RESTRICTED_ACCESS"})
_CHANGED: Final = frozenset({"RCRD_HAS_BEEN_CHANGED"})
_CROWDED_S: Final = 5.0
"""NetSuite does not say how long to wait; other calls of the account end soon."""
ROLE_REMEDY: Final = (
    'Ask the NetSuite administrator to give the role the permissions "REST Web Services", "SuiteAnalytics Workbook" '
    "and those of the records, all with the level that is needed."
)
LOGIN_REMEDY: Final = (
    'Check account, keys and certificate; NetSuite answers the same where the role lacks "REST Web Services" or "Log '
    'in using OAuth 2.0 Access Tokens" (or "…Access Tokens"). The Login Audit Trail of the account tells which.'
)
_TAGS: Final = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


class BadQuery(BadResponse):
    """NetSuite does not understand a query: the account lacks a table or column that others have."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One of an error's reasons."""

    text: str
    code: str
    path: str


@dataclass(frozen=True, slots=True)
class Fault:
    """An error body."""

    title: str
    details: tuple[Detail, ...]

    @property
    def codes(self) -> set[str]:
        """All codes."""
        return {detail.code for detail in self.details}

    @property
    def words(self) -> str:
        """NetSuite's own words."""
        told = list(dict.fromkeys([self.title, *(detail.text for detail in self.details)]))
        return " / ".join(text for text in told if text)[:1000]


def fault_of(response: Response) -> Fault | None:
    """Read an error body; None for anything else."""
    try:
        body = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(body, dict):
        return None
    told = body.get("o:errorDetails")
    details = tuple(_detail(each) for each in told if isinstance(each, dict)) if isinstance(told, list) else ()
    if isinstance(body.get("o:errorCode"), str):  # some errors tell it beside the details
        details = (*details, Detail("", body["o:errorCode"], ""))
    return Fault(str(body.get("title") or ""), details) if body.get("title") or details else None


def words_of(response: Response, fault: Fault | None) -> str:
    """Give NetSuite's own words, or a page's text without its markup."""
    return fault.words if fault else " ".join(_TAGS.sub(" ", response.text(2000)).split())[:300]


def error_of(response: Response, *, writing: bool, querying: bool = False) -> ConnectorError:
    """Judge an answer that is no success.

    Args:
        response: What NetSuite answered.
        writing: The request was to change something: a 5xx then leaves its outcome open.
        querying: The request was a SuiteQL query.
    """
    fault = fault_of(response)
    words, status = words_of(response, fault), response.status
    known = _known(response, fault, words)
    if known is not None:
        return known
    if status >= 500:
        return _failed(status, words, writing=writing)
    if fault is None:
        return _strange(status, words)
    if writing:
        return _rejected(fault)
    kind = BadQuery if querying and status == 400 else BadResponse
    return kind(f"NetSuite answered {status} to a read.", source_message=words)


def _known(response: Response, fault: Fault | None, words: str) -> ConnectorError | None:
    codes, status = fault.codes if fault else set(), response.status
    if status == 429 or codes & CROWDED or (status == 503 and "retry-after" in response.headers):
        return RateLimited("NetSuite is asked too much at once.", retry_after_s=_wait(response), source_message=words)
    if codes & _PERMISSION or status == 403:
        return PermissionRefused("NetSuite refuses this to the role.", source_message=words, remedy=ROLE_REMEDY)
    if codes & _CHANGED or status in {409, 412}:
        return VersionConflict("The record changed in NetSuite meanwhile.", source_message=words)
    if status == 401:
        return AuthError("NetSuite refused the login.", source_message=words, remedy=LOGIN_REMEDY)
    return None


def _failed(status: int, words: str, *, writing: bool) -> ConnectorError:
    if writing:
        text = f"NetSuite failed with {status} while writing."
        return SourceUnavailable(text, reason="RESET", sent=True, source_message=words)
    return SourceFault(f"NetSuite failed with {status}.", source_message=words)


def _strange(status: int, words: str) -> ConnectorError:
    if 300 <= status < 400:
        return ConfigError("The address redirects elsewhere: it is not the account's.", source_message=words)
    if status == 404:
        return ConfigError("No NetSuite account answers at this address.", source_message=words)
    return BadResponse(f"NetSuite answered {status} with something that is no error of its own.", source_message=words)


def _rejected(fault: Fault) -> WriteRejected:
    problems = tuple(
        Problem(ErrorCode.SOURCE_REJECTED, detail.text, _path(detail.path), f"{detail.code} {detail.text}".strip())
        for detail in fault.details
        if detail.text
    )
    code = next((detail.code for detail in fault.details if detail.code), "")
    headline = f"NetSuite refused the change ({code})." if code else "NetSuite refused the change."
    return WriteRejected(headline, source_message=fault.words, problems=problems)


def _detail(told: Mapping[str, object]) -> Detail:
    where = told.get("o:errorPath") or told.get("o:errorQueryParam") or told.get("o:errorHeader") or ""
    return Detail(str(told.get("detail") or ""), str(told.get("o:errorCode") or ""), str(where))


def _wait(response: Response) -> float:
    value = response.headers.get("retry-after", "")
    if value.isdigit():
        return float(value)
    try:
        at, now = parsedate_to_datetime(value), parsedate_to_datetime(response.headers["date"])
    except (ValueError, KeyError):
        return _CROWDED_S
    return max((at - now).total_seconds(), 0.0)


_PATHS: Final = {
    "entity": ("vendor",),
    "otherRefNum": ("vendorReference",),
    "currency": ("currency",),
    "tranDate": ("orderDate",),
    "dueDate": ("requiredDate",),
    "terms": ("paymentTerms",),
    "memo": ("notes",),
    "subsidiary": ("sourceFields", "subsidiary"),
    "account": ("sourceFields", "account"),
    "companyName": ("name",),
    "entityId": ("number",),
    "email": ("email",),
    "phone": ("phone",),
    "adjustQtyBy": ("quantity",),
}
_LINE_PATHS: Final = {
    "item": "item",
    "quantity": "quantity",
    "rate": "unitPrice",
    "units": "unit",
    "description": "description",
    "expectedReceiptDate": "requiredDate",
    "location": "location",
}
_STEP: Final = re.compile(r"([^.\[\]]+)(?:\[(\d+)\])?")


def _path(told: str) -> tuple[str, ...] | None:
    """Find the caller's field for a path such as `item.items[0].quantity`."""
    steps = _STEP.findall(told)
    names = [name for name, _ in steps]
    if names[:2] == ["item", "items"]:
        index = steps[1][1]
        line = ("lines", index) if index else ("lines",)
        return (*line, _LINE_PATHS[names[2]]) if len(names) > 2 and names[2] in _LINE_PATHS else line
    return _PATHS.get(names[-1]) if names else None
