"""The ledger's HTTP interface: JSON, a key in a header, pages by key."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.kit.admin import JsonBody, KitAdmin, given, refused
from sandbox.kit.faults import Fault
from sandbox.kit.log import Call
from sandbox.kit.system import ADMIN, PAGE, Document, PageFaults
from sandbox.kit.wire import Wire
from sandbox.ledger.books import ORDERS, VENDORS, Books
from sandbox.ledger.editor import OrderEditor
from sandbox.ledger.tables import JsonObject, Wanted

_STATUSES: Final[Mapping[str, int]] = {
    "unauthorized": 401,
    "forbidden": 403,
    "refuse": 422,
    "rate_limit": 429,
    "unavailable": 503,
}
_OPTIONS: Final = frozenset({"page_size", "tombstones", "closed"})


class Simulation:
    """The ledger as the kit sees it; see sandbox.kit.system.Simulated."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.clock = books.clock
        self.edits = books.edits
        self.editor = OrderEditor(books)

    def entity_of(self, path: str) -> str:
        """Give the first part of an address: orders, lines, vendors."""
        return path.split("/")[1]

    def refusal(self, fault: Fault, call: Call, headers: Mapping[str, str]) -> Response:
        """Word a refusal: an object with `error`, and for a refused value its `field`."""
        del call
        told = {"error": fault.text, "field": fault.code} if fault.kind == "refuse" else {"error": "as asked"}
        return Response(orjson.dumps(told), _STATUSES.get(fault.kind, fault.status), headers, "application/json")

    def documents(self, entity: str) -> Iterator[Document]:
        """Yield every row of `orders` or `vendors`."""
        if entity not in {ORDERS, VENDORS}:
            raise KeyError(f"no entity {entity}")
        return self.books.documents(entity)


class LedgerWire(Wire):
    """The application, with direct access to its books."""

    def __init__(self, app: ASGIApp, simulation: Simulation) -> None:
        super().__init__(app, simulation)
        self.books = simulation.books


class LedgerAdmin(KitAdmin):
    """The administration: the kit's, an overview, and options page_size, tombstones, closed."""

    def __init__(self, books: Books) -> None:
        super().__init__()
        self._books = books

    def routes(self) -> list[Route]:
        """Give the routes to mount."""
        return [
            *self.kit_routes(),
            Route(ADMIN, self.overview, methods=["GET"]),
            Route(f"{ADMIN}/options", self.options, methods=["POST"]),
        ]

    async def overview(self, _: Request) -> Response:
        """Tell how much there is."""
        books, calls = self._books, self.wire.calls.total
        counts = {ORDERS: len(books.orders), VENDORS: len(books.vendors), "edits": len(books.edits), "calls": calls}
        return JsonBody({"now": books.now.isoformat(), "counts": counts})

    async def options(self, request: Request) -> Response:
        """Change options."""
        try:
            asked = await given(request, _OPTIONS)
        except ValueError as error:
            return refused(error)
        self._books.page_size = int(asked.get("page_size", self._books.page_size))
        self._books.tombstones = bool(asked.get("tombstones", self._books.tombstones))
        self._books.closed = set(asked.get("closed", self._books.closed))
        return await self.overview(request)


def create_app(books: Books) -> LedgerWire:
    """Build the application around books."""
    admin, api = LedgerAdmin(books), _Api(books)
    app = Starlette(routes=[*admin.routes(), *api.routes()])
    wire = LedgerWire(_Locked(app, books), Simulation(books))
    admin.connect(wire)
    return wire


class _Locked:
    """Lets in who knows the key, where the key may go."""

    def __init__(self, app: ASGIApp, books: Books) -> None:
        self._app = app
        self._books = books

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith(ADMIN):
            request = Request(scope)
            if request.headers.get("x-key") != self._books.key:
                await JsonBody({"error": "unknown key"}, 401)(scope, receive, send)
                return
            scope["state"]["call"].caller = "key"
            if scope["path"] in self._books.closed:
                await JsonBody({"error": f"no right to {scope['path']}"}, 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class _Api:
    def __init__(self, books: Books) -> None:
        self._books = books

    def routes(self) -> list[Route]:
        return [
            Route("/time", self.time),
            Route("/rights", self.rights),
            Route("/orders", self.orders),
            Route("/orders", self.create, methods=["POST"]),
            Route("/orders/{key}", self.order),
            Route("/orders/{key}", self.update, methods=["PATCH"]),
            Route("/orders/{key}", self.delete, methods=["DELETE"]),
            Route("/lines", self.lines),
            Route("/vendors", self.vendors),
            Route("/vendors", self.create_vendor, methods=["POST"]),
            Route("/tombstones", self.tombstones),
            Route("/resolve", self.resolve),
        ]

    async def time(self, _: Request) -> Response:
        return JsonBody({"now": self._books.now.isoformat()})

    async def rights(self, _: Request) -> Response:
        return JsonBody({"closed": sorted(self._books.closed)})

    async def orders(self, request: Request) -> Response:
        """Give orders: by `ids`, by the `reference` that one keeps, or a page `since` an instant and `from` a day."""
        asked, orders = request.query_params, self._books.orders
        if "ids" in asked:
            keys = [key for key in asked["ids"].split(",") if key in orders]
            return _page([orders.body(key) for key in sorted(keys)], None, len(keys))
        if "reference" in asked:
            rows = orders.referring(asked["reference"])
            return _page(rows, None, len(rows))
        return self._paged(request, Wanted(_instant(asked.get("since")), asked.get("from", "")))

    async def lines(self, request: Request) -> Response:
        """Give the orders one of whose lines changed, by the lines' own stamps."""
        return self._paged(request, Wanted(_instant(request.query_params["since"]), lines=True))

    async def vendors(self, request: Request) -> Response:
        asked = request.query_params
        faults: PageFaults = getattr(request.state, PAGE)
        wanted, size = Wanted(_instant(asked.get("since"))), self._books.page_size
        page = self._books.vendors.page(wanted, after=asked.get("after", ""), size=size, start=faults.start)
        return _page(faults.rows(page.rows), page.following, page.total)

    async def order(self, request: Request) -> Response:
        key = request.path_params["key"]
        if key not in self._books.orders:
            return JsonBody({"error": f"no order {key}"}, 404)
        return Response(self._books.orders.body(key), media_type="application/json")

    async def tombstones(self, request: Request) -> Response:
        """Tell what vanished, where that is on."""
        if not self._books.tombstones:
            return JsonBody({"error": "this ledger keeps no tombstones"}, 404)
        since = _instant(request.query_params.get("since"))
        rows = [{"id": key, "vanished": at} for key, at in sorted(self._books.vanished.items()) if at >= since]
        return JsonBody({"rows": rows, "next": None, "total": len(rows)})

    async def resolve(self, request: Request) -> Response:
        kind, code = request.query_params["kind"], request.query_params["code"]
        if kind == "vendor":
            known = {key: row["code"] for key, row in self._books.vendors.items()}
        else:
            known = self._books.items
        return JsonBody({"keys": [key for key, own in known.items() if own == code]})

    async def create(self, request: Request) -> Response:
        """Make an order; the `reference` is kept, and not looked at: the same one twice makes two."""
        body = orjson.loads(await request.body())
        if problem := self._problem(body):
            return problem
        key = self._books.reserve()
        self._books.add(
            at=key,
            vendor=body["vendor"],
            status="DRAFT",
            currency=body.get("currency") or "EUR",
            date=self._books.now.date().isoformat(),
            notes=body.get("notes"),
            reference=body["reference"],
            lines=self._lines(key, body["lines"]),
        )
        return JsonBody({"id": key}, 201)

    async def update(self, request: Request) -> Response:
        """Change an order: fields, all its `lines`, or some to `add` and `remove`.

        The `reference` is kept as the last one; If-Match, where given, must be the order's version.
        """
        key = request.path_params["key"]
        if key not in self._books.orders:
            return JsonBody({"error": f"no order {key}"}, 404)
        body, expected = orjson.loads(await request.body()), request.headers.get("if-match")
        if problem := self._problem(body):
            return problem
        present = self._books.orders[key]["version"]
        if expected is not None and expected != str(present):
            return JsonBody({"error": f"order {key} is at version {present}"}, 412)
        values: JsonObject = {name: body[name] for name in ("vendor", "currency", "notes", "status") if name in body}
        if "lines" in body:
            values["lines"] = self._lines(key, body["lines"])
        if body.keys() & {"add", "remove"}:
            kept = [line for line in self._books.orders[key]["lines"] if line["id"] not in body.get("remove", ())]
            values["lines"] = [*kept, *self._lines(key, body.get("add", ()), after=self._last_line(key))]
        self._books.change(key, **values, **({"last_reference": body["reference"]} if "reference" in body else {}))
        return JsonBody({"id": key})

    def _last_line(self, key: str) -> int:
        return max((int(line["id"].rpartition("-")[2]) for line in self._books.orders[key]["lines"]), default=0)

    async def create_vendor(self, request: Request) -> Response:
        """Make a vendor; it keeps no reference, so nobody can find out whether it was made by a call of theirs."""
        body = orjson.loads(await request.body())
        key = f"w{len(self._books.vendors) + 1}"
        self._books.add_vendor(key, body["name"])
        return JsonBody({"id": key}, 201)

    async def delete(self, request: Request) -> Response:
        key = request.path_params["key"]
        if key not in self._books.orders:
            return JsonBody({"error": f"no order {key}"}, 404)
        self._books.vanish(key)
        return Response(status_code=204)

    def _paged(self, request: Request, wanted: Wanted) -> Response:
        faults: PageFaults = getattr(request.state, PAGE)
        after, size = request.query_params.get("after", ""), self._books.page_size
        page = self._books.orders.page(wanted, after=after, size=size, start=faults.start)
        return _page(faults.rows(page.rows), page.following, page.total)

    def _problem(self, body: JsonObject) -> Response | None:
        """Refuse a vendor or an item that there is not."""
        if "vendor" in body and body["vendor"] not in self._books.vendors:
            return JsonBody({"error": f"vendor {body['vendor']} is blocked", "field": "vendor"}, 422)
        for n, line in enumerate([*body.get("lines", ()), *body.get("add", ())]):
            if line.get("item") not in self._books.items:
                return JsonBody({"error": "unknown item", "field": "item", "line": n}, 422)
        return None

    def _lines(self, key: str, lines: Sequence[Mapping[str, Any]], *, after: int = 0) -> list[JsonObject]:
        return [
            self._books.line(f"{key}-{n}", self._books.items[line["item"]], line["quantity"], line.get("price") or "0")
            for n, line in enumerate(lines, after + 1)
        ]


def _page(rows: Sequence[bytes], following: str | None, total: int) -> Response:
    end = orjson.dumps({"next": following, "total": total})
    return Response(b'{"rows":[' + b",".join(rows) + b"]," + end[1:], media_type="application/json")


def _instant(text: str | None) -> str:
    """Bring an instant to the form in which stamps are kept, so that texts compare as instants do."""
    return datetime.fromisoformat(text).astimezone(UTC).isoformat() if text else ""
