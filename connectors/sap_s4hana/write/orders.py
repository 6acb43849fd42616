"""New purchase orders: one deep insert."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from connectors.base import Change, JsonObject, Written
from connectors.errors import BadResponse, WriteRejected
from connectors.kit.odata2 import write_day, write_decimal
from connectors.mapping import To, written
from connectors.sap_s4hana.client import SapClient
from connectors.sap_s4hana.forms import WriteDefaults
from connectors.sap_s4hana.mapping.orders import HEADER_NOTE, LINE, PURCHASE_ORDER
from connectors.sap_s4hana.units import native_unit
from connectors.sap_s4hana.write.steps import Steps, found, known, missing, refuse
from db.types import ErrorCode, Problem

SERVICE: Final = "API_PURCHASEORDER_PROCESS_SRV"
REFERENCE: Final = "CorrespncExternalReference"
ITEMS: Final = "to_PurchaseOrderItem"
_HEADER: Final = tuple(part for part in PURCHASE_ORDER.fields if isinstance(part, To))
_HEADER_DEFAULTS: Final = {
    "PurchaseOrderType": "purchaseOrderType",
    "CompanyCode": "companyCode",
    "PurchasingOrganization": "purchasingOrganization",
    "PurchasingGroup": "purchasingGroup",
}
_LINE_DEFAULTS: Final = {
    "Plant": "plant",
    "MaterialGroup": "materialGroup",
    "AccountAssignmentCategory": "accountAssignmentCategory",
}
_MINOR_UNITS: Final[Mapping[str, int]] = {
    **dict.fromkeys(
        ("JPY", "KRW", "CLP", "ISK", "VND", "PYG", "UGX", "XAF", "XOF", "XPF", "RWF", "GNF", "DJF", "KMF"), 0
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Decimals of an amount by ISO 4217, where they are not 2."""
_MAX_BASE: Final = 10_000


async def create(client: SapClient, steps: Steps, change: Change, defaults: WriteDefaults) -> Written:
    """Create an order, unless one with our reference is there already; SAP gives its number."""
    body = create_body(change, defaults)
    before = await known(
        client, SERVICE, "A_PurchaseOrder", field=REFERENCE, reference=change.reference, key="PurchaseOrder"
    )
    if before is not None:
        return found(before, change.reference)
    answer = await steps.call("POST", SERVICE, "A_PurchaseOrder", body=body)
    return made(steps, answer, "PurchaseOrder")


def made(steps: Steps, answer: JsonObject, key: str) -> Written:
    """Tell what was made; a dry wire makes nothing.

    Raises:
        BadResponse: SAP answered without the key.
    """
    if not answer.get(key) and not steps.dry:
        raise BadResponse(f"SAP made it without telling its {key}.")
    return Written(str(answer.get(key) or ""))


def create_body(change: Change, defaults: WriteDefaults) -> JsonObject:
    """Make the body of a deep insert.

    Raises:
        WriteRejected: SAP needs something that neither the call nor the connection says.
    """
    extra = dict(change.source_fields)
    line_extra = extra.pop(ITEMS, {})
    body: JsonObject = {
        "PurchaseOrderType": defaults.purchase_order_type,
        "CompanyCode": defaults.company_code,
        "PurchasingOrganization": defaults.purchasing_organization,
        "PurchasingGroup": defaults.purchasing_group,
        **header_fields(change.values),
        **extra,
        REFERENCE: change.reference,
    }
    problems = missing({name: body[name] for name in _HEADER_DEFAULTS}, where=_HEADER_DEFAULTS)
    items = []
    for index, line in enumerate(change.values.get("lines") or ()):
        told = {"required_date": change.values.get("required_date"), **line}
        number = str((index + 1) * 10)
        items.append(line_body(told, defaults, currency=body.get("DocumentCurrency"), extra=line_extra, number=number))
        problems += line_problems(items[-1], index)
    refuse(problems)
    if change.values.get("notes"):
        body["to_PurchaseOrderNote"] = [note_body(change.values["notes"], defaults)]
    return {**{name: value for name, value in body.items() if value is not None}, ITEMS: items}


def header_fields(values: Mapping[str, Any]) -> JsonObject:
    """Make header properties of our fields."""
    told = dict(values)
    if "payment_terms_source_id" in told:
        told["payment_terms"] = told.pop("payment_terms_source_id")
    elif isinstance(told.get("payment_terms"), Mapping):
        told["payment_terms"] = told["payment_terms"].get("code")
    given = {name: value for name, value in told.items() if value is not None}
    cleared = {part.back: "" for part in _HEADER if part.back and part.target in told and told[part.target] is None}
    return {**written(_HEADER, given), **cleared, **(told.get("custom_fields") or {})}


def line_body(
    line: Mapping[str, Any], defaults: WriteDefaults, *, currency: str | None, extra: JsonObject, number: str
) -> JsonObject:
    """Make a new item with its schedule line and account assignment."""
    body: JsonObject = {
        "PurchaseOrderItem": number,
        "Plant": defaults.plant,
        "StorageLocation": defaults.storage_location if "location" not in line else None,
        "TaxCode": defaults.tax_code,
        **line_fields(line, defaults, currency=currency),
    }
    if not body.get("Material"):
        body = {
            "MaterialGroup": defaults.material_group,
            "AccountAssignmentCategory": defaults.account_assignment_category,
            **body,
        }
        given = line.get("account_assignment") or {}
        assigned = {"CostCenter": defaults.cost_center, "GLAccount": defaults.gl_account, **given}
        assigned.pop("AccountAssignmentCategory", None)
        part = {name: value for name, value in assigned.items() if value}
        if part:
            body["to_AccountAssignment"] = [{"AccountAssignmentNumber": "1", **part}]
    if line.get("required_date"):
        schedule = {"ScheduleLine": "1", "ScheduleLineDeliveryDate": write_day(line["required_date"])}
        quantity = {"ScheduleLineOrderQuantity": body["OrderQuantity"]} if body.get("OrderQuantity") else {}
        body["to_ScheduleLine"] = [{**schedule, **quantity}]
    return {name: value for name, value in {**body, **extra}.items() if value is not None}


def line_fields(line: Mapping[str, Any], defaults: WriteDefaults, *, currency: str | None) -> JsonObject:
    """Make item properties of our fields.

    Raises:
        WriteRejected: SAP cannot hold the price exactly.
    """
    told = {name: value for name, value in line.items() if value is not None and name != "location"}
    if "unit" in told:
        told["unit"] = native_unit(told["unit"], overrides=defaults.unit_map)
    if "unit_price" in told:
        told["source_price"], told["price_base"] = price(told.pop("unit_price"), currency)
    for name in ("quantity", "source_price", "price_base"):
        if isinstance(told.get(name), Decimal):
            told[name] = write_decimal(told[name])
    body = written(LINE, told)
    assigned = told.get("account_assignment") or {}
    if assigned.get("AccountAssignmentCategory"):
        body["AccountAssignmentCategory"] = assigned["AccountAssignmentCategory"]
    return {**body, **place_fields(line), **(told.get("custom_fields") or {})}


def place_fields(line: Mapping[str, Any]) -> JsonObject:
    """Make plant and storage location of `plant/storage` or `plant`."""
    told = line.get("location_source_id") or line.get("location")
    if not told:
        return {}
    plant, _, storage = str(told).partition("/")
    return {"Plant": plant, "StorageLocation": storage}


def price(unit_price: Decimal, currency: str | None) -> tuple[Decimal, Decimal]:
    """Split a unit price into SAP's amount and price unit: 0.195 EUR is 1.95 per 10.

    Raises:
        WriteRejected: No price unit up to 10000 holds it exactly; SAP would round it.
    """
    decimals = _MINOR_UNITS.get(currency or "", 2)
    base = 1
    while base <= _MAX_BASE:
        amount = unit_price * base
        if amount == round(amount, decimals):
            return round(amount, decimals), Decimal(base)
        base *= 10
    told = f"SAP cannot hold the unit price {unit_price} exactly."
    raise WriteRejected(told, problems=(Problem(ErrorCode.BAD_USER_INPUT, told, ("lines", "unitPrice")),))


def line_problems(body: JsonObject, index: int) -> list[Problem]:
    """Name what SAP needs for an item: a plant, and a group and account where it has no material."""
    prefix = ("lines", str(index))
    needed = {"Plant": body.get("Plant")}
    if not body.get("Material"):
        needed |= {name: body.get(name) for name in ("MaterialGroup", "AccountAssignmentCategory")}
    problems = missing(needed, where=_LINE_DEFAULTS, prefix=prefix)
    if not body.get("Material") and not body.get("PurchaseOrderItemText"):
        told = "SAP needs an item or a description."
        problems.append(Problem(ErrorCode.BAD_USER_INPUT, told, (*prefix, "description")))
    return problems


def note_body(text: str, defaults: WriteDefaults) -> JsonObject:
    """Make a header text."""
    return {"TextObjectType": HEADER_NOTE, "Language": defaults.language, "PlainLongText": text}
