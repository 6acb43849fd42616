"""Business rules of purchase orders."""

from collections.abc import Mapping
from typing import Any

from sandbox.netsuite.errors import invalid, user_error
from sandbox.netsuite.records.specs import LINE, PURCHASE_ORDER
from sandbox.netsuite.records.values import Reader
from sandbox.netsuite.store import Row
from sandbox.netsuite.suiteql.functions import stored
from sandbox.netsuite.system import NetSuite

JsonObject = Mapping[str, Any]
_ALSO = ("item", "billingAddress", "shippingAddress")


class Orders:
    """Makes, changes and deletes purchase orders."""

    def __init__(self, system: NetSuite) -> None:
        self._system = system
        self._store = system.store

    def create(self, body: JsonObject, reader: Reader) -> int:
        """Make an order; gives its internal id."""
        values = reader.columns(PURCHASE_ORDER.fields, body, also=_ALSO)
        vendor = self._vendor(values)
        for name, column in (("Subsidiary", "_subsidiary"),):
            if values.get(column) is None:
                raise user_error(f"Please enter value(s) for: {name}.", name.lower())
        self._of_subsidiary(values)
        unique_external(self._system, "transaction", values)
        items = reader.lines(body.get("item"), "item") if "item" in body else []
        if not items:
            raise user_error("You must enter at least one line item for this transaction.", "item")
        lines = [self._line(reader, line, f"item.items[{place}]", values) for place, line in enumerate(items)]
        key = self._system.new_transaction()
        now = self._system.local_now()
        status, approval = ("A", 1) if self._system.options.approvals else ("B", 2)
        row = {
            "id": key,
            "tranid": f"PO{key:05d}",
            "transactionnumber": f"PURCHORD{key}",
            "type": "PurchOrd",
            "recordtype": "purchaseorder",
            "abbrevtype": "PURCHORD",
            "trandate": f"{now:%Y-%m-%d} 00:00:00".encode(),
            "currency": vendor["currency"],
            "terms": vendor["terms"],
            "exchangerate": 1.0,
            "createddate": stored(now),
            "createdby": 1,
            "voided": "F",
            "posting": "F",
            "void": "F",
            **{name: value for name, value in values.items() if value is not None},
            "status": status,
            "approvalstatus": approval,
            **self._system.stamped(),
        }
        row |= self._addresses(reader, body)
        self._store.add("transaction", row)
        self._store.add("transactionline", self._main_line(row))
        for place, line in enumerate(lines, 1):
            self._add_line(row, place, line)
        self.settle(key)
        self._system.edits.note(
            "purchaseOrder", str(key), "created", stamp=self._system.clock.stamp(), reference=values.get("externalid")
        )
        return key

    def update(self, row: Row, body: JsonObject, reader: Reader, *, replace: bool) -> None:
        """Change an order; lines are merged by `line`, or replaced."""
        values = reader.columns(PURCHASE_ORDER.fields, body, also=_ALSO)
        key = row["id"]
        if "_subsidiary" in values and values["_subsidiary"] != row["_subsidiary"]:
            raise user_error("The subsidiary of a transaction cannot be changed.", "subsidiary")
        for name, column in (("Vendor", "entity"), ("Date", "trandate")):
            if column in values and values[column] is None:
                raise user_error(f"Please enter value(s) for: {name}.", column)
        if values.get("externalid", row["externalid"]) != row["externalid"]:
            unique_external(self._system, "transaction", values)
        if "approvalstatus" in values:
            values |= self._approved(row, values["approvalstatus"])
        if "item" in body:
            self._merge(row, reader.lines(body["item"], "item"), reader, replace=replace)
        self._store.change(
            "transaction", {"id": key}, {**values, **self._addresses(reader, body), **self._system.stamped()}
        )
        main = {"location": "_location", "subsidiary": "_subsidiary", "entity": "entity", "memo": "memo"}
        kept = {name: values[column] for name, column in main.items() if column in values}
        self._store.change("transactionline", {"transaction": key, "id": 0}, kept)
        self.settle(key)
        self._system.edits.note(
            "purchaseOrder",
            str(key),
            "changed",
            stamp=self._system.clock.stamp(),
            reference=values.get("externalid", row["externalid"]),
            mappable=("purchaseOrder", str(key)) not in self._system.spoiled,
        )

    def delete(self, row: Row) -> None:
        """Delete an order that nothing depends on."""
        received = self._store.value(
            "SELECT count(*) FROM transactionline WHERE createdfrom = ? AND mainline = 'T'", (row["id"],)
        )
        if received:
            raise user_error("This transaction cannot be deleted because it is linked to by one or more transactions.")
        self.remove(row["id"])
        self._system.forget("purchaseOrder", row["id"], f"Purchase Order #{row['tranid']}")

    def remove(self, key: int) -> None:
        """Take an order out with its lines."""
        self._store.remove("transaction", {"id": key})
        self._store.remove("transactionline", {"transaction": key})
        self._system.edits.note("purchaseOrder", str(key), "vanished", stamp=None)

    def settle(self, key: int) -> None:
        """Work out an order's total and status anew."""
        lines = [each for each in self._store.rows("transactionline", {"transaction": key}) if each["mainline"] == "F"]
        total = round(sum(line["foreignamount"] or 0 for line in lines), 2)
        row = self._store.one("transaction", {"id": key}) or {}
        status = row["status"]
        if row["approvalstatus"] == 2:
            status = _status(lines)
        self._store.change("transaction", {"id": key}, {"foreigntotal": total, "status": status})
        self._store.change(
            "transactionline", {"transaction": key, "id": 0}, {"foreignamount": -total, "netamount": -total}
        )

    def _merge(self, row: Row, items: list[Mapping[str, Any]], reader: Reader, *, replace: bool) -> None:
        key = row["id"]
        present = {
            line["id"]: line
            for line in self._store.rows("transactionline", {"transaction": key})
            if line["mainline"] == "F"
        }
        named = [item.get("line") for item in items]
        if replace:
            if not items:
                raise user_error("You must enter at least one line item for this transaction.", "item")
            for number, line in present.items():
                if number not in named:
                    if line["quantityshiprecv"] or line["quantitybilled"]:
                        raise user_error("You cannot delete a line that has been received or billed.", "item")
                    self._store.remove("transactionline", {"transaction": key, "id": number})
        following = max(present, default=0) + 1
        for place, item in enumerate(items):
            path = f"item.items[{place}]"
            number = item.get("line")
            if number is None:
                self._add_line(row, following, self._line(reader, item, path, row))
                following += 1
            elif number not in present:
                raise invalid(f"The sublist item with the key {number} does not exist.", f"{path}.line")
            else:
                self._change_line(key, present[number], reader.columns(LINE, item, at=f"{path}."), path)

    def _change_line(self, key: int, line: Row, values: Row, path: str) -> None:
        merged = {**line, **values}
        if merged["quantity"] is None or merged["quantity"] < (line["quantityshiprecv"] or 0):
            raise user_error("The quantity cannot be less than the quantity received.", f"{path}.quantity")
        if {"quantity", "rate"} & set(values):
            values["foreignamount"] = round((merged["quantity"] or 0) * (merged["rate"] or 0), 2)
            values["netamount"] = values["foreignamount"]
        stamp = self._system.stamped()["lastmodifieddate"]
        key_of = {"transaction": key, "id": line["id"]}
        self._store.change("transactionline", key_of, {**values, "linelastmodifieddate": stamp})

    def _line(self, reader: Reader, item: Mapping[str, Any], path: str, header: Row) -> Row:
        values = {name: value for name, value in reader.columns(LINE, item, at=f"{path}.").items() if value is not None}
        if values.get("item") is None:
            raise user_error("Please choose an item to add.", f"{path}.item")
        master = self._store.one("item", {"id": values["item"]}) or {}
        if master["isinactive"] == "T":
            raise invalid(f"Invalid item reference key {values['item']}.", f"{path}.item")
        units = values.get("units")
        if units is not None and (not str(units).isdigit() or not self._unit(master, units)):
            raise invalid(f"Invalid units reference key {units} for item {values['item']}.", f"{path}.units")
        values.setdefault("quantity", 1.0)
        values.setdefault("rate", master["lastpurchaseprice"] or 0.0)
        values.setdefault("memo", master["purchasedescription"])
        values.setdefault("units", master["purchaseunit"])
        values.setdefault("location", header.get("_location"))
        # As the product does it: the rate as given, the amount to the cent.
        values.setdefault("foreignamount", round(values["quantity"] * values["rate"], 2))
        return {**values, "units": int(values["units"]) if values["units"] else None, "itemtype": master["itemtype"]}

    def _unit(self, master: Row, unit: Any) -> bool:
        found = self._store.value(
            "SELECT count(*) FROM unitstypeuom WHERE internalid = ? AND unitstype = ?", (unit, master["unitstype"])
        )
        return bool(found)

    def _add_line(self, row: Row, number: int, line: Row) -> None:
        stamp = self._system.stamped()["lastmodifieddate"]
        own = {
            "uniquekey": row["id"] * 1000 + number,
            "id": number,
            "linesequencenumber": number,
            "transaction": row["id"],
            "mainline": "F",
            "taxline": "F",
            "quantityshiprecv": 0.0,
            "quantitybilled": 0.0,
            "isclosed": "F",
            "entity": row["entity"],
            "subsidiary": row["_subsidiary"],
            "linelastmodifieddate": stamp,
            "linecreateddate": stamp,
            "netamount": line["foreignamount"],
        }
        self._store.add("transactionline", {**own, **line})

    def _main_line(self, row: Row) -> Row:
        return {
            "uniquekey": row["id"] * 1000,
            "id": 0,
            "linesequencenumber": 0,
            "transaction": row["id"],
            "mainline": "T",
            "taxline": "F",
            "memo": row.get("memo"),
            "isclosed": "F",
            "location": row.get("_location"),
            "subsidiary": row["_subsidiary"],
            "entity": row["entity"],
        }

    def _vendor(self, values: Row) -> Row:
        if values.get("entity") is None:
            raise user_error("Please enter value(s) for: Vendor.", "entity")
        vendor = self._store.one("vendor", {"id": values["entity"]}) or {}
        if vendor["isinactive"] == "T":
            raise invalid(f"Invalid entity reference key {values['entity']}.", "entity")
        return vendor

    def _of_subsidiary(self, values: Row) -> None:
        key = {"entity": values["entity"], "subsidiary": values["_subsidiary"]}
        if self._store.one("vendorsubsidiaryrelationship", key) is None:
            text = f"Invalid entity reference key {values['entity']} for subsidiary {values['_subsidiary']}."
            raise invalid(text, "entity")
        location = values.get("_location")
        if location is not None:
            own = self._store.one("location", {"id": location}) or {}
            if own["subsidiary"] != values["_subsidiary"]:
                raise invalid(f"Invalid location reference key {location} for subsidiary.", "location")

    def _addresses(self, reader: Reader, body: JsonObject) -> Row:
        made: Row = {}
        for name in ("billingAddress", "shippingAddress"):
            if name in body and body[name] is not None:
                key = self._store.next_id("transactionaddress", "nkey")
                self._store.add("transactionaddress", {"nkey": key, **reader.address(body[name], name)})
                made[name.lower()] = key
        return made

    def _approved(self, row: Row, approval: int) -> Row:
        if row["status"] not in {"A", "B", "C"}:
            raise user_error("The approval status of this transaction cannot be changed.", "approvalStatus")
        return {"status": {1: "A", 2: "B", 3: "C"}.get(approval, row["status"])}


def unique_external(system: NetSuite, table: str, values: Row) -> None:
    """Refuse an external id that another record of the table has.

    Raises:
        RestError: 400.
    """
    given = values.get("externalid")
    if given is not None and system.store.one(table, {"externalid": given}) is not None:
        raise user_error("This record already exists", "externalId")


def _status(lines: list[Row]) -> str:
    """Tell an approved order's letter from its lines."""
    live = [line for line in lines if line["isclosed"] != "T"]
    received = [line["quantityshiprecv"] or 0 for line in lines]
    if not live:
        return "H"
    full = all((line["quantityshiprecv"] or 0) >= line["quantity"] for line in live)
    billed = all((line["quantitybilled"] or 0) >= line["quantity"] for line in live)
    if full:
        return "G" if billed else "F"
    if not any(received):
        return "B"
    return "E" if any((line["quantitybilled"] or 0) < (line["quantityshiprecv"] or 0) for line in lines) else "D"
