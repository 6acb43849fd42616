"""Demo purchase orders: all statuses, price units of 1, 100 and 1000, small quantities, deleted items."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sandbox.sap_s4hana.rules import customizing as cus
from sandbox.sap_s4hana.rules.purchase_items import ACTIVE, IN_RELEASE, REJECTED, RELEASED
from sandbox.sap_s4hana.seed.masters import USER, price_of
from sandbox.sap_s4hana.store import Row
from sandbox.sap_s4hana.system import S4System, midnight

RECENT_DAYS = 80
_OLD_EACH = 8  # every eighth order is older than 90 days
_PRICE_UNITS = (1, 1, 100, 1, 1000)


@dataclass(frozen=True, slots=True)
class _State:
    """What has become of an order: its status bits and the marks of its items."""

    status: str = ACTIVE
    held: bool = False
    deleted: str = ""  # deletion codes of the items from the first on: "L" deleted, "S" blocked, "." neither
    all_deleted: bool = False
    delivered: bool = False
    invoiced: bool = False

    def code(self, place: int) -> str:
        if self.all_deleted:
            return "L"
        return self.deleted[place].strip(".") if place < len(self.deleted) else ""


_STATES = (
    *(_State() for _ in range(9)),
    _State(IN_RELEASE),
    _State(IN_RELEASE),
    _State(RELEASED),
    _State(RELEASED),
    _State(REJECTED),
    _State(held=True),
    _State(all_deleted=True),
    _State(delivered=True),
    _State(delivered=True, invoiced=True),
    _State(deleted=".L"),
    _State(deleted=".S"),
)


def seed_orders(system: S4System, count: int, rng: random.Random, today: date) -> None:
    """Make orders, the oldest with the lowest number."""
    suppliers = [
        row for row in system.tables["A_Supplier"] if not row["PurchasingIsBlocked"] and not row["DeletionIndicator"]
    ]
    products = [row for row in system.tables["A_Product"] if not row["IsMarkedForDeletion"]]
    days = sorted(_day(place, count, rng, today) for place in range(count))
    for place, day in enumerate(days):
        _order(system, rng, place, day, today, rng.choice(suppliers), products)


def _day(place: int, count: int, rng: random.Random, today: date) -> date:
    if place % _OLD_EACH == _OLD_EACH - 1:
        return today - timedelta(days=rng.randint(95, 400))
    return today - timedelta(days=1 + place * RECENT_DAYS // max(count, 1))


def _order(
    system: S4System, rng: random.Random, place: int, day: date, today: date, supplier: Row, products: Sequence[Row]
) -> None:
    state = _STATES[place % len(_STATES)]
    company = rng.choices(list(cus.COMPANIES.values()), weights=(5, 3, 2))[0]
    code = cus.PURCHASING_GROUPS[place % len(cus.PURCHASING_GROUPS)]
    terms = system.tables["A_SupplierPurchasingOrg"].get(supplier["Supplier"], company.code)
    net, first_days, percent = cus.PAYMENT_TERMS[terms["PaymentTerms"] if terms else "0001"]
    number = system.number("purchase_order")
    values: dict[str, Any] = {
        "PurchaseOrder": number,
        "CompanyCode": company.code,
        "PurchaseOrderType": "NB",
        "PurchasingProcessingStatus": state.status,
        "ReleaseIsNotCompleted": state.status in {IN_RELEASE, REJECTED},
        "PurchasingCompletenessStatus": state.held,
        "PurchasingDocumentOrigin": "9",
        "CreatedByUser": USER,
        "CreationDate": midnight(day),
        "LastChangeDateTime": _changed(day, today, rng),
        "Supplier": supplier["Supplier"],
        "InvoicingParty": supplier["Supplier"],
        "Language": "EN",
        "PaymentTerms": terms["PaymentTerms"] if terms else "0001",
        "NetPaymentDays": Decimal(net),
        "CashDiscount1Days": Decimal(first_days),
        "CashDiscount1Percent": Decimal(percent),
        "PurchasingOrganization": company.code,
        "PurchasingGroup": code,
        "PurchaseOrderDate": midnight(day),
        "DocumentCurrency": company.currency,
        "ExchangeRate": "1.00000",
        "IncotermsClassification": ("", "DAP", "FCA")[place % 3],
        "IncotermsLocation1": ("", "Stuttgart", "Kraków")[place % 3],
    }
    if system.config.custom_fields:
        values["YY1_ProjectCode_PDH"] = f"P-{place % 7:03d}" if place % 3 else ""
        values["YY1_BudgetApproved_PDH"] = place % 4 == 0
    header = system.add("A_PurchaseOrder", values, bulk=True)
    if place % 9 == 0:
        note = {
            "TextObjectType": "F01",
            "Language": "EN",
            "PlainLongText": f"Deliver to gate {place % 5 + 1}.\nThank you.",
        }
        system.add("A_PurchaseOrderNote", {"PurchaseOrder": number, **note}, bulk=True)
    for position in range(max(rng.randint(1, 4), len(state.deleted))):
        _item(system, rng, header, position, state, products)


def _item(
    system: S4System, rng: random.Random, header: Row, position: int, state: _State, products: Sequence[Row]
) -> None:
    product = rng.choice(products)
    number, order = str((position + 1) * 10), header["PurchaseOrder"]
    as_text = int(order) % 10 == 7 and position == 0
    unit, quantity = product["BaseUnit"], _quantity(product["BaseUnit"], rng)
    price, price_unit = _price(product, header["DocumentCurrency"], rng.choice(_PRICE_UNITS))
    held = state.held and position == 0
    description = system.tables["A_ProductDescription"].get(product["Product"], "EN")
    plant = next(iter(cus.COMPANIES[header["CompanyCode"]].plants))
    values: dict[str, Any] = {
        "PurchaseOrder": order,
        "PurchaseOrderItem": number,
        "PurchasingDocumentDeletionCode": state.code(position),
        "PurchaseOrderItemText": "Service call"
        if as_text or description is None
        else description["ProductDescription"],
        "Plant": plant,
        "StorageLocation": "" if as_text else cus.STORAGE_LOCATIONS[plant][0],
        "MaterialGroup": "P001" if as_text else "L001",
        "Material": "" if as_text else product["Product"],
        "SupplierMaterialNumber": "" if as_text else f"X-{product['Product'][-4:]}",
        "OrderQuantity": quantity,
        "PurchaseOrderQuantityUnit": unit,
        "OrderPriceUnit": unit,
        "OrderPriceUnitToOrderUnitNmrtr": Decimal(1),
        "OrdPriceUnitToOrderUnitDnmntr": Decimal(1),
        "DocumentCurrency": header["DocumentCurrency"],
        "NetPriceAmount": Decimal(0) if held else price,
        "NetPriceQuantity": Decimal(price_unit),
        "TaxCode": "V1",
        "IsCompletelyDelivered": state.delivered,
        "IsFinallyInvoiced": state.invoiced,
        "PurchaseOrderItemCategory": "0",
        "ProductType": "1",
        "AccountAssignmentCategory": "K" if as_text else "",
        "GoodsReceiptIsExpected": True,
        "InvoiceIsExpected": True,
    }
    if system.config.custom_fields:
        values["YY1_InspectionLevel_PDI"] = ("", "01", "02")[position % 3]
    system.add("A_PurchaseOrderItem", values, bulk=True)
    if state.delivered:
        system.received[order, number] = quantity
    _lines(system, rng, header, number, quantity, unit)
    if as_text:
        account = {"AccountAssignmentNumber": "1", "GLAccount": "65100000", "CostCenter": "10101301"}
        keys = {"PurchaseOrder": order, "PurchaseOrderItem": number}
        amount = {
            "Quantity": quantity,
            "PurchaseOrderQuantityUnit": unit,
            "DocumentCurrency": header["DocumentCurrency"],
        }
        system.add("A_PurOrdAccountAssignment", {**keys, **account, **amount}, bulk=True)


def _lines(system: S4System, rng: random.Random, header: Row, number: str, quantity: Decimal, unit: str) -> None:
    first = header["PurchaseOrderDate"] + timedelta(days=rng.randint(5, 40))
    parts = [quantity]
    if quantity >= 2 and rng.random() < 0.25:
        half = (quantity / 2).quantize(Decimal(1))
        parts = [half, quantity - half]
    for place, part in enumerate(parts):
        day = first + timedelta(days=14 * place)
        values = {
            "PurchasingDocument": header["PurchaseOrder"],
            "PurchasingDocumentItem": number,
            "ScheduleLine": str(place + 1),
            "DelivDateCategory": "1",
            "ScheduleLineDeliveryDate": day,
            "SchedLineStscDeliveryDate": day,
            "ScheduleLineDeliveryTime": "PT08H00M00S" if place else None,
            "PurchaseOrderQuantityUnit": unit,
            "ScheduleLineOrderQuantity": part,
        }
        system.add("A_PurchaseOrderScheduleLine", values, bulk=True)


def _quantity(unit: str, rng: random.Random) -> Decimal:
    if unit in {"KG", "L", "M"}:
        return Decimal("0.001") if rng.random() < 0.1 else Decimal(rng.randint(1, 90_000)) / 1000
    return Decimal(rng.randint(1, 60))


def _price(product: Row, currency: str, price_unit: int) -> tuple[Decimal, int]:
    """Price of `price_unit` units in what the currency can hold; a yen price is a hundredfold."""
    digits = cus.CURRENCIES[currency]
    factor = 100 if digits == 0 else 1
    return (price_of(product) * price_unit * factor).quantize(Decimal(1).scaleb(-digits)), price_unit


def _changed(day: date, today: date, rng: random.Random) -> datetime:
    """Place the last change somewhere between creation and the day before today."""
    later = rng.randint(0, max((today - day).days - 1, 0)) if rng.random() < 0.4 else 0
    within = timedelta(seconds=rng.randint(6 * 3600, 20 * 3600), microseconds=rng.randint(0, 999_999))
    return datetime.combine(day + timedelta(days=later), time(), UTC) + within
