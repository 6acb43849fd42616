"""Business rules of vendors."""

from collections.abc import Mapping
from typing import Any

from sandbox.netsuite.errors import user_error
from sandbox.netsuite.records.orders import unique_external
from sandbox.netsuite.records.specs import VENDOR
from sandbox.netsuite.records.values import Reader
from sandbox.netsuite.store import Row
from sandbox.netsuite.suiteql.functions import stored
from sandbox.netsuite.system import NetSuite

JsonObject = Mapping[str, Any]
_ALSO = ("addressBook",)


class Vendors:
    """Makes, changes and deletes vendors."""

    def __init__(self, system: NetSuite) -> None:
        self._system = system
        self._store = system.store

    def create(self, body: JsonObject, reader: Reader) -> int:
        """Make a vendor; gives its internal id."""
        values = reader.columns(VENDOR.fields, body, also=_ALSO)
        values = {name: value for name, value in values.items() if value is not None}
        person = values.get("isperson", "F") == "T"
        name = values.get("companyname") or (f"{values.get('firstname', '')} {values.get('lastname', '')}".strip())
        if not name:
            raise user_error(
                f"Please enter value(s) for: {'Last Name' if person else 'Company Name'}.",
                "lastName" if person else "companyName",
            )
        if values.get("subsidiary") is None:
            raise user_error("Please enter value(s) for: Primary Subsidiary.", "subsidiary")
        values.setdefault("entityid", name)
        self._unique(values)
        unique_external(self._system, "vendor", values)
        entries = reader.lines(body["addressBook"], "addressBook") if "addressBook" in body else []
        key = self._store.next_id("vendor")
        subsidiary = self._store.one("subsidiary", {"id": values["subsidiary"]}) or {}
        own = {
            "id": key,
            "isperson": "F",
            "isinactive": "F",
            "currency": subsidiary["currency"],
            "balance": 0.0,
            "datecreated": stored(self._system.local_now()),
        }
        self._store.add("vendor", {**own, **values, **self._system.stamped()})
        link = {"id": self._store.next_id("vendorsubsidiaryrelationship"), "entity": key, "isprimarysub": "T"}
        self._store.add("vendorsubsidiaryrelationship", {**link, "subsidiary": values["subsidiary"], "balance": 0.0})
        self._address_book(key, entries, reader, replace=False)
        self._note(key, "created", values.get("externalid"))
        return key

    def update(self, row: Row, body: JsonObject, reader: Reader, *, replace: bool) -> None:
        """Change a vendor; its addresses are merged by `id`, or replaced."""
        values = reader.columns(VENDOR.fields, body, also=_ALSO)
        if values.get("entityid", row["entityid"]) != row["entityid"]:
            if values["entityid"] is None:
                raise user_error("Please enter value(s) for: Vendor ID.", "entityId")
            self._unique(values)
        if values.get("externalid", row["externalid"]) != row["externalid"]:
            unique_external(self._system, "vendor", values)
        if "addressBook" in body:
            self._address_book(row["id"], reader.lines(body["addressBook"], "addressBook"), reader, replace=replace)
        self._store.change("vendor", {"id": row["id"]}, {**values, **self._system.stamped()})
        self._note(row["id"], "changed", values.get("externalid", row["externalid"]))

    def delete(self, row: Row) -> None:
        """Delete a vendor that no transaction names."""
        if self._store.value('SELECT count(*) FROM "transaction" WHERE entity = ?', (row["id"],)):
            raise user_error("This record cannot be deleted because it has dependent records.")
        for table in ("vendoraddressbook", "vendorsubsidiaryrelationship"):
            self._store.remove(table, {"entity": row["id"]})
        self._store.remove("vendor", {"id": row["id"]})
        self._system.forget("vendor", row["id"], row["entityid"])
        self._note(row["id"], "vanished", None)

    def _unique(self, values: Row) -> None:
        if self._store.one("vendor", {"entityid": values["entityid"]}) is not None:
            text = "A vendor record with this ID already exists. You must enter a unique vendor ID for each record."
            raise user_error(text, "entityId")

    def _address_book(self, key: int, entries: list[Mapping[str, Any]], reader: Reader, *, replace: bool) -> None:
        present = {str(entry["internalid"]): entry for entry in self._store.rows("vendoraddressbook", {"entity": key})}
        if replace:
            for kept in present.values():
                self._store.remove("vendoraddressbook", {"internalid": kept["internalid"]})
        for place, entry in enumerate(entries):
            path = f"addressBook.items[{place}].addressBookAddress"
            address = reader.address(entry.get("addressBookAddress", {}), path)
            known = present.get(str(entry.get("id", "")))
            if known is not None and not replace:
                self._store.change("entityaddress", {"nkey": known["addressbookaddress"]}, address)
                continue
            nkey = self._store.next_id("entityaddress", "nkey")
            self._store.add("entityaddress", {"nkey": nkey, **address})
            number = self._store.next_id("vendoraddressbook", "internalid")
            flags = {name.lower(): "T" if entry.get(name) else "F" for name in ("defaultBilling", "defaultShipping")}
            row = {
                "internalid": number,
                "entity": key,
                "addressbookaddress": nkey,
                "label": entry.get("label"),
                **flags,
            }
            self._store.add("vendoraddressbook", row)
            if entry.get("defaultBilling"):
                self._store.change("vendor", {"id": key}, {"defaultbillingaddress": nkey})

    def _note(self, key: int, change: Any, reference: str | None) -> None:
        stamp = None if change == "vanished" else self._system.clock.stamp()
        self._system.edits.note("vendor", str(key), change, stamp=stamp, reference=reference)
