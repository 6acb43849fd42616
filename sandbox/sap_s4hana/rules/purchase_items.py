"""Purchase order items with their schedule lines and account assignments; release by value."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.sap_s4hana.config import User
from sandbox.sap_s4hana.odata.bodies import Draft
from sandbox.sap_s4hana.odata.errors import Message
from sandbox.sap_s4hana.rules import customizing as cus
from sandbox.sap_s4hana.rules.checks import Checks
from sandbox.sap_s4hana.rules.purchase_checks import BuiltItem, check_account, check_item, check_line
from sandbox.sap_s4hana.store import Row
from sandbox.sap_s4hana.system import S4System

ACTIVE, IN_RELEASE, RELEASED, REJECTED = "02", "03", "05", "08"
_ITEMS = "A_PurchaseOrderItem"
_LINES = "A_PurchaseOrderScheduleLine"
_ACCOUNTS = "A_PurOrdAccountAssignment"
_STEP = 10  # items are numbered 10, 20, 30
_NOT_CHANGED = Message("BAPI/003", "Instance PurchaseOrder could not be changed")


def build_items(
    system: S4System, header: Row, drafts: Sequence[Draft], checks: Checks, *, held: bool, taken: Sequence[int] = ()
) -> list[BuiltItem]:
    """Check items and fill what the application derives; `taken` are item numbers in use."""
    numbers, built = set(taken), []
    for draft in drafts:
        number = int(draft["PurchaseOrderItem"] or 0) or max(numbers, default=0) // _STEP * _STEP + _STEP
        if number in numbers:
            checks.say("06/062", f"Item {number} already exists", "PurchaseOrderItem")
        numbers.add(number)
        built.append(_build(system, header, draft, str(number)))
        check_item(system, header, built[-1], checks, held=held)
    return built


def create_item(system: S4System, draft: Draft, user: User) -> Row:
    """Add an item to an order.

    Raises:
        ODataError: 400 with every reason.
    """
    del user
    header = _header(system, draft["PurchaseOrder"])
    checks = Checks()
    taken = [int(row["PurchaseOrderItem"]) for row in system.tables[_ITEMS].children(header["PurchaseOrder"])]
    held = bool(header["PurchasingCompletenessStatus"])
    built = build_items(system, header, [draft], checks, held=held, taken=taken)
    checks.raise_if_any(_NOT_CHANGED)
    row = store_item(system, header, built[0])
    _item_changed(system, row)
    return row


def update_item(system: S4System, row: Row, draft: Draft, user: User) -> None:
    """Change an item; a changed quantity moves into its last schedule line.

    Raises:
        ODataError: 400 with every reason.
    """
    del user
    checks = Checks()
    if row["PurchasingDocumentDeletionCode"] == "L":
        checks.say("06/115", f"Item {row['PurchaseOrderItem']} has been deleted")
    order, number = row.key
    header = _header(system, order)
    merged = Row(row.type, {**row, **draft.values})
    _round_price(merged)
    lines, accounts = system.tables[_LINES].children(order, number), system.tables[_ACCOUNTS].children(order, number)
    held = bool(header["PurchasingCompletenessStatus"])
    check_item(system, header, BuiltItem(merged, lines, accounts, []), checks, held=held)
    checks.raise_if_any(_NOT_CHANGED)
    difference = merged["OrderQuantity"] - row["OrderQuantity"]
    row.set(**merged)
    if difference and lines:
        lines[-1]["ScheduleLineOrderQuantity"] += difference
        system.changed(lines[-1])
    for line in lines:
        line["PurchaseOrderQuantityUnit"] = row["PurchaseOrderQuantityUnit"]
    _item_changed(system, row)


def delete_item(system: S4System, row: Row, user: User) -> None:
    """Set the deletion indicator of an item; the header stays as it is, even when no item is left."""
    del user
    row["PurchasingDocumentDeletionCode"] = "L"
    _item_changed(system, row)


def create_line(system: S4System, draft: Draft, user: User) -> Row:
    """Add a schedule line to an item."""
    del user
    item = _item(system, draft["PurchasingDocument"], draft["PurchasingDocumentItem"])
    taken = [int(row["ScheduleLine"]) for row in system.tables[_LINES].children(*item.key)]
    values = dict(draft.values)
    if not int(draft["ScheduleLine"]):
        values["ScheduleLine"] = str(max(taken, default=0) + 1)
    line = Row(draft.type, {**_line_defaults(item, draft), **values})
    checks = Checks()
    if int(line["ScheduleLine"]) in taken:
        checks.say("06/062", f"Schedule line {line['ScheduleLine']} already exists", "ScheduleLine")
    check_line(line, checks)
    checks.raise_if_any(_NOT_CHANGED)
    row = system.add(_LINES, line)
    _sum_lines(system, item)
    return row


def update_line(system: S4System, row: Row, draft: Draft, user: User) -> None:
    """Change a schedule line; the item's quantity follows."""
    del user
    merged, checks = Row(row.type, {**row, **draft.values}), Checks()
    item = _item(system, row["PurchasingDocument"], row["PurchasingDocumentItem"])
    if item["PurchasingDocumentDeletionCode"] == "L":
        checks.say("06/115", f"Item {item['PurchaseOrderItem']} has been deleted")
    check_line(merged, checks)
    checks.raise_if_any(_NOT_CHANGED)
    row.set(**merged)
    system.changed(row)
    _sum_lines(system, item)


def delete_line(system: S4System, row: Row, user: User) -> None:
    """Take a schedule line out; the last one must stay."""
    del user
    item = _item(system, row["PurchasingDocument"], row["PurchasingDocumentItem"])
    checks = Checks()
    if len(system.tables[_LINES].children(*item.key)) == 1:
        checks.say("ME/080", "An item needs at least one schedule line")
    checks.raise_if_any(_NOT_CHANGED)
    system.remove(row)
    _sum_lines(system, item)


def create_account(system: S4System, draft: Draft, user: User) -> Row:
    """Add an account assignment to an item."""
    del user
    item = _item(system, draft["PurchaseOrder"], draft["PurchaseOrderItem"])
    taken = [int(row["AccountAssignmentNumber"]) for row in system.tables[_ACCOUNTS].children(*item.key)]
    values = _account_values(item, draft, max(taken, default=0) + 1)
    checks = Checks()
    check_account(item, Row(draft.type, values), checks)
    checks.raise_if_any(_NOT_CHANGED)
    row = system.add(_ACCOUNTS, values)
    _item_changed(system, item)
    return row


def delete_account(system: S4System, row: Row, user: User) -> None:
    """Mark an account assignment as deleted."""
    del user
    row["IsDeleted"] = True
    system.changed(row)


def store_item(system: S4System, header: Row, built: BuiltItem) -> Row:
    """Store a checked item under its order."""
    order, number = header["PurchaseOrder"], built.item["PurchaseOrderItem"]
    item = system.add(_ITEMS, {**built.item, "PurchaseOrder": order})
    for line in built.lines:
        system.add(_LINES, {**line, "PurchasingDocument": order, "PurchasingDocumentItem": number})
    for account in built.accounts:
        system.add(_ACCOUNTS, {**account, "PurchaseOrder": order, "PurchaseOrderItem": number})
    for note in built.notes:
        keys = {"PurchaseOrder": order, "PurchaseOrderItem": number}
        system.add("A_PurchaseOrderItemNote", {**note.values, **keys})
    return item


def check_release(system: S4System, header: Row) -> None:
    """Put an active order whose value reaches the threshold into release."""
    rows = system.tables[_ITEMS].children(header["PurchaseOrder"])
    live = [row for row in rows if not row["PurchasingDocumentDeletionCode"]]
    total = sum(
        (row["OrderQuantity"] * row["NetPriceAmount"] / (row["NetPriceQuantity"] or 1) for row in live), Decimal(0)
    )
    if header["PurchasingProcessingStatus"] == ACTIVE and total >= system.options.release_threshold:
        header.set(PurchasingProcessingStatus=IN_RELEASE, ReleaseIsNotCompleted=True)
        system.changed(header)


def _build(system: S4System, header: Row, draft: Draft, number: str) -> BuiltItem:
    line_drafts = draft.children("to_ScheduleLine")
    quantity = draft["OrderQuantity"] or sum((line["ScheduleLineOrderQuantity"] for line in line_drafts), Decimal(0))
    product = system.tables["A_Product"].get(draft["Material"]) if draft["Material"] else None
    unit = draft["PurchaseOrderQuantityUnit"] or (_order_unit(product) if product else "")
    text = system.tables["A_ProductDescription"].get(product["Product"], "EN") if product else None
    derived = {
        "PurchaseOrderItemText": text["ProductDescription"] if text else "",
        "MaterialGroup": product["ProductGroup"] if product else "",
        "OrderQuantity": quantity,
        "PurchaseOrderQuantityUnit": unit,
        "OrderPriceUnit": unit,
        "OrderPriceUnitToOrderUnitNmrtr": Decimal(1),
        "OrdPriceUnitToOrderUnitDnmntr": Decimal(1),
        "NetPriceQuantity": Decimal(1),
        "GoodsReceiptIsExpected": True,
        "InvoiceIsExpected": True,
        "PurchaseOrderItemCategory": "0",
        "ProductType": "1",
    }
    given = {name: value for name, value in draft.values.items() if not _is_blank(value)}
    fixed = {"PurchaseOrderItem": number, "DocumentCurrency": header["DocumentCurrency"]}
    item = Row(draft.type, {**derived, **given, **fixed})
    _round_price(item)
    lines = [
        Row(line.type, {**_line_defaults(item, line), **line.values, "ScheduleLine": str(place)})
        for place, line in enumerate(line_drafts, start=1)
    ]
    if len(lines) == 1 and not lines[0]["ScheduleLineOrderQuantity"]:
        lines[0]["ScheduleLineOrderQuantity"] = quantity
    if lines:
        item["OrderQuantity"] = sum((line["ScheduleLineOrderQuantity"] for line in lines), Decimal(0))
    accounts = [
        Row(one.type, _account_values(item, one, place))
        for place, one in enumerate(draft.children("to_AccountAssignment"), start=1)
    ]
    return BuiltItem(item, lines, accounts, draft.children("to_PurchaseOrderItemNote"))


def _is_blank(value: object) -> bool:
    return value == "" if isinstance(value, str) else isinstance(value, Decimal) and not value


def _order_unit(product: Row) -> str:
    return str(product["PurchaseOrderQuantityUnit"] or product["BaseUnit"])


def _round_price(item: Row) -> None:
    """Round the price to what the currency can hold, silently, as the database field does."""
    digits = cus.CURRENCIES.get(item["DocumentCurrency"])
    if digits is not None:
        item["NetPriceAmount"] = item["NetPriceAmount"].quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def _line_defaults(item: Row, draft: Draft) -> dict[str, Any]:
    return {
        "DelivDateCategory": "1",
        "PurchaseOrderQuantityUnit": item["PurchaseOrderQuantityUnit"],
        "SchedLineStscDeliveryDate": draft["ScheduleLineDeliveryDate"],
    }


def _account_values(item: Row, draft: Draft, place: int) -> dict[str, Any]:
    return {
        "Quantity": item["OrderQuantity"],
        "PurchaseOrderQuantityUnit": item["PurchaseOrderQuantityUnit"],
        "DocumentCurrency": item["DocumentCurrency"],
        **draft.values,
        "AccountAssignmentNumber": str(place),
    }


def _header(system: S4System, order: str) -> Row:
    header = system.tables["A_PurchaseOrder"].get(order)
    checks = Checks()
    if header is None:
        checks.say("06/019", f"Purchase order {order} does not exist", "PurchaseOrder")
    elif header["PurchasingDocumentDeletionCode"]:
        checks.say("06/044", f"Purchase order {order} has been deleted")
    checks.raise_if_any(_NOT_CHANGED)
    if header is None:
        raise LookupError(order)
    return header


def _item(system: S4System, order: str, number: str) -> Row:
    item = system.tables[_ITEMS].get(order, number)
    checks = Checks()
    if item is None:
        checks.say("06/019", f"Item {number} of purchase order {order} does not exist", "PurchaseOrderItem")
    checks.raise_if_any(_NOT_CHANGED)
    if item is None:
        raise LookupError(order)
    return item


def _sum_lines(system: S4System, item: Row) -> None:
    lines = system.tables[_LINES].children(*item.key)
    item["OrderQuantity"] = sum((line["ScheduleLineOrderQuantity"] for line in lines), Decimal(0))
    _item_changed(system, item)


def _item_changed(system: S4System, item: Row) -> None:
    """Note a change below the header: by default the header's stamp stays, which is what makes polling miss it."""
    system.changed(item)
    header = system.tables["A_PurchaseOrder"].get(item["PurchaseOrder"])
    if header is not None:
        check_release(system, header)
        if system.options.bump_on_item_change:
            header["LastChangeDateTime"] = system.stamp()
            system.changed(header)
