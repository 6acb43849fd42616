"""The simulated NetSuite for the suite that connectors are tried with: see sandbox.kit.rig."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sandbox.kit.recorded import Recording
from sandbox.kit.rig import JsonObject, WireRig
from sandbox.kit.server import Running, serving
from sandbox.netsuite import published
from sandbox.netsuite.app import NetSuiteWire, create_app
from sandbox.netsuite.assertions import new_key_pair
from sandbox.netsuite.config import CLIENT_ID, Certificate, Config, Options
from sandbox.netsuite.schema import TABLES
from sandbox.netsuite.seed.plan import Plan, seed
from sandbox.netsuite.store import Row

PLAN: Final = Plan(orders=40, vendors=12, items=9)
TABLES_OF: Final[Mapping[str, str]] = {
    "PURCHASE_ORDER": "transaction",
    "VENDOR": "vendor",
    "ITEM": "item",
    "LOCATION": "location",
    "INVENTORY_LEVEL": "inventoryitemlocations",
}
_NOWHERE: Final = "http://127.0.0.1:9"
_LOCATIONS: Final = 1000
"""Where the numbers of places begin that the rig makes stock at."""
_SHOWN: Final[Mapping[tuple[str, str], str]] = {
    ("PURCHASE_ORDER", "status"): "status",
    ("PURCHASE_ORDER", "notes"): "memo",
    ("VENDOR", "name"): "companyname",
    ("ITEM", "description"): "displayname",
    ("ITEM", "standard_cost"): "cost",
    ("LOCATION", "name"): "fullname",
    ("INVENTORY_LEVEL", "on_hand"): "quantityonhand",
}
"""The column that shows as a field of ours."""
_LINES: Final = {"lines.description": "memo", "lines.quantity": "quantity", "lines.unit_price": "rate"}
_LONGEST: Final = {"memo": 4000, "companyname": 83, "displayname": 60, "fullname": 60, "status": 8}
_KEPT: Final[Mapping[str, frozenset[str]]] = {
    "transaction": frozenset({"id", "type", "recordtype", "abbrevtype", "status", "entity", "lastmodifieddate"}),
    "transactionline": frozenset({"uniquekey", "id", "transaction", "mainline", "taxline"}),
    "vendor": frozenset({"id", "entityid", "lastmodifieddate"}),
    "item": frozenset({"id", "itemid", "itemtype", "lastmodifieddate"}),
    "location": frozenset({"id", "name"}),
    "inventoryitemlocations": frozenset({"item", "location"}),
}
"""What NetSuite itself keeps filled."""
_NAMED: Final = {"vendor": "entityid", "item": "itemid", "location": "name"}
_CHANGED: Final = {"vendor": "phone", "item": "displayname", "location": "fullname"}
_CERTIFICATES: Final = {"right": "integration", "unprivileged": "buyer", "read_only": "reader"}


class NetSuiteRig(WireRig[NetSuiteWire]):
    """See connectors.kit.conformance.rig.Rig."""

    slug = "netsuite"
    defaults: Mapping[str, Any] = {"subsidiary": "1", "adjustment_account": "58"}
    reads: Mapping[str, Any] = {"method": "POST", "path": "/suiteql"}
    writes: Mapping[str, Any] = {"method": "POST", "path": r"/record/v1/\w+$"}

    def __init__(self, running: Running[NetSuiteWire], keys: tuple[bytes, bytes]) -> None:
        super().__init__(running)
        self.system = running.app.system
        self._key, self._other = (each.decode() for each in keys)

    def credentials(self, who: str) -> Mapping[str, Any]:
        """Give an OAuth 2.0 mapping: of another key for the wrong one, and one that is gone for the expired one."""
        right = {
            "base_url": self.running.url,
            "account": self.system.config.account,
            "time_zone": self.system.config.zone,
            "auth_method": "OAUTH2",
            "client_id": CLIENT_ID,
            "certificate_id": f"cert-{_CERTIFICATES.get(who, 'integration')}",
            "private_key": self._key,
        }
        more: dict[str, dict[str, Any]] = {
            "wrong": {"private_key": self._other},
            "expired": {"certificate_id": "cert-revoked"},
            "nowhere": {"base_url": _NOWHERE},
        }
        return {**right, **more.get(who, {})}

    async def reset(self) -> None:
        """Seed anew."""
        await super().reset()
        self.system.clear()
        self.system.options = Options()
        self.wire.logins.forget()
        seed(self.system, PLAN)

    async def expire(self) -> None:
        """End all access tokens."""
        self.wire.logins.expire()

    async def fault(self, kind: Any, *, writing: bool, **more: Any) -> None:
        """Add a fault; a dead login is refused everywhere, for a 401 of one call alone is a missing right."""
        if kind == "reset_body" and writing:
            raise NotImplementedError("NetSuite answers writes without a body: nothing of it can be lost on its way")
        if kind == "unauthorized":
            more = {"method": "*", "path": "/services/rest/(query|record)/", **more}
        await super().fault(kind, writing=writing, **more)

    async def keys(self, entity: str) -> set[str]:
        """Count the rows."""
        if entity == "PURCHASE_ORDER":
            return set(self.wire.driver.editor.keys())
        return {_id(entity, row) for row in self.system.store.rows(TABLES_OF[entity], {})}

    async def make(self, entity: str, count: int) -> list[str]:
        """Make documents after the model of another."""
        if entity == "PURCHASE_ORDER":
            return self.wire.driver.make(count, rng=self.rng, mix={"create": 1})
        return [self._copy(entity) for _ in range(count)]

    async def change(self, entity: str, source_id: str) -> None:
        """Change a document, its stamp with it."""
        if entity == "PURCHASE_ORDER":
            self.wire.driver.editor.change(source_id, self.rng, self.system.clock.stamp())
        elif entity == "INVENTORY_LEVEL":
            key = self._key_of(entity, source_id)
            row = self._row(entity, source_id)
            self.system.store.change(TABLES_OF[entity], key, {"quantityonhand": row["quantityonhand"] + 1})
        else:
            told = {_CHANGED[TABLES_OF[entity]]: f"changed {self.rng.randint(1, 9999)}"}
            self.system.store.change(TABLES_OF[entity], self._key_of(entity, source_id), told | self.system.stamped())

    async def vanish(self, entity: str, source_id: str) -> None:
        """Delete a document."""
        if entity == "PURCHASE_ORDER":
            self.wire.driver.editor.vanish(source_id)
        else:
            self.system.store.remove(TABLES_OF[entity], self._key_of(entity, source_id))

    async def put(self, entity: str, source_id: str, field: str, value: Any) -> None:
        """Set what shows as a field of ours."""
        table, key = TABLES_OF[entity], self._key_of(entity, source_id)
        column = _SHOWN.get((entity, field))
        if entity == "PURCHASE_ORDER" and field in _LINES:
            table, column = "transactionline", _LINES[field]
            key = {"transaction": int(source_id), "id": self._first_line(int(source_id))}
        if column is None:
            await super().put(entity, source_id, field, value)
            return
        if isinstance(value, str) and len(value) > _LONGEST[column]:
            raise NotImplementedError(f"{column} cannot hold {len(value)} characters")
        self.system.store.change(table, key, {column: float(value) if isinstance(value, Decimal) else value})

    async def blank(self, entity: str, source_id: str) -> None:
        """Clear every column that may be empty, of the document and of its lines."""
        self._clear(TABLES_OF[entity], self._key_of(entity, source_id))
        if entity == "PURCHASE_ORDER":
            order = int(source_id)
            for row in list(self.system.store.rows("transactionline", {"transaction": order})):
                self._clear("transactionline", {"transaction": order, "id": row["id"]})

    async def sample(self, entity: str, operation: str) -> JsonObject:
        """Give a change that NetSuite takes."""
        return samples(operation)[entity]

    async def refused(self, entity: str, operation: str) -> JsonObject:
        """Give a change that NetSuite refuses."""
        made, moved = samples("CREATE"), samples("ADJUST")
        told: dict[tuple[str, str], JsonObject] = {
            ("PURCHASE_ORDER", "CREATE"): {"values": {**made["PURCHASE_ORDER"]["values"], "vendor_source_id": "9999"}},
            ("PURCHASE_ORDER", "UPDATE"): {"values": {"payment_terms_source_id": "9999"}},
            ("VENDOR", "CREATE"): {**made["VENDOR"], "source_fields": {"subsidiary": {"id": "9999"}}},
            ("VENDOR", "UPDATE"): {"values": {"payment_terms_source_id": "9999"}},
            ("INVENTORY_LEVEL", "ADJUST"): {"values": {**moved["INVENTORY_LEVEL"]["values"], "item_source_id": "9999"}},
        }
        if (entity, operation) == ("PURCHASE_ORDER", "DELETE"):
            receipt = {"uniquekey": 9_000_000, "id": 0, "transaction": 9_000, "mainline": "T", "createdfrom": 1}
            self.system.store.add("transactionline", receipt)
            return {"source_id": "1"}
        if (entity, operation) in told:
            return told[entity, operation]
        return await super().refused(entity, operation)

    def recordings(self) -> Sequence[Recording]:
        """Refuse."""
        raise NotImplementedError("no answer of a real NetSuite is at hand")

    def published(self, entity: str, path: tuple[str, ...]) -> Collection[str] | None:
        """Give the columns that are told of somewhere, and what goes beside them."""
        return published.names(entity, path)

    def walks(self, entity: str) -> Sequence[Sequence[str]]:
        """Give a purchase order's only way: an order without receipts that is closed counts as cancelled."""
        return (("CLOSE",),) if entity == "PURCHASE_ORDER" else super().walks(entity)

    def _key_of(self, entity: str, source_id: str) -> dict[str, int]:
        if entity == "INVENTORY_LEVEL":
            item, _, location = source_id.partition(":")
            return {"item": int(item), "location": int(location)}
        return {"id": int(source_id)}

    def _row(self, entity: str, source_id: str) -> Row:
        row = self.system.store.one(TABLES_OF[entity], self._key_of(entity, source_id))
        if row is None:
            raise LookupError(f"no {entity} {source_id}")
        return row

    def _first_line(self, order: int) -> int:
        rows = self.system.store.rows("transactionline", {"transaction": order}, order="id")
        number: int = next(row["id"] for row in rows if row["mainline"] == "F")
        return number

    def _copy(self, entity: str) -> str:
        store, table = self.system.store, TABLES_OF[entity]
        model = next(store.rows(table, {}))
        if entity == "INVENTORY_LEVEL":
            place = _LOCATIONS + store.count(table)
            row = {**model, "item": 1 + place % PLAN.items, "location": place}
        else:
            number = store.next_id(table)
            stamped = {name: value for name, value in self.system.stamped().items() if name in TABLES[table]}
            row = {**model, "id": number, _NAMED[table]: f"MADE-{number:06d}", "externalid": None, **stamped}
        store.add(table, row)
        return _id(entity, row)

    def _clear(self, table: str, key: Mapping[str, Any]) -> None:
        empty = [name for name in TABLES[table] if name not in _KEPT[table] and not name.startswith("_")]
        self.system.store.change(table, key, dict.fromkeys(empty))


def _id(entity: str, row: Row) -> str:
    return f"{row['item']}:{row['location']}" if entity == "INVENTORY_LEVEL" else str(row["id"])


def samples(operation: str) -> dict[str, JsonObject]:
    """Give what NetSuite takes, by entity."""
    line = {"item_source_id": "1", "quantity": Decimal("12.5"), "unit_price": Decimal("0.195"), "unit": "EA"}
    order: JsonObject = {
        "vendor_source_id": "5",
        "vendor_reference": "Q-77",
        "currency": "EUR",
        "order_date": date(2026, 1, 15),
        "required_date": date(2026, 2, 20),
        "notes": "Gate 3, Süd",
        "lines": [line, {**line, "description": "Ölfilter"}],
    }
    vendor = {"name": "Müller & Söhne GmbH", "email": "orders@mueller.example", "phone": "+49 711 1", "currency": "EUR"}
    changed: dict[str, dict[str, JsonObject]] = {
        "CREATE": {"PURCHASE_ORDER": {"values": order}, "VENDOR": {"values": vendor}},
        "UPDATE": {
            "PURCHASE_ORDER": {"values": {"notes": "Gate 4", "vendor_reference": "Q-78"}},
            "VENDOR": {"values": {"phone": "+49 711 2", "active": False}},
        },
        "CANCEL": {"PURCHASE_ORDER": {}},
        "DELETE": {"PURCHASE_ORDER": {}},
        "ADJUST": {
            "INVENTORY_LEVEL": {
                "values": {
                    "item_source_id": "1",
                    "location_source_id": "1",
                    "quantity": Decimal("77.5"),
                    "reason": "count",
                }
            }
        },
    }
    return changed[operation]


@asynccontextmanager
async def rig(**_options: Any) -> AsyncIterator[NetSuiteRig]:
    """Start an account in this loop."""
    (private, public), (other, _) = new_key_pair(), new_key_pair()
    config = Config()
    for role in _CERTIFICATES.values():
        config.certificates[f"cert-{role}"] = Certificate(CLIENT_ID, f"cert-{role}", public, role)
    async with serving(create_app(plan=PLAN, config=config)) as running:
        yield NetSuiteRig(running, (private, other))
