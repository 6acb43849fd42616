"""Goods movements: a posted material document changes stock.

Movement types: 101/102 receipt for an order and its reversal, 201/202 issue to a cost center, 261/262 issue to an
order, 311 transfer between storage locations, 321/322 quality to unrestricted and back, 343/344 blocked to
unrestricted and back, 501/502 receipt without order, 551 scrapping, 561/562 initial entry, 701/702 inventory
differences. Error form (MM_IM_ODATA_API_MDOC/014 with M7/021 in the details) as seen in logs of real systems.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.sap_s4hana.config import User
from sandbox.sap_s4hana.odata.bodies import Draft
from sandbox.sap_s4hana.odata.errors import ODataError
from sandbox.sap_s4hana.rules import customizing as cus
from sandbox.sap_s4hana.rules.checks import Checks
from sandbox.sap_s4hana.store import Row
from sandbox.sap_s4hana.system import S4System, clock_time, midnight

UNRESTRICTED, QUALITY, BLOCKED = "01", "02", "07"
_STOCK = "A_MatlStkInAcctMod"
_STOCK_NAMES = {UNRESTRICTED: "Unrestricted-use", QUALITY: "Quality inspection", BLOCKED: "Blocked"}


@dataclass(frozen=True, slots=True)
class Movement:
    """What a movement type does: takes from one stock type, adds to another; `codes` allow it."""

    codes: frozenset[str]
    source: str | None = None
    target: str | None = None
    needs: str = ""


def _type(codes: str, source: str | None = None, target: str | None = None, needs: str = "") -> Movement:
    return Movement(frozenset(codes.split()), source, target, needs)


MOVEMENTS: Mapping[str, Movement] = {
    "101": _type("01", target=UNRESTRICTED, needs="PurchaseOrder"),
    "102": _type("01", source=UNRESTRICTED, needs="PurchaseOrder"),
    "201": _type("03", source=UNRESTRICTED, needs="CostCenter"),
    "202": _type("03", target=UNRESTRICTED, needs="CostCenter"),
    "261": _type("03", source=UNRESTRICTED, needs="ManufacturingOrder"),
    "262": _type("03", target=UNRESTRICTED, needs="ManufacturingOrder"),
    "311": _type("04", source=UNRESTRICTED, target=UNRESTRICTED, needs="IssuingOrReceivingStorageLoc"),
    "321": _type("04", source=QUALITY, target=UNRESTRICTED),
    "322": _type("04", source=UNRESTRICTED, target=QUALITY),
    "343": _type("04", source=BLOCKED, target=UNRESTRICTED),
    "344": _type("04", source=UNRESTRICTED, target=BLOCKED),
    "501": _type("05", target=UNRESTRICTED),
    "502": _type("05", source=UNRESTRICTED),
    "551": _type("03", source=UNRESTRICTED),
    "561": _type("05", target=UNRESTRICTED),
    "562": _type("05", source=UNRESTRICTED),
    "701": _type("03 05", target=UNRESTRICTED),
    "702": _type("03 05", source=UNRESTRICTED),
}


def create_document(system: S4System, draft: Draft, user: User) -> Row:
    """Post a material document, or nothing.

    Raises:
        ODataError: 400 with every reason in the details.
    """
    checks = Checks()
    today = midnight(system.today())
    posted = draft["PostingDate"] or today
    _check_header(draft, posted, today, checks)
    drafts = draft.children("to_MaterialDocumentItem")
    if not drafts:
        checks.say("M7/064", "Document does not contain any items", "to_MaterialDocumentItem")
    for item in drafts:
        _check_item(system, draft["GoodsMovementCode"], item, checks)
    if not checks.messages:
        _check_stock(system, drafts, checks)
    if checks.messages:
        text = "Material Document processing failed"
        raise ODataError(400, "MM_IM_ODATA_API_MDOC/014", text, checks.messages)

    number, year, moment = system.number("material_document"), str(posted.year), system.now()
    values = {
        **draft.values,
        "MaterialDocument": number,
        "MaterialDocumentYear": year,
        "DocumentDate": draft["DocumentDate"] or today,
        "PostingDate": posted,
        "CreationDate": midnight(moment.date()),
        "CreationTime": clock_time(moment),
        "CreatedByUser": user.name[:12],
        "InventoryTransactionType": "WE" if draft["GoodsMovementCode"] == "01" else "WA",
    }
    header = system.add("A_MaterialDocumentHeader", values)
    for place, item in enumerate(drafts, start=1):
        _post_item(system, header, item, place)
    return header


def stock_key(material: str, plant: str, location: str, stock_type: str) -> tuple[str, ...]:
    """Give the eleven parts of the key of an own stock without batch."""
    return (material, plant, location, "", "", "", "0", "", "0", "", stock_type)


def move_stock(system: S4System, material: str, place: tuple[str, str], stock_type: str, quantity: Decimal) -> None:
    """Add a quantity (negative: take it) to a stock, which begins to exist with the first movement."""
    table = system.tables[_STOCK]
    key = stock_key(material, *place, stock_type)
    row = table.get(*key)
    if row is None:
        product = system.tables["A_Product"].get(material)
        unit = product["BaseUnit"] if product else "PC"
        row = system.add(_STOCK, {**dict(zip(table.type.key, key, strict=True)), "MaterialBaseUnit": unit})
    row["MatlWrhsStkQtyInMatlBaseUnit"] += quantity
    system.changed(row)


def _check_header(draft: Draft, posted: datetime, today: datetime, checks: Checks) -> None:
    code = draft["GoodsMovementCode"]
    if not code:
        checks.say("M7/018", "Enter Goods Movement Code", "GoodsMovementCode")
    elif not any(code in movement.codes for movement in MOVEMENTS.values()):
        checks.say("M7/140", f"Goods movement code {code} is not allowed", "GoodsMovementCode")
    open_from = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    if not open_from <= posted <= today + timedelta(days=31):
        periods = f"{open_from:%Y/%m} and {today:%Y/%m}"
        checks.say("M7/053", f"Posting only possible in periods {periods} in company code", "PostingDate")


def _check_item(system: S4System, code: str, item: Draft, checks: Checks) -> None:
    for name, label in (("Material", "Material"), ("Plant", "Plant"), ("StorageLocation", "Stor. Location")):
        if not item[name]:
            checks.say("M7/018", f"Enter {label}", name)
    movement = MOVEMENTS.get(item["GoodsMovementType"])
    if movement is None:
        checks.say("M7/142", f"Movement type {item['GoodsMovementType']} does not exist", "GoodsMovementType")
    elif code and code not in movement.codes:
        text = f"Movement type {item['GoodsMovementType']} is not allowed for this transaction"
        checks.say("M7/156", text, "GoodsMovementType")
    elif movement.needs and not item[movement.needs]:
        checks.say("M7/018", f"Enter {movement.needs}", movement.needs)
    if item["QuantityInEntryUnit"] <= 0:
        checks.say("M7/018", "Enter Quantity", "QuantityInEntryUnit")
    _check_place(item, checks)
    _check_material(system, item, checks)
    if movement is not None and movement.needs == "PurchaseOrder" and item["PurchaseOrder"]:
        _check_order(system, item, checks)


def _check_place(item: Draft, checks: Checks) -> None:
    plant, location = item["Plant"], item["StorageLocation"]
    if plant and plant not in cus.STORAGE_LOCATIONS:
        checks.say("M7/001", f"Check table T001W: entry {plant} does not exist", "Plant")
    elif plant and location and location not in cus.STORAGE_LOCATIONS[plant]:
        checks.say("M7/001", f"Check table T001L: entry {plant} {location} does not exist", "StorageLocation")


def _check_material(system: S4System, item: Draft, checks: Checks) -> None:
    material, plant = item["Material"], item["Plant"]
    product = system.tables["A_Product"].get(material) if material else None
    if material and product is None:
        checks.say("M3/305", f"The material {material} does not exist or is not activated", "Material")
    elif product is not None and plant and system.tables["A_ProductPlant"].get(material, plant) is None:
        checks.say("M3/351", f"Material {material} not maintained in plant {plant}", "Material")
    unit = item["EntryUnit"]
    if product is not None and unit and unit != product["BaseUnit"]:
        text = f"Conversion of {unit} to {product['BaseUnit']} is not defined for material {material}"
        checks.say("M3/305" if unit in cus.UNITS else "BM/302", text, "EntryUnit")


def _check_order(system: S4System, item: Draft, checks: Checks) -> None:
    row = system.tables["A_PurchaseOrderItem"].get(item["PurchaseOrder"], item["PurchaseOrderItem"])
    name = f"{item['PurchaseOrder']} {item['PurchaseOrderItem']}"
    if row is None or row["Material"] != item["Material"]:
        checks.say("M7/036", f"PO {name} does not exist for this material", "PurchaseOrder")
    elif row["PurchasingDocumentDeletionCode"]:
        checks.say("M7/036", f"PO {name} is deleted", "PurchaseOrder")


def _check_stock(system: S4System, drafts: list[Draft], checks: Checks) -> None:
    """Refuse when all items together take more than there is."""
    wanted: dict[tuple[str, ...], Decimal] = {}
    for item in drafts:
        source = MOVEMENTS[item["GoodsMovementType"]].source
        if source is not None:
            key = stock_key(item["Material"], item["Plant"], item["StorageLocation"], source)
            wanted[key] = wanted.get(key, Decimal(0)) + item["QuantityInEntryUnit"]
    for key, quantity in wanted.items():
        row = system.tables[_STOCK].get(*key)
        lacking = quantity - (row["MatlWrhsStkQtyInMatlBaseUnit"] if row else Decimal(0))
        if lacking > 0:
            unit = row["MaterialBaseUnit"] if row else ""
            text = f"Deficit of SL {_STOCK_NAMES[key[-1]]} {lacking:.3f} {unit} : {key[0]} {key[1]} {key[2]}"
            checks.say("M7/021", text, "QuantityInEntryUnit")


def _post_item(system: S4System, header: Row, item: Draft, place: int) -> None:
    movement, quantity = MOVEMENTS[item["GoodsMovementType"]], item["QuantityInEntryUnit"]
    product = system.tables["A_Product"].get(item["Material"])
    base = product["BaseUnit"] if product else item["EntryUnit"]
    here = (item["Plant"], item["StorageLocation"])
    there = (item["IssuingOrReceivingPlant"] or here[0], item["IssuingOrReceivingStorageLoc"] or here[1])
    if movement.source is not None:
        move_stock(system, item["Material"], here, movement.source, -quantity)
    if movement.target is not None:
        target = there if movement.source is not None else here
        move_stock(system, item["Material"], target, movement.target, quantity)
    if item["PurchaseOrder"]:
        _receive(system, item, quantity if movement.target else -quantity)
    derived: dict[str, Any] = {
        "MaterialDocument": header["MaterialDocument"],
        "MaterialDocumentYear": header["MaterialDocumentYear"],
        "MaterialDocumentItem": str(place),
        "EntryUnit": item["EntryUnit"] or base,
        "MaterialBaseUnit": base,
        "QuantityInBaseUnit": quantity,
        "InventoryStockType": movement.target or movement.source or "",
        "FiscalYear": header["MaterialDocumentYear"],
        "FiscalYearVariant": "K4",
        "CompanyCodeCurrency": cus.COMPANIES[cus.PLANT_COMPANY[item["Plant"]]].currency,
    }
    system.add("A_MaterialDocumentItem", {**item.values, **derived})


def _receive(system: S4System, item: Draft, quantity: Decimal) -> None:
    """Count a receipt; the order's header keeps its stamp, as receipts go to the order history only."""
    row = system.tables["A_PurchaseOrderItem"].get(item["PurchaseOrder"], item["PurchaseOrderItem"])
    if row is None:
        return
    key = (row.key[0], row.key[1])
    system.received[key] = system.received.get(key, Decimal(0)) + quantity
    row["IsCompletelyDelivered"] = system.received[key] >= row["OrderQuantity"]
    system.changed(row)
