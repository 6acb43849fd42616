"""What an answer of SAP means when it is not the one we hoped for."""

import re
from datetime import datetime
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
from connectors.kit.odata2 import Fault, read_fault
from connectors.kit.waiting import retry_after
from db.types import ErrorCode, Problem

NO_SERVICE: Final = "/IWFND/MED/170"
_FRAMEWORK: Final = "/IWBEP/CX_"
"""Begins the codes of the gateway's own closing messages, which name no reason."""
_TAGS: Final = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_CLIENT: Final = re.compile(r"\b(logon )?client\b[^.]{0,60}\b(not|unknown|invalid|unavailable)\b", re.IGNORECASE)
_ACTIVATE: Final = (
    "Ask the SAP administrator to activate the service (on-premise: /IWFND/MAINT_SERVICE; cloud: the communication "
    "scenario) and to authorize the user for it."
)


class BadRequest(BadResponse):
    """SAP did not understand a read: its release lacks something that newer ones have."""


def fault_of(response: Response) -> Fault | None:
    """Read an OData error body; None for HTML, plain text and anything else."""
    try:
        return read_fault(orjson.loads(response.body))
    except orjson.JSONDecodeError:
        return None


def words_of(response: Response, fault: Fault | None) -> str:
    """Give SAP's own words: all reasons of an error body, or a page's text without its markup."""
    if fault is None:
        return " ".join(_TAGS.sub(" ", response.text(2000)).split())[:300]
    told = list(dict.fromkeys([fault.message, *(detail.message for detail in fault.details)]))
    return " / ".join(text for text in told if text)[:1000]


def error_of(response: Response, *, writing: bool, now: datetime | None = None) -> ConnectorError:
    """Judge an answer that is no success.

    Args:
        response: What SAP answered.
        writing: The request was to change something: a 5xx then leaves its outcome open.
        now: For a Retry-After that is a date.
    """
    # A 401 is an ICF logon page or nothing: never JSON.
    fault = None if response.status == 401 else fault_of(response)
    words = words_of(response, fault)
    if response.status == 429 or (response.status == 503 and "retry-after" in response.headers):
        return RateLimited(
            "SAP asked to slow down.", retry_after_s=retry_after(response.headers, now), source_message=words
        )
    if response.status >= 500:
        return _failed(response.status, fault, words, writing=writing)
    known = _known(response.status, fault, words)
    if known is not None:
        return known
    return rejected(fault, words) if writing else _unread(response.status, fault, words)


def _known(status: int, fault: Fault | None, words: str) -> ConnectorError | None:
    if fault is None and _CLIENT.search(words):
        return ConfigError("The SAP client does not exist there.", source_message=words)
    if status == 401:
        return AuthError("SAP refused the user or password.", source_message=words)
    if fault and fault.code == NO_SERVICE:
        return PermissionRefused("The service is not active in SAP.", source_message=words, remedy=_ACTIVATE)
    if status == 403:
        return PermissionRefused("SAP refuses this to the user.", source_message=words, remedy=_ACTIVATE)
    if status in {409, 412}:
        return VersionConflict("The record changed in SAP meanwhile.", source_message=words)
    return None


def _unread(status: int, fault: Fault | None, words: str) -> ConnectorError:
    if 300 <= status < 400:
        return ConfigError("The address redirects elsewhere: it is not the API host.", source_message=words)
    if status == 404 and fault is None:
        return ConfigError("No SAP Gateway answers at this address.", source_message=words)
    kind = BadRequest if status == 400 else BadResponse
    return kind(f"SAP answered {status} to a read.", source_message=words)


def rejected(fault: Fault | None, words: str) -> WriteRejected:
    """Tell a refusal of values, with SAP's code and each of its reasons."""
    details = fault.details if fault else ()
    problems = tuple(
        Problem(
            ErrorCode.SOURCE_REJECTED, detail.message, _path(detail.target), f"{detail.code} {detail.message}".strip()
        )
        for detail in details
        if not detail.code.startswith(_FRAMEWORK)
    )
    headline = f"SAP refused the change ({fault.code})." if fault and fault.code else "SAP refused the change."
    return WriteRejected(headline, source_message=words, problems=problems)


def _failed(status: int, fault: Fault | None, words: str, *, writing: bool) -> ConnectorError:
    if fault is None and _CLIENT.search(words):
        return ConfigError("The SAP client does not exist there.", source_message=words)
    if writing:
        # SAP, or a gateway before it, may have failed after the commit.
        text = f"SAP failed with {status} while writing."
        return SourceUnavailable(text, reason="RESET", sent=True, source_message=words)
    return SourceFault(f"SAP failed with {status}.", source_message=words)


_PATHS: Final = {
    "CompanyCode": ("sourceFields", "CompanyCode"),
    "PurchasingOrganization": ("sourceFields", "PurchasingOrganization"),
    "PurchasingGroup": ("sourceFields", "PurchasingGroup"),
    "PurchaseOrderType": ("sourceFields", "PurchaseOrderType"),
    "Supplier": ("vendor",),
    "DocumentCurrency": ("currency",),
    "PurchaseOrderDate": ("orderDate",),
    "PaymentTerms": ("paymentTerms",),
    "Material": ("lines", "item"),
    "PurchaseOrderItemText": ("lines", "description"),
    "OrderQuantity": ("lines", "quantity"),
    "PurchaseOrderQuantityUnit": ("lines", "unit"),
    "NetPriceAmount": ("lines", "unitPrice"),
    "Plant": ("lines", "location"),
    "StorageLocation": ("lines", "location"),
    "TaxCode": ("lines", "taxCode"),
    "ScheduleLineDeliveryDate": ("lines", "requiredDate"),
    "MaintenanceOrderDesc": ("title",),
    "MaintenanceOrderType": ("sourceFields", "MaintenanceOrderType"),
    "Equipment": ("asset",),
    "FunctionalLocation": ("location",),
    "MaintPriority": ("priority",),
    "MaintenancePlanningPlant": ("site",),
    "OrganizationBPName1": ("name",),
    "Country": ("addresses", "country"),
    "QuantityInEntryUnit": ("quantity",),
    "EntryUnit": ("unit",),
    "GoodsMovementType": ("sourceFields", "GoodsMovementType"),
}
"""SAP's property → where it is in the caller's input."""


def _path(target: str) -> tuple[str, ...] | None:
    """Find the caller's field for a target such as `to_PurchaseOrderItem(1)/Plant`; which line it was is not told."""
    steps = [step for step in re.split(r"[/.]", target) if step]
    return _PATHS.get(steps[-1].split("(")[0]) if steps else None
