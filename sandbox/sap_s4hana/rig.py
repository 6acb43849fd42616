"""The simulated S/4HANA for the suite that connectors are tried with: see sandbox.kit.rig."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

from sandbox.kit.recorded import Recording
from sandbox.kit.rig import JsonObject, WireRig
from sandbox.kit.server import Running, serving
from sandbox.sap_s4hana import published
from sandbox.sap_s4hana.app import SapWire, create_app
from sandbox.sap_s4hana.config import Options, User
from sandbox.sap_s4hana.edits import archive
from sandbox.sap_s4hana.edm import Property
from sandbox.sap_s4hana.odata.encode import follow
from sandbox.sap_s4hana.rules.partners import stamp_partner
from sandbox.sap_s4hana.seed.plan import Plan, seed
from sandbox.sap_s4hana.seed.plant import FOREVER
from sandbox.sap_s4hana.store import Row

SETS: Final[Mapping[str, str]] = {
    "PURCHASE_ORDER": "A_PurchaseOrder",
    "WORK_ORDER": "MaintenanceOrder",
    "VENDOR": "A_BusinessPartner",
    "ITEM": "A_Product",
    "INVENTORY_LEVEL": "A_MatlStkInAcctMod",
    "ASSET": "Equipment",
    "LOCATION": "FunctionalLocation",
}
PLAN: Final = Plan(orders=40, suppliers=8, materials=9, maintenance_orders=12)
_NOWHERE: Final = "http://127.0.0.1:9"
# What SAP itself keeps filled: numbers of partners, names, stamps.
_KEPT: Final = frozenset(
    {"Supplier", "BusinessPartnerFullName", "LastChangeDate", "LastChangeDateTime", "CreationDate", "ETag"}
)
_OWN: Final[Mapping[tuple[str, str], str]] = {
    ("VENDOR", "name"): "BusinessPartnerFullName",
    ("WORK_ORDER", "title"): "MaintenanceOrderDesc",
    ("INVENTORY_LEVEL", "on_hand"): "MatlWrhsStkQtyInMatlBaseUnit",
    ("ASSET", "name"): "EquipmentName",
    ("LOCATION", "name"): "FunctionalLocationName",
}
"""Fields that one property of the document's own row shows."""
_CHANGED: Final = {
    "WORK_ORDER": "MaintenanceOrderDesc",
    "ITEM": "ProductOldID",
    "ASSET": "EquipmentName",
    "LOCATION": "FunctionalLocationName",
}
_LINE: Final = {"lines.description": "PurchaseOrderItemText", "lines.quantity": "OrderQuantity"}
_MOST_BASE: Final = 1000
_EQUIPMENT_KEY: Final = 2


class SapRig(WireRig[SapWire]):
    """See connectors.kit.conformance.rig.Rig."""

    slug = "sap_s4hana"
    defaults: Mapping[str, Any] = {
        "company_code": "1010",
        "purchasing_organization": "1010",
        "purchasing_group": "001",
        "plant": "1010",
        "storage_location": "101A",
        "maintenance_order_type": "YA01",
        "work_center": "RES-0100",
        "supplier_grouping": "BP02",
        "tax_number_category": "DE0",
        "reconciliation_account": "21100000",
        "goods_movement_code": "05",
        "increase_movement_type": "701",
        "decrease_movement_type": "702",
    }

    def __init__(self, running: Running[SapWire]) -> None:
        super().__init__(running)
        self.system = running.app.system

    def credentials(self, who: str) -> Mapping[str, Any]:
        """Give a communication user's credentials."""
        right = {"base_url": self.running.url, "client": "100", "username": "COMM_USER", "password": "Sandbox-Full-1"}
        oauth = {"auth_method": "OAUTH2", "client_id": "sandbox-client", "client_secret": "taken-back-meanwhile"}
        more: dict[str, dict[str, Any]] = {
            "right": {},
            "wrong": {"password": "not-the-password"},
            "expired": oauth,
            "unprivileged": {"username": "COMM_BUYER", "password": "Sandbox-Buy-1"},
            "read_only": {"username": "COMM_READER", "password": "Sandbox-Read-1"},
            "nowhere": {"base_url": _NOWHERE},
        }
        return {**right, **more[who]}

    async def reset(self) -> None:
        """Seed anew."""
        await super().reset()
        self.system.clear()
        self.system.options = Options()
        self.wire.sessions.expire_all()
        seed(self.system, PLAN)

    async def expire(self) -> None:
        """End all sessions and tokens."""
        self.wire.sessions.expire_all()

    async def keys(self, entity: str) -> set[str]:
        """Count the rows."""
        return {self._id(row) for row in self._rows(entity)}

    async def make(self, entity: str, count: int) -> list[str]:
        """Make documents after the model of another."""
        if entity == "PURCHASE_ORDER":
            return self.wire.driver.make(count, rng=self.rng, mix={"create": 1})
        return [self._id(self._copy(entity)) for _ in range(count)]

    async def change(self, entity: str, source_id: str) -> None:
        """Change a document, its stamp with it."""
        row = self._row(entity, source_id)
        if entity == "PURCHASE_ORDER":
            self.wire.driver.editor.change(source_id, self.rng, self.system.stamp())
        elif entity == "VENDOR":
            row["BusinessPartnerFullName"] = f"{row['BusinessPartnerFullName'][:60]} & Co."
            stamp_partner(self.system, row, User("COLLEAGUE", ""))
            self.system.changed(row)
        elif entity in _CHANGED:
            row[_CHANGED[entity]] = f"changed {self.rng.randint(1, 9999)}"
            self._stamp(row)
        else:
            row["MatlWrhsStkQtyInMatlBaseUnit"] += 1
            self.system.changed(row)

    async def vanish(self, entity: str, source_id: str) -> None:
        """Archive a document."""
        archive(self.system, self._row(entity, source_id))

    async def put(self, entity: str, source_id: str, field: str, value: Any) -> None:
        """Set what shows as a field of ours."""
        row = self._row(entity, source_id)
        if (entity, field) in _OWN:
            self._set(row, _OWN[entity, field], value)
        elif entity == "PURCHASE_ORDER":
            self._put_order(row, field, value)
        elif entity == "ITEM" and field == "description":
            for told in self.system.tables["A_ProductDescription"].children(row["Product"]):
                self._set(told, "ProductDescription", value)
        elif entity == "WORK_ORDER" and field == "status":
            row.set(SystemStatusText=value, MaintOrdProcessPhaseCode=value)
            self.system.changed(row)
        else:
            await super().put(entity, source_id, field, value)

    async def blank(self, entity: str, source_id: str) -> None:
        """Let every property that may be empty read as its initial value, in the document and all that hangs on it."""
        self._clear(self._row(entity, source_id))

    async def sample(self, entity: str, operation: str) -> JsonObject:
        """Give a change that SAP takes."""
        return samples(operation)[entity]

    async def refused(self, entity: str, operation: str) -> JsonObject:
        """Give a change that SAP refuses."""
        made, moved = samples("CREATE"), samples("ADJUST")
        told: dict[tuple[str, str], JsonObject] = {
            ("PURCHASE_ORDER", "CREATE"): {"values": {**made["PURCHASE_ORDER"]["values"], "vendor_source_id": "99"}},
            ("PURCHASE_ORDER", "UPDATE"): {"values": {"payment_terms_source_id": "ZZZZ"}},
            ("PURCHASE_ORDER", "CANCEL"): {"source_id": "4599999999"},
            ("VENDOR", "UPDATE"): {"source_id": "99", "values": {"name": "Nobody"}},
            ("WORK_ORDER", "CREATE"): {"values": {"title": "Pump leaks", "native_type": "ZZ99"}},
            ("WORK_ORDER", "UPDATE"): {"transition": "CLOSE"},
            ("VENDOR", "CREATE"): {"values": {**made["VENDOR"]["values"], "addresses": [{"country": "ZZ"}]}},
            ("INVENTORY_LEVEL", "ADJUST"): {"values": {**moved["INVENTORY_LEVEL"]["values"], "item_source_id": "NOPE"}},
        }
        if (entity, operation) in told:
            return told[entity, operation]
        return await super().refused(entity, operation)

    def recordings(self) -> Sequence[Recording]:
        """Refuse."""
        raise NotImplementedError("no answer of a real S/4HANA is at hand; its names are held to the vendor's metadata")

    def published(self, entity: str, path: tuple[str, ...]) -> Collection[str] | None:
        """Give the names of the vendor's metadata."""
        return published.names(SETS[entity], path)

    def walks(self, entity: str) -> Sequence[Sequence[str]]:
        """Give a maintenance order's ways."""
        if entity != "WORK_ORDER":
            return super().walks(entity)
        return (
            ("SUBMIT", "APPROVE", "RELEASE", "READY", "SCHEDULE", "FINISH", "COMPLETE", "REOPEN", "COMPLETE", "CLOSE"),
            ("SUBMIT", "REJECT"),
            ("CANCEL",),
        )

    def _rows(self, entity: str) -> Iterator[Row]:
        """Yield the rows that are documents: partners that are suppliers, the present periods of equipment."""
        for row in self.system.tables[SETS[entity]]:
            if (entity != "VENDOR" or row["Supplier"]) and (entity != "ASSET" or row["ValidityEndDate"] == FOREVER):
                yield row

    def _row(self, entity: str, source_id: str) -> Row:
        found = next((row for row in self._rows(entity) if self._id(row) == source_id), None)
        if found is None:
            raise LookupError(f"no {entity} {source_id}")
        return found

    @staticmethod
    def _id(row: Row) -> str:
        return "/".join(quote(part, safe="") for part in row.key) if len(row.key) > _EQUIPMENT_KEY else row.key[0]

    def _copy(self, entity: str) -> Row:
        table = self.system.tables[SETS[entity]]
        model = next(self._rows(entity))
        own: dict[str, Any] = {}
        match entity:
            case "VENDOR":
                number = self.system.number("business_partner")
                own = {"BusinessPartner": number, "Supplier": number}
                supplier = self.system.tables["A_Supplier"].get(model["Supplier"])
                self.system.add("A_Supplier", {**(supplier or {}), "Supplier": number})
            case "ITEM":
                own = {"Product": f"TG{len(table) + 10_001:05d}"}
                self.system.add("A_ProductDescription", {**own, "Language": "EN", "ProductDescription": "Made"})
            case "WORK_ORDER":
                own = {"MaintenanceOrder": self.system.number("maintenance_order")}
            case "ASSET":
                own = {"Equipment": str(20_000_000 + len(table))}
            case "LOCATION":
                own = {"FunctionalLocation": f"DEMO-PLACE-{len(table)}"}
            case _:
                own = {"Batch": f"B{len(table):06d}"}
        row = self.system.add(table.type.set_name, {**model, **own})
        if entity == "VENDOR":
            stamp_partner(self.system, row, User("COLLEAGUE", ""))
        elif entity != "INVENTORY_LEVEL":
            self._stamp(row)
        return row

    def _stamp(self, row: Row) -> None:
        moment = self.system.stamp()
        exact = row.type.properties["LastChangeDateTime"].precision
        row["LastChangeDateTime"] = moment if exact else moment.replace(microsecond=0)
        self.system.changed(row)

    def _put_order(self, row: Row, field: str, value: Any) -> None:
        order = row["PurchaseOrder"]
        [item, *_] = self.system.tables["A_PurchaseOrderItem"].children(order)
        if field == "status":
            flags = {"ReleaseIsNotCompleted": False, "PurchasingCompletenessStatus": False}
            row.set(PurchasingProcessingStatus=value, PurchasingDocumentDeletionCode="", **flags)
            for one in self.system.tables["A_PurchaseOrderItem"].children(order):
                one.set(PurchasingDocumentDeletionCode="", IsCompletelyDelivered=False)
            self.system.changed(row)
        elif field in _LINE:
            self._set(item, _LINE[field], value)
        elif field == "lines.unit_price":
            base = next((base for base in (1, 10, 100, _MOST_BASE) if _fits(_price(item), value * base)), None)
            if base is None:
                raise NotImplementedError(f"no price unit up to {_MOST_BASE} holds {value} exactly")
            item.set(NetPriceAmount=value * base, NetPriceQuantity=Decimal(base))
            self.system.changed(item)
        else:
            note = {"PurchaseOrder": order, "TextObjectType": "F01", "Language": "EN"}
            notes = self.system.tables["A_PurchaseOrderNote"]
            found = notes.get(*(note[name] for name in notes.type.key))
            self._set(found or self.system.add("A_PurchaseOrderNote", note), "PlainLongText", value)

    def _set(self, row: Row, name: str, value: Any) -> None:
        if not _fits(row.type.properties[name], value):
            raise NotImplementedError(f"{name} cannot hold {str(value)[:40]!r}")
        row[name] = value
        self.system.changed(row)

    def _clear(self, row: Row) -> None:
        for name, prop in row.type.properties.items():
            if name not in row.type.key and not prop.required and name not in _KEPT:
                row.pop(name, None)
        self.system.changed(row)
        for navigation in row.type.navigation.values():
            if navigation.many:
                for child in follow(self.system.tables, row, navigation):
                    self._clear(child)


def _price(item: Row) -> Property:
    return item.type.properties["NetPriceAmount"]


def _fits(prop: Property, value: Any) -> bool:
    """Tell whether a property can hold a value as it is."""
    if prop.kind == "String":
        return prop.max_length is None or len(value) <= prop.max_length
    _, digits, exponent = value.as_tuple()
    scale = max(-int(exponent), 0)
    whole = max(len(digits) + int(exponent), 0)
    return scale <= (prop.scale or 0) and whole <= (prop.precision or 0) - (prop.scale or 0)


def samples(operation: str) -> dict[str, JsonObject]:
    """Give what SAP takes, by entity."""
    line = {"item_source_id": "TG00001", "quantity": Decimal(5), "unit_price": Decimal("2.50"), "unit": "EA"}
    soon = date.today() + timedelta(days=60)  # noqa: DTZ011  (a calendar day)
    start = datetime.combine(soon, time(8), UTC)
    if operation == "CREATE":
        order = {"vendor_source_id": "17300001", "currency": "EUR", "required_date": soon, "notes": "Tor 4, Gdańsk"}
        vendor = {"name": "Müller & Söhne GmbH", "email": "orders@supplier.example", "currency": "EUR"}
        return {
            "PURCHASE_ORDER": {"values": {**order, "lines": [line, {**line, "quantity": Decimal("2.5")}]}},
            "WORK_ORDER": {
                "values": {
                    "title": "Pumpe undicht",
                    "priority": 2,
                    "scheduled_start_at": start,
                    "scheduled_end_at": start,
                }
            },
            "VENDOR": {"values": {**vendor, "addresses": [{"lines": ["Weg 1"], "city": "Ulm", "country": "DE"}]}},
        }
    if operation == "UPDATE":
        return {
            "PURCHASE_ORDER": {"values": {"notes": "Neu: Tor 5"}, "add_lines": ({**line, "required_date": soon},)},
            "WORK_ORDER": {"values": {"title": "Pumpe sehr undicht", "priority": 1}},
            "VENDOR": {"values": {"name": "Müller & Töchter GmbH", "blocked_for_purchasing": True}},
        }
    moved = {"item_source_id": "TG00001", "location_source_id": "1010/101A", "delta": Decimal(3), "reason": "Count"}
    return {"PURCHASE_ORDER": {}, "INVENTORY_LEVEL": {"values": moved}}


@asynccontextmanager
async def rig(**_: Any) -> AsyncIterator[SapRig]:
    """Serve a system in this loop."""
    async with serving(create_app(plan=PLAN)) as running:
        yield SapRig(running)
