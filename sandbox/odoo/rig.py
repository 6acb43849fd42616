"""The simulated Odoo for the suite that connectors are tried with: see sandbox.kit.rig. Version 19 unless asked else.

Faults strike reads and writes by the method in a JSON-2 address; over JSON-RPC both have one address, so that a rig of
an older version strikes either.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from html import escape
from typing import Any, Final

from sandbox.kit.recorded import Recording
from sandbox.kit.rig import JsonObject, WireRig
from sandbox.kit.server import Running, serving
from sandbox.odoo import published
from sandbox.odoo.app import OdooWire, create_app
from sandbox.odoo.config import DEMO_USERS, Config, Options
from sandbox.odoo.recorded import Recorded
from sandbox.odoo.seed.plan import Plan, seed
from sandbox.odoo.store import Row

MODELS: Final[Mapping[str, str]] = {
    "PURCHASE_ORDER": "purchase.order",
    "WORK_ORDER": "maintenance.request",
    "VENDOR": "res.partner",
    "ITEM": "product.product",
    "INVENTORY_LEVEL": "stock.quant",
    "ASSET": "maintenance.equipment",
    "LOCATION": "stock.location",
}
PLAN: Final = Plan(orders=40, suppliers=8, materials=9, requests=12)
LINES: Final = "purchase.order.line"
_NOWHERE: Final = "http://127.0.0.1:9"
_USAGES: Final = frozenset({"internal", "transit"})
_OWN: Final[Mapping[tuple[str, str], str]] = {
    ("VENDOR", "name"): "name",
    ("ITEM", "description"): "name",
    ("ITEM", "standard_cost"): "standard_price",
    ("INVENTORY_LEVEL", "on_hand"): "quantity",
    ("ASSET", "name"): "name",
    ("LOCATION", "name"): "name",
    ("WORK_ORDER", "title"): "name",
}
"""Fields that one field of the record shows as it is."""
_RICH: Final[Mapping[tuple[str, str], str]] = {
    ("WORK_ORDER", "description"): "description",
    ("ASSET", "description"): "note",
    ("LOCATION", "description"): "comment",
}
_LINE_TEXT: Final = 10_000
_LINE: Final = {"lines.description": "name", "lines.quantity": "product_qty", "lines.unit_price": "price_unit"}
# What Odoo itself keeps filled, or has rules for: keys, stamps, states, what a person must have chosen.
_KEPT: Final = frozenset(
    {"id", "create_uid", "create_date", "write_uid", "write_date", "state", "stage_id", "supplier_rank", "active"}
    | {
        "archive",
        "usage",
        "order_id",
        "product_id",
        "location_id",
        "quantity",
        "reserved_quantity",
        "display_type",
        "complete_name",
    }
    | {"name"}  # Odoo's own constraint on contacts; what else has a name is found by it
)


class OdooRig(WireRig[OdooWire]):
    """See connectors.kit.conformance.rig.Rig."""

    slug = "odoo"
    reads: Mapping[str, Any] = {"method": "POST", "path": r"/(search_read|search_count|read|fields_get)$"}
    writes: Mapping[str, Any] = {"method": "POST", "path": r"/(create|write|unlink|button_\w+|action_\w+)$"}

    def __init__(self, running: Running[OdooWire]) -> None:
        super().__init__(running)
        self.system = running.app.system
        if self.system.version < 19:
            self.reads = self.writes = {"method": "POST", "path": "/jsonrpc$"}

    def credentials(self, who: str) -> Mapping[str, Any]:
        """Give a user's credentials."""
        users = {user.login: user for user in DEMO_USERS}
        login = {"unprivileged": "buyer", "read_only": "reader"}.get(who, "admin")
        told = {"database": self.system.config.database, "username": login, "api_key": users[login].key}
        more = {
            "wrong": {"api_key": "0" * 40},
            "expired": {"api_key": "0ld0" * 10},
            "nowhere": {"base_url": _NOWHERE},
        }
        return {"base_url": self.running.url, **told, **more.get(who, {})}

    async def reset(self) -> None:
        """Seed anew."""
        await super().reset()
        self.system.clear()
        self.system.options = Options()
        self.wire.sessions.expired = False
        seed(self.system, PLAN)

    async def expire(self) -> None:
        """End all sessions of people; a key has none."""
        self.wire.sessions.expire_sessions()

    async def keys(self, entity: str) -> set[str]:
        """Count the records."""
        return {self._id(entity, row) for row in self._rows(entity)}

    async def make(self, entity: str, count: int) -> list[str]:
        """Make records after the model of another."""
        if entity == "PURCHASE_ORDER":
            return self.wire.driver.make(count, rng=self.rng, mix={"create": 1})
        return [self._id(entity, self._copy(entity)) for _ in range(count)]

    async def change(self, entity: str, source_id: str) -> None:
        """Change a record, its stamp with it."""
        if entity == "PURCHASE_ORDER":
            self.wire.driver.editor.change(source_id, self.rng, self.system.clock.stamp())
            return
        row = self._row(entity, source_id)
        if entity == "INVENTORY_LEVEL":
            self._set(entity, row, "quantity", row["quantity"] + 1)
        else:
            self._set(entity, row, "name", f"changed {self.rng.randint(1, 9999)}")

    async def vanish(self, entity: str, source_id: str) -> None:
        """Delete a record."""
        self.system.remove(MODELS[entity], self._row(entity, source_id)["id"])

    async def put(self, entity: str, source_id: str, field: str, value: Any) -> None:
        """Set what shows as a field of ours."""
        row = self._row(entity, source_id)
        if (entity, field) in _OWN:
            self._set(entity, row, _OWN[entity, field], _held(value))
        elif (entity, field) in _RICH and _RICH[entity, field] in self.system.models[MODELS[entity]].fields:
            self._set(entity, row, _RICH[entity, field], _rich(value))
        elif entity == "PURCHASE_ORDER" and field == "status":
            self._set(entity, row, "state", value)
        elif entity == "PURCHASE_ORDER" and field == "notes":
            self._set(entity, row, self.system.name_for("notes"), _rich(value))
        elif field == "lines.description" and len(value) > _LINE_TEXT:
            raise NotImplementedError(f"a line's description is cut at {_LINE_TEXT:,} characters; the raw item has all")
        elif field in _LINE:
            line = next(line for line in self.system.lines(row["id"]) if not line["display_type"])
            self.system.change(LINES, line["id"], {_LINE[field]: _held(value)}, stamp=self.system.clock.stamp())
        elif field == "status":
            raise NotImplementedError("stages are the customer's own: each is known by its place, none is unknown")
        else:
            await super().put(entity, source_id, field, value)

    async def blank(self, entity: str, source_id: str) -> None:
        """Clear every field that Odoo does not ask for, of the record and its lines."""
        row = self._row(entity, source_id)
        self._clear(MODELS[entity], row)
        if entity == "PURCHASE_ORDER":
            for line in self.system.lines(row["id"]):
                self._clear(LINES, line)

    async def sample(self, entity: str, operation: str) -> JsonObject:
        """Give a change that Odoo takes."""
        if (entity, operation) == ("PURCHASE_ORDER", "DELETE"):
            cancelled = next(row for row in self._rows(entity) if row["state"] == "cancel")
            return {"source_id": str(cancelled["id"])}
        return self._samples(operation)[entity]

    async def refused(self, entity: str, operation: str) -> JsonObject:
        """Give a change that Odoo refuses."""
        made = self._samples("CREATE")
        told: dict[tuple[str, str], JsonObject] = {
            ("PURCHASE_ORDER", "CREATE"): {"values": {**made["PURCHASE_ORDER"]["values"], "vendor_source_id": "9999"}},
            ("PURCHASE_ORDER", "UPDATE"): {"values": {"payment_terms_source_id": "9999"}},
            ("PURCHASE_ORDER", "CANCEL"): {"source_id": "999999"},
            ("PURCHASE_ORDER", "DELETE"): {"source_id": str(self._open_order())},
            ("VENDOR", "CREATE"): {"values": {**made["VENDOR"]["values"], "addresses": [{"country": "ZZ"}]}},
            ("VENDOR", "UPDATE"): {"source_id": "999999", "values": {"name": "Nobody"}},
            ("WORK_ORDER", "CREATE"): {"values": {"title": "Pump leaks", "asset_source_id": "9999"}},
            ("WORK_ORDER", "UPDATE"): {"source_id": "999999", "values": {"title": "Nothing"}},
            ("INVENTORY_LEVEL", "ADJUST"): {
                "values": {"item_source_id": "9999", "location_source_id": "8", "delta": Decimal(1)}
            },
        }
        return told[entity, operation]

    def recordings(self) -> Sequence[Recording]:
        """Give what servers of 16.0 and 18.0 answered."""
        return Recorded.recordings()

    def published(self, entity: str, path: tuple[str, ...]) -> Collection[str] | None:
        """Give the fields that Odoo's own source declares."""
        return published.names(MODELS[entity], path)

    def walks(self, entity: str) -> Sequence[Sequence[str]]:
        """Give the ways of an order and of a maintenance request."""
        if entity == "PURCHASE_ORDER":
            return (("APPROVE",),)
        return (("START", "COMPLETE", "REOPEN", "CLOSE"), ("CANCEL", "REOPEN"))

    def _rows(self, entity: str) -> Iterator[Row]:
        """Yield the rows that are documents: partners that are vendors, stock in places of the company's own."""
        table = self.system.tables[MODELS[entity]]
        for number in table.ids():
            row = table[number]
            if entity == "VENDOR" and not row.get("supplier_rank"):
                continue
            if entity == "INVENTORY_LEVEL" and self._place(row)["usage"] not in _USAGES:
                continue
            yield row

    def _row(self, entity: str, source_id: str) -> Row:
        found = next((row for row in self._rows(entity) if self._id(entity, row) == source_id), None)
        if found is None:
            raise LookupError(f"no {entity} {source_id}")
        return found

    def _place(self, quant: Row) -> Row:
        return self.system.tables["stock.location"][quant["location_id"]]

    def _id(self, entity: str, row: Row) -> str:
        if entity == "INVENTORY_LEVEL":
            return f"{row['location_id']}:{row['product_id']}:{row.get('lot_id') or 0}"
        return str(row["id"])

    def _copy(self, entity: str) -> Row:
        model = next(self._rows(entity))
        number = self.rng.randint(10_000, 99_999_999)
        own: Row = {}
        match entity:
            case "VENDOR":
                own = {"name": f"Vendor {number}", "ref": f"V-{number}"}
            case "ITEM":
                own = {"name": f"Part {number}", "default_code": f"DP-{number}", "barcode": None}
            case "ASSET":
                own = {"name": f"Pump {number}", "serial_no": f"SN-{number}"}
            case "LOCATION":
                model = next(row for row in self._rows(entity) if row["usage"] == "internal")
                own = {"name": f"Shelf {number}", "complete_name": f"WH/Stock/Shelf {number}"}
            case "INVENTORY_LEVEL":
                own = {"product_id": self._copy("ITEM")["id"]}
            case _:
                own = {"name": f"Request {number}", "description": None}
        row = {name: value for name, value in model.items() if name != "id"}
        return self.system.add(MODELS[entity], {**row, **own}, stamp=self.system.clock.stamp())

    def _set(self, entity: str, row: Row, name: str, value: Any) -> None:
        self.system.change(MODELS[entity], row["id"], {name: value}, stamp=self.system.clock.stamp())

    def _clear(self, model: str, row: Row) -> None:
        fields = self.system.models[model].fields
        cleared = {
            name: False if fields[name].kind == "boolean" else None
            for name in row
            if name in fields and not fields[name].required and name not in _KEPT and not fields[name].many
        }
        self.system.change(model, row["id"], cleared, stamp=self.system.clock.stamp())

    def _open_order(self) -> int:
        number: int = next(row for row in self._rows("PURCHASE_ORDER") if row["state"] == "purchase")["id"]
        return number

    def _samples(self, operation: str) -> dict[str, JsonObject]:
        """Give what Odoo takes, by entity."""
        vendor = next(row for row in self._rows("VENDOR") if row["active"])
        item = next(row for row in self._rows("ITEM") if row["active"])
        line = {"item_source_id": str(item["id"]), "quantity": Decimal(5), "unit_price": Decimal("2.50"), "unit": "EA"}
        soon = date.today() + timedelta(days=60)  # noqa: DTZ011  (a calendar day)
        start = datetime.combine(soon, time(8), UTC)
        if operation == "CREATE":
            order = {"vendor_source_id": str(vendor["id"]), "required_date": soon, "notes": "Tor 4, Gdańsk"}
            work = {"title": "Pumpe undicht", "description": "Am Flansch\n<links>", "scheduled_start_at": start}
            partner = {"name": "Müller & Söhne GmbH", "number": "V-77", "email": "orders@supplier.example"}
            address = {"lines": ["Weg 1"], "city": "Ulm", "country": "DE"}
            return {
                "PURCHASE_ORDER": {"values": {**order, "lines": [line, {**line, "quantity": Decimal("2.5")}]}},
                "WORK_ORDER": {"values": {**work, "priority": 2}},
                "VENDOR": {"values": {**partner, "addresses": [address]}},
            }
        if operation == "UPDATE":
            return {
                "PURCHASE_ORDER": {"values": {"notes": "Neu: Tor 5"}, "add_lines": ({**line, "required_date": soon},)},
                "WORK_ORDER": {"values": {"title": "Pumpe sehr undicht", "priority": 1}},
                "VENDOR": {"values": {"name": "Müller & Töchter GmbH", "active": False}},
            }
        moved = {"item_source_id": str(item["id"]), "location_source_id": "8", "delta": Decimal(3)}
        return {"PURCHASE_ORDER": {}, "INVENTORY_LEVEL": {"values": moved}}


def _held(value: Any) -> Any:
    """Give a value as Odoo's field holds it."""
    if not isinstance(value, Decimal):
        return value
    if Decimal(repr(float(value))) != value:
        raise NotImplementedError(f"a float cannot hold {value} exactly")
    return float(value)


def _rich(text: str) -> str:
    return f"<p>{escape(text, quote=False)}</p>"


@asynccontextmanager
async def rig(*, version: int = 19, **_: Any) -> AsyncIterator[OdooRig]:
    """Serve a system in this loop."""
    async with serving(create_app(plan=PLAN, config=Config(version=version))) as running:
        yield OdooRig(running)
