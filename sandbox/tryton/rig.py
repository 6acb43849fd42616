"""A real Tryton, behind a proxy that breaks what goes to it, for the suite that connectors are tried with."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

import aiohttp

from sandbox.kit.recorded import Recording
from sandbox.kit.rig import JsonObject, WireRig
from sandbox.kit.server import Running, serving
from sandbox.kit.wire import Wire
from sandbox.tryton.client import TrytonError
from sandbox.tryton.proxy import create_proxy
from sandbox.tryton.recorded import Recorded
from sandbox.tryton.server import TrytonServer

MODELS: Final[Mapping[str, str]] = {
    "PURCHASE_ORDER": "purchase.purchase",
    "VENDOR": "party.party",
    "WORK_ORDER": "production",
    "ITEM": "product.product",
    "LOCATION": "stock.location",
}
_ANY: Final = [["active", "in", [True, False]]]
_RETIRED: Final = frozenset({"VENDOR", "ITEM", "LOCATION"})
_LEVEL: Final = "INVENTORY_LEVEL"
_CHANGED: Final = {
    "PURCHASE_ORDER": "comment",
    "VENDOR": "name",
    "WORK_ORDER": "reference",
    "ITEM": "description",
    "LOCATION": "name",
}
_FIELDS: Final[Mapping[tuple[str, str], str]] = {
    ("PURCHASE_ORDER", "notes"): "comment",
    ("PURCHASE_ORDER", "status"): "state",
    ("WORK_ORDER", "status"): "state",
    ("VENDOR", "name"): "name",
    ("LOCATION", "name"): "name",
}
_LINES: Final = {"lines.description": "description", "lines.quantity": "quantity", "lines.unit_price": "unit_price"}
_BLANK: Final[Mapping[str, JsonObject]] = {
    "PURCHASE_ORDER": {"comment": None, "reference": None, "payment_term": None, "purchase_date": None},
    "VENDOR": {"name": None},
    "WORK_ORDER": {"reference": None, "planned_start_date": None},
    "ITEM": {"description": None, "suffix_code": None},
    "LOCATION": {"code": None},
}
_MOST: Final = 3
"""More than so many documents of a kind take a real Tryton longer than a test should."""
_WRITES: Final = r'"method":"model\.[a-z._]+\.(create|write|delete|quote|confirm|cancel|wait|assign_try|run|do)"'
_LEAVER: Final = ("leaver", "left-the-company-9x")


class TrytonRig(WireRig[Wire]):
    """See connectors.kit.conformance.rig.Rig."""

    slug = "tryton"
    reads: Mapping[str, Any] = {"body": r'\.(search_read|search_count)"'}
    writes: Mapping[str, Any] = {"body": _WRITES}
    hasty_seconds = 3.0

    def __init__(self, running: Running[Wire], server: TrytonServer) -> None:
        super().__init__(running)
        self._server = server
        self._client = server.client()
        self._made: dict[str, list[int]] = {}
        self._known: dict[str, Any] = {}
        self._people()

    def credentials(self, who: str) -> Mapping[str, Any]:
        """Give a user's credentials, through the proxy."""
        server = self._server
        right = {
            "base_url": self.running.url,
            "database": server.database,
            "username": server.username,
            "password": server.password,
        }
        limited = {"username": server.limited_username, "password": server.limited_password}
        more: dict[str, dict[str, str]] = {
            "right": {},
            # A name that nobody has: failed sign-ins of a real one would shut it out for a while.
            "wrong": {"username": "nobody", "password": "not-the-password"},
            "expired": {"username": _LEAVER[0], "password": _LEAVER[1]},
            "unprivileged": limited,
            "read_only": limited,
            "nowhere": {"base_url": "http://127.0.0.1:9"},
        }
        return {**right, **more[who]}

    async def fault(self, kind: Any, *, writing: bool, **more: Any) -> None:
        """Add a fault of the way to Tryton; its pages are its own."""
        if kind in {"repeat_page", "shift_page", "edit_between"}:
            raise NotImplementedError("a real Tryton gives its pages itself")
        await super().fault(kind, writing=writing, **more)

    async def reset(self) -> None:
        """Take faults away, and what the suite made, as far as Tryton lets it go."""
        await super().reset()
        for entity, ids in self._made.items():
            if entity == "VENDOR" and len(ids) > _MOST:
                self._call(entity, "delete", ids)
                ids.clear()

    async def keys(self, entity: str) -> set[str]:
        """Count the records."""
        if entity == _LEVEL:
            places = self._client.call("stock.location", "search", [["type", "=", "storage"]])
            stored = [["type", "=", "goods"], ["consumable", "=", False]]
            products = self._client.call("product.product", "search", stored)
            return {f"{place}:{product}" for place in places for product in products}
        return {str(key) for key in self._call(entity, "search", _ANY if entity in _RETIRED else [])}

    async def make(self, entity: str, count: int) -> list[str]:
        """Make records, drafts where there are states."""
        if count > _MOST and entity != "VENDOR":
            raise NotImplementedError("a real Tryton takes too long to make so many; its pages are tried with vendors")
        made = [str(key) for key in self._new(entity, count)]
        if entity == _LEVEL:
            [place, *_] = self._client.call("stock.location", "search", [["type", "=", "storage"]])
            return [f"{place}:{product}" for product in made]
        self._made.setdefault(entity, []).extend(map(int, made))
        return made

    async def change(self, entity: str, source_id: str) -> None:
        """Change a text."""
        self._call(entity, "write", [int(source_id)], {_CHANGED[entity]: f"changed {self.rng.randint(1, 9999)}"})

    async def vanish(self, entity: str, source_id: str) -> None:
        """Delete a record."""
        if entity == _LEVEL:
            self._client.call("product.product", "delete", [int(source_id.partition(":")[2])])
            return
        self._call(entity, "delete", [int(source_id)])
        self._made[entity].remove(int(source_id))

    async def put(self, entity: str, source_id: str, field: str, value: Any) -> None:
        """Set a field, where Tryton takes the value."""
        try:
            if (entity, field) in _FIELDS:
                self._call(entity, "write", [int(source_id)], {_FIELDS[entity, field]: value})
            elif entity == "PURCHASE_ORDER" and field in _LINES:
                told = float(value) if field == "lines.quantity" else value
                [line, *_] = self._client.call("purchase.line", "search", [["purchase", "=", int(source_id)]])
                self._client.call("purchase.line", "write", [line], {_LINES[field]: told})
            elif (entity, field) == ("ITEM", "description"):
                [row] = self._call(entity, "read", [int(source_id)], ["template"])
                self._client.call("product.template", "write", [row["template"]], {"name": value})
            else:
                await super().put(entity, source_id, field, value)
        except TrytonError as error:
            raise NotImplementedError(f"Tryton itself refuses {str(value)[:40]!r} as {field}: {error.kind}") from error

    async def blank(self, entity: str, source_id: str) -> None:
        """Clear what Tryton lets be empty."""
        if entity not in _BLANK:
            await super().blank(entity, source_id)
        self._call(entity, "write", [int(source_id)], _BLANK[entity])

    async def expire(self) -> None:
        """End the administrator's sessions: setting a password does."""
        self._client.call("res.user", "write", [self._client.user_id], {"password": self._server.password})
        self._client = self._server.client()

    async def sample(self, entity: str, operation: str) -> JsonObject:
        """Give a change that Tryton takes."""
        return self._samples(operation)[entity]

    async def refused(self, entity: str, operation: str) -> JsonObject:
        """Give a change that Tryton refuses: of what it does not have."""
        given = await self.sample(entity, operation)
        if operation in {"CREATE", "ADJUST"}:
            wrong = {"PURCHASE_ORDER": "vendor_source_id"}.get(entity, "item_source_id")
            if entity == "VENDOR":
                return {"values": {**given["values"], "currency": "ZZZ"}}
            return {"values": {**given["values"], wrong: "999999"}}
        return {**given, "source_id": "999999"}

    def recordings(self) -> Sequence[Recording]:
        """Give what other servers answered than the one that runs."""
        return Recorded.recordings()

    def published(self, entity: str, path: tuple[str, ...]) -> Collection[str] | None:
        """Give the fields that this server has, and a user may see; a level of stock is of a product at a location."""
        model = "stock.move" if entity == _LEVEL else MODELS[entity]
        names = {"location"} if entity == _LEVEL and not path else set()
        for step in path:
            field = step.rstrip(".")
            model = "stock.location" if field == "location" else str(self._fields(model)[field]["relation"])
        return names | set(self._fields(model))

    def walks(self, entity: str) -> Sequence[Sequence[str]]:
        """Give the ways of productions and purchases."""
        if entity == "PURCHASE_ORDER":
            return (("SUBMIT", "APPROVE"),)
        return (("RELEASE", "READY", "START", "CLOSE"), ("RELEASE", "CANCEL"))

    def _fields(self, model: str) -> Any:
        """Ask once which fields a model has."""
        if model not in self._known:
            self._known[model] = self._client.call(model, "fields_get", [])
        return self._known[model]

    def _call(self, entity: str, method: str, *args: Any) -> Any:
        return self._client.call(MODELS[entity], method, *args)

    def _one(self, model: str, *domain: Any) -> int:
        [found, *_] = self._client.call(model, "search", list(domain), 0, 1, None)
        return int(found)

    def _new(self, entity: str, count: int) -> list[int]:
        mark = self.rng.randint(10**6, 10**7)
        rows: list[JsonObject]
        match entity:
            case "VENDOR":
                rows = [
                    {"name": f"Made {mark + n}", "addresses": [["create", [{"city": "Ulm"}]]]} for n in range(count)
                ]
            case "LOCATION":
                rows = [{"name": f"Shelf {mark + n}", "code": f"S{mark + n}", "type": "view"} for n in range(count)]
            case "PURCHASE_ORDER":
                rows = [self._order() for _ in range(count)]
            case "WORK_ORDER":
                values = {"item_source_id": str(self._one("product.product", ["code", "=", "ITEM-001"]))}
                rows = [self._production(int(values["item_source_id"])) for _ in range(count)]
            case _:
                return [self._product(mark + n) for n in range(count)]
        return [int(key) for key in self._call(entity, "create", rows)]

    def _order(self) -> JsonObject:
        party = self._one("party.party", ["code", "=", "V-001"])
        [row] = self._client.call("party.party", "read", [party], ["addresses"])
        product = self._one("product.product", ["code", "=", "ITEM-001"])
        [of] = self._client.call("product.product", "read", [product], ["default_uom"])
        line = {"product": product, "quantity": 2.0, "unit": of["default_uom"], "unit_price": Decimal("1.2500")}
        currency = self._one("currency.currency", ["code", "=", "EUR"])
        head = {"party": party, "invoice_address": row["addresses"][0], "currency": currency}
        return {**head, "purchase_date": date.today(), "lines": [["create", [line]]]}  # noqa: DTZ011

    def _production(self, product: int) -> JsonObject:
        [of] = self._client.call("product.product", "read", [product], ["default_uom"])
        [place] = self._client.call("stock.location", "search", [["type", "=", "warehouse"]], 0, 1, None)
        [row] = self._client.call("stock.location", "read", [place], ["production_location"])
        home = {"warehouse": place, "location": row["production_location"]}
        return {"product": product, "quantity": 1.0, "unit": of["default_uom"], **home}

    def _product(self, number: int) -> int:
        unit = self._one("product.uom", ["symbol", "=", "u"])
        products = [["create", [{"suffix_code": f"MADE-{number}"}]]]
        values = {"name": f"Made {number}", "type": "goods", "default_uom": unit, "products": products}
        [template] = self._client.call("product.template", "create", [{**values, "list_price": Decimal(1)}])
        [row] = self._client.call("product.template", "read", [template], ["products"])
        self._made.setdefault("ITEM", [])
        return int(row["products"][0])

    def _samples(self, operation: str) -> dict[str, JsonObject]:
        item = str(self._one("product.product", ["code", "=", "ITEM-001"]))
        soon = date.today() + timedelta(days=60)  # noqa: DTZ011  (a calendar day)
        midnight = datetime.combine(soon, time(), UTC)
        if operation == "CREATE":
            line = {"item_source_id": item, "quantity": Decimal(3), "unit_price": Decimal("1.2500")}
            vendor = str(self._one("party.party", ["code", "=", "V-001"]))
            order = {"vendor_source_id": vendor, "currency": "EUR", "required_date": soon, "notes": "Tor 4, Łódź"}
            return {
                "PURCHASE_ORDER": {"values": {**order, "lines": [line, {**line, "quantity": Decimal(7)}]}},
                "WORK_ORDER": {
                    "values": {"item_source_id": item, "quantity": Decimal(2), "scheduled_start_at": midnight}
                },
                "VENDOR": {"values": {"name": "Müller & Söhne", "addresses": [{"city": "Ulm", "country": "DE"}]}},
            }
        if operation == "ADJUST":
            place = str(self._one("stock.location", ["type", "=", "storage"]))
            return {_LEVEL: {"values": {"item_source_id": item, "location_source_id": place, "quantity": Decimal(17)}}}
        updated: dict[str, JsonObject] = {
            "PURCHASE_ORDER": {"values": {"notes": "Neu: Tor 5"}},
            "WORK_ORDER": {"values": {"scheduled_start_at": midnight + timedelta(days=1)}},
            "VENDOR": {"values": {"name": "Müller & Töchter"}},
        }
        return updated if operation == "UPDATE" else {"PURCHASE_ORDER": {}}

    def _people(self) -> None:
        """Make a user who has left."""
        if not self._client.call("res.user", "search", [["login", "=", _LEAVER[0]], *_ANY]):
            user = {"name": "Leaver", "login": _LEAVER[0], "password": _LEAVER[1], "active": False}
            self._client.call("res.user", "create", [user])


@asynccontextmanager
async def rig(*, server: TrytonServer, **_: Any) -> AsyncIterator[TrytonRig]:
    """Serve a proxy before a running Tryton in this loop."""
    async with aiohttp.ClientSession() as session, serving(create_proxy(server.url, session)) as running:
        yield TrytonRig(running, server)
