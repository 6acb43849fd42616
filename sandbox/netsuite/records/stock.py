"""Business rules of stock: inventory adjustments, receipts and bills of purchase orders."""

from collections.abc import Mapping
from typing import Any

from sandbox.netsuite.errors import invalid, user_error
from sandbox.netsuite.records.orders import Orders, unique_external
from sandbox.netsuite.records.specs import INVENTORY_ADJUSTMENT, Field
from sandbox.netsuite.records.values import Reader
from sandbox.netsuite.store import Row
from sandbox.netsuite.suiteql.functions import stored
from sandbox.netsuite.system import NetSuite

JsonObject = Mapping[str, Any]
_LINE = (
    Field("item", "item", "ref", "item"),
    Field("location", "location", "ref", "location"),
    Field("adjustQtyBy", "quantity", "number"),
    Field("unitCost", "rate", "number"),
    Field("memo", "memo"),
    Field("units", "units"),
)
_KINDS = {"itemReceipt": ("ItemRcpt", "quantityshiprecv"), "vendorBill": ("VendBill", "quantitybilled")}


class Stock:
    """Posts what moves stock."""

    def __init__(self, system: NetSuite, orders: Orders) -> None:
        self._system = system
        self._store = system.store
        self._orders = orders

    def adjust(self, body: JsonObject, reader: Reader) -> int:
        """Post an inventory adjustment; gives its internal id."""
        values = reader.columns(INVENTORY_ADJUSTMENT.fields, body, also=("inventory",))
        for name, column in (("Subsidiary", "_subsidiary"), ("Adjustment Account", "_account")):
            if values.get(column) is None:
                raise user_error(
                    f"Please enter value(s) for: {name}.", "account" if column == "_account" else "subsidiary"
                )
        unique_external(self._system, "transaction", values)
        items = reader.lines(body.get("inventory"), "inventory") if "inventory" in body else []
        if not items:
            raise user_error("You must enter at least one line item for this transaction.", "inventory")
        lines = [self._adjusted(reader, item, place, values) for place, item in enumerate(items)]
        key = self._post("InvAdjst", "inventoryadjustment", values)
        for place, line in enumerate(lines, 1):
            self._store.add("transactionline", _line(key, place, line))
            self.move(line["item"], line["location"], line["quantity"])
        self._system.edits.note(
            "inventory", str(key), "created", stamp=self._system.clock.stamp(), reference=values.get("externalid")
        )
        return key

    def transform(self, order: Row, target: str, body: JsonObject) -> int:
        """Make a receipt or a bill of an order: of all that is open, or of what `item.items` names by orderLine."""
        kind, column = _KINDS[target]
        if order["status"] in {"A", "C", "G", "H"}:
            raise user_error(
                "Invalid initialize reference: the order cannot be transformed in its status.", "createdFrom"
            )
        wanted = {
            int(item["orderLine"]): item for item in (body.get("item") or {}).get("items", []) if "orderLine" in item
        }
        moved = []
        for line in list(self._store.rows("transactionline", {"transaction": order["id"]})):
            limit = line["quantity"] if kind == "ItemRcpt" else line["quantityshiprecv"]
            if line["mainline"] == "T" or line["isclosed"] == "T" or (wanted and line["id"] not in wanted):
                continue
            open_ = (limit or 0) - (line[column] or 0)
            quantity = float(wanted.get(line["id"], {}).get("quantity", open_))
            if quantity > open_:
                raise user_error("The quantity exceeds what is open on the order.", "item")
            if quantity > 0:
                moved.append((line, quantity))
        if not moved:
            raise user_error("There are no lines to transform.", "item")
        header = {name: order[name] for name in ("entity", "currency", "_subsidiary", "_location")}
        key = self._post(kind, target.lower(), header, createdfrom=order["id"])
        for place, (line, quantity) in enumerate(moved, 1):
            own = {"item": line["item"], "location": line["location"], "quantity": quantity, "createdfrom": order["id"]}
            self._store.add("transactionline", _line(key, place, own))
            line_key = {"transaction": order["id"], "id": line["id"]}
            self._store.change("transactionline", line_key, {column: (line[column] or 0) + quantity})
            if kind == "ItemRcpt" and line["location"]:
                self.move(line["item"], line["location"], quantity)
        # What hangs on an order moves the order's own stamp.
        self._store.change("transaction", {"id": order["id"]}, self._system.stamped())
        self._orders.settle(order["id"])
        self._system.edits.note("purchaseOrder", str(order["id"]), "changed", stamp=self._system.clock.stamp())
        return key

    def move(self, item: int, location: int, quantity: float) -> None:
        """Change what is on hand; there is no stamp that tells when."""
        key = {"item": item, "location": location}
        row = self._store.one("inventoryitemlocations", key)
        if row is None:
            zero = dict.fromkeys(("quantityonorder", "quantitycommitted", "quantitybackordered"), 0.0)
            amounts = {"quantityonhand": quantity, "quantityavailable": quantity}
            self._store.add("inventoryitemlocations", {**key, **amounts, **zero})
            return
        amounts = {name: (row[name] or 0) + quantity for name in ("quantityonhand", "quantityavailable")}
        self._store.change("inventoryitemlocations", key, amounts)

    def _adjusted(self, reader: Reader, item: JsonObject, place: int, header: Row) -> Row:
        path = f"inventory.items[{place}]"
        values = reader.columns(_LINE, item, at=f"{path}.")
        values.setdefault("location", header.get("_location"))
        for name, column in (("Item", "item"), ("Location", "location"), ("Adjust Qty. By", "quantity")):
            if not values.get(column):
                raise user_error(f"Please enter value(s) for: {name}.", f"{path}.{column}")
        master = self._store.one("item", {"id": values["item"]}) or {}
        if master["itemtype"] not in {"InvtPart", "Assembly"}:
            raise invalid(f"Invalid item reference key {values['item']}.", f"{path}.item")
        own = self._store.one("location", {"id": values["location"]}) or {}
        if own["subsidiary"] != header["_subsidiary"]:
            raise invalid(f"Invalid location reference key {values['location']} for subsidiary.", f"{path}.location")
        return values

    def _post(self, kind: str, record: str, values: Row, *, createdfrom: int | None = None) -> int:
        key, now = self._system.new_transaction(), self._system.local_now()
        row = {
            "id": key,
            "tranid": f"{key}",
            "type": kind,
            "recordtype": record,
            "trandate": f"{now:%Y-%m-%d} 00:00:00".encode(),
            "createddate": stored(now),
            **{name: value for name, value in values.items() if value is not None},
            **self._system.stamped(),
        }
        self._store.add("transaction", row)
        main = _line(key, 0, {"subsidiary": values.get("_subsidiary"), "createdfrom": createdfrom})
        self._store.add("transactionline", {**main, "mainline": "T"})
        return key


def _line(key: int, number: int, values: Mapping[str, Any]) -> Row:
    own = {"uniquekey": key * 1000 + number, "id": number, "linesequencenumber": number, "transaction": key}
    return {**own, "mainline": "F", "taxline": "F", **values}
