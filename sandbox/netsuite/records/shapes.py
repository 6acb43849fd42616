"""Records as the service shows them: references with their names, sublists as links or whole, nothing that is empty."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sandbox.netsuite.records.specs import ADDRESS, LINE, RECORD_OF, Field, Spec
from sandbox.netsuite.schema import APPROVAL, STATUSES, TEXTS
from sandbox.netsuite.store import Row
from sandbox.netsuite.system import NetSuite

RECORDS: Final = "/services/rest/record/v1"
_ADDRESSES: Final = ("billingAddress", "shippingAddress")
JsonObject = dict[str, Any]


class Shapes:
    """Shows records of one system at one address."""

    def __init__(self, system: NetSuite, base: str) -> None:
        self._system = system
        self._base = f"{base.rstrip('/')}{RECORDS}"

    def record(self, spec: Spec, row: Row, *, expand: bool = False, only: Iterable[str] = ()) -> JsonObject:
        """Show a record.

        Args:
            expand: Whether sublists and addresses come whole.
            only: Names of the fields to show; none for all.
        """
        chosen = set(only)
        address = f"{self._base}/{spec.name}/{row[spec.key]}"
        shown: JsonObject = {"links": [{"rel": "self", "href": address}]}
        for each in spec.fields:
            if chosen and each.name not in chosen:
                continue
            value = self._value(each, row)
            if value is not None:
                shown[each.name] = value
        for name in spec.sublists:
            if not chosen or name in chosen:
                shown[name] = {"links": [{"rel": "self", "href": f"{address}/{name}"}]}
                if expand:
                    shown[name] |= self.sublist(spec, row, name)
        if spec.name == "purchaseOrder":
            names = [name for name in _ADDRESSES if not chosen or name in chosen]
            self._addresses(row, shown, address, names, expand=expand)
        return shown

    def sublist(self, spec: Spec, row: Row, name: str) -> JsonObject:
        """Show a sublist whole."""
        items = list(self._elements(spec, row, name))
        return {"items": items, "totalResults": len(items)}

    def element(self, fields: Iterable[Field], row: Row) -> JsonObject:
        """Show a line or an address."""
        values = ((each.name, self._value(each, row)) for each in fields)
        return {"links": []} | {name: value for name, value in values if value is not None}

    def _elements(self, spec: Spec, row: Row, name: str) -> Iterable[JsonObject]:
        store = self._system.store
        if name == "addressBook":
            for entry in store.rows("vendoraddressbook", {"entity": row["id"]}, order="internalid"):
                address = store.one("entityaddress", {"nkey": entry["addressbookaddress"]}) or {}
                yield {
                    "links": [],
                    "id": str(entry["internalid"]),
                    "label": entry["label"] or "",
                    "defaultBilling": entry["defaultbilling"] == "T",
                    "defaultShipping": entry["defaultshipping"] == "T",
                    "addressBookAddress": self.element(ADDRESS, address) if address else {"links": []},
                }
            return
        for line in store.rows("transactionline", {"transaction": row["id"]}, order="linesequencenumber"):
            if line["mainline"] == "F" and line["taxline"] == "F":
                shown = self.element(LINE, line)
                if spec.name == "inventoryAdjustment":
                    shown["adjustQtyBy"] = shown.pop("quantity", 0)
                yield shown

    def _addresses(self, row: Row, shown: JsonObject, address: str, names: Iterable[str], *, expand: bool) -> None:
        for name in names:
            key = row[name.lower()]
            found = self._system.store.one("transactionaddress", {"nkey": key}) if key else None
            if found is not None:
                shown[name] = {"links": [{"rel": "self", "href": f"{address}/{name}"}]}
                if expand:
                    shown[name] |= self.element(ADDRESS, found)

    def _value(self, each: Field, row: Mapping[str, Any]) -> Any:  # noqa: PLR0911  (one a kind)
        value = row.get(each.column)
        if value is None:
            return None
        match each.kind:
            case "id":
                return str(value)
            case "flag":
                return value == "T"
            case "date":
                return value[:10].decode()
            case "stamp":
                return value if isinstance(value, str) else self._utc(value)
            case "number":
                return int(value) if float(value).is_integer() else value
            case "ref":
                return self._reference(each, value)
            case "status":
                return {"id": value, "refName": STATUSES.get(value, value)}
            case "approval":
                return {"id": str(value), "refName": APPROVAL.get(value, str(value))}
            case _:
                return str(value) if each.name == "units" else value

    def _reference(self, each: Field, value: Any) -> JsonObject:
        if not each.to:
            return {"id": str(value), "refName": str(value)}
        text = TEXTS.get(each.to, (each.to, "name"))[1] if each.to != "unitstypeuom" else "unitname"
        text = {"term": "name", "account": "accountsearchdisplayname"}.get(each.to, text)
        key = "internalid" if each.to == "unitstypeuom" else "id"
        name = self._system.store.value(f'SELECT {text} FROM "{each.to}" WHERE {key} = ?', (value,))
        address = f"{self._base}/{RECORD_OF.get(each.to, each.to)}/{value}"
        shown: JsonObject = {"links": [{"rel": "self", "href": address}], "id": str(value)}
        return shown | ({"refName": name} if name is not None else {})

    def _utc(self, value: bytes) -> str:
        local = datetime.fromisoformat(value.decode()).replace(tzinfo=self._system.zone)
        return f"{local.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
