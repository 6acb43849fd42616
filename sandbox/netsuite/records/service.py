"""The record service: /services/rest/record/v1/{record}[/{id}|/eid:{external id}][/{sublist}|/!transform/{target}]."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from sandbox.kit.system import NO_PAGE_FAULTS, PAGE, PageFaults
from sandbox.netsuite.config import FULL, NONE, VIEW, Role
from sandbox.netsuite.errors import RestError, denied, not_found, user_error
from sandbox.netsuite.paging import envelope, window
from sandbox.netsuite.records.catalogue import catalogue
from sandbox.netsuite.records.filters import condition
from sandbox.netsuite.records.jobs import Jobs
from sandbox.netsuite.records.orders import Orders
from sandbox.netsuite.records.shapes import RECORDS, Shapes
from sandbox.netsuite.records.specs import SPECS, Spec
from sandbox.netsuite.records.stock import Stock
from sandbox.netsuite.records.values import Reader
from sandbox.netsuite.records.vendors import Vendors
from sandbox.netsuite.store import Row
from sandbox.netsuite.system import NetSuite

_SINGULAR: Final = "application/vnd.oracle.resource+json; type=singular"
_COLLECTION: Final = "application/vnd.oracle.resource+json; type=collection"
_VALIDATION: Final = "x-netsuite-propertynamevalidation"


class Records:
    """The service.

    Attributes:
        jobs: What was asked to be answered later.
    """

    def __init__(self, system: NetSuite) -> None:
        self._system = system
        self.jobs = Jobs(lambda: system.options.job_calls)
        self.orders = Orders(system)
        self._vendors = Vendors(system)
        self._stock = Stock(system, self.orders)

    def entity_of(self, path: str) -> str:
        """Tell what an address is about."""
        parts = path.removeprefix(RECORDS).strip("/").split("/")
        spec = SPECS.get(parts[0].lower())
        return spec.entity if spec else ""

    async def answer(self, request: Request, role: Role) -> Response:
        """Answer a call.

        Raises:
            RestError: A refusal.
        """
        if "respond-async" in request.headers.get("prefer", "").lower() and request.method != "GET":
            key = request.headers.get("x-netsuite-idempotency-key")
            return await self.jobs.take(key, _base(request), lambda: self._answer(request, role))
        return await self._answer(request, role)

    async def _answer(self, request: Request, role: Role) -> Response:
        parts = unquote(request.url.path).removeprefix(RECORDS).strip("/").split("/")
        if parts[0] == "metadata-catalog":
            return _told(catalogue(self._system, parts[1:]), "application/schema+json")
        spec = SPECS.get(parts[0].lower())
        if spec is None:
            text = f"Record type '{parts[0]}' does not exist."
            raise RestError(404, "NONEXISTENT_ID", text, where=("o:errorUrlPath", parts[0]))
        self._permitted(spec, request.method, role, parts)
        if len(parts) == 1:
            return self._list(request, spec) if request.method == "GET" else await self._create(request, spec)
        if request.method == "PUT":
            return await self._upsert(request, spec, parts[1])
        row = self._row(spec, parts[1])
        if len(parts) > 2:
            return await self._below(request, spec, row, parts[2:])
        match request.method:
            case "GET":
                return self._show(request, spec, row)
            case "PATCH" if "PATCH" in spec.writable:
                await self._change(request, spec, row)
            case "DELETE" if "DELETE" in spec.writable:
                self._delete(spec, row)
            case _:
                raise _method(request.method)
        return Response(status_code=204)

    def _permitted(self, spec: Spec, method: str, role: Role, parts: list[str]) -> None:
        level = role.level(spec.entity)
        if level == NONE and method == "GET" and len(parts) > 1:
            raise not_found(spec.name, parts[1])  # what a role may not see looks as if it were not there
        if level < (VIEW if method == "GET" else FULL):
            raise denied(spec.name, "View" if method == "GET" else "Full")

    def _list(self, request: Request, spec: Spec) -> Response:
        """List records: ids and links, never a field."""
        limit, offset = window(request.query_params)
        where, values = "1 = 1", list[Any]()
        if q := request.query_params.get("q"):
            where, values = condition(q, spec, self._system)
        faults: PageFaults = request.scope.get("state", {}).get(PAGE, NO_PAGE_FAULTS)
        source = f'FROM "{spec.table}" WHERE {spec.where} AND ({where})'
        total = self._system.store.value(f"SELECT count(*) {source}", values)
        found = self._system.store.db.execute(
            f"SELECT id {source} ORDER BY id LIMIT ? OFFSET ?", (*values, limit, faults.start(offset))
        ).fetchall()
        address = f"{_base(request)}{RECORDS}/{spec.name}"
        items = [{"links": [{"rel": "self", "href": f"{address}/{key}"}], "id": str(key)} for (key,) in found]
        return _told(envelope(request.url, faults.rows(items), limit=limit, offset=offset, total=total), _COLLECTION)

    def _show(self, request: Request, spec: Spec, row: Row) -> Response:
        asked = {name.lower(): value for name, value in request.query_params.items()}
        expand = asked.get("expandsubresources", "").lower() == "true"
        only = [] if expand else [name for name in asked.get("fields", "").split(",") if name]
        shapes = Shapes(self._system, _base(request))
        return _told(shapes.record(spec, row, expand=expand, only=only), _SINGULAR)

    async def _create(self, request: Request, spec: Spec) -> Response:
        if request.method != "POST" or "POST" not in spec.writable:
            raise _method(request.method)
        key = self._make(spec, await _body(request), self._reader(request))
        return Response(status_code=204, headers={"location": f"{_base(request)}{RECORDS}/{spec.name}/{key}"})

    async def _upsert(self, request: Request, spec: Spec, name: str) -> Response:
        """PUT by external id: change what has it, or make it."""
        if not name.startswith("eid:") or "PATCH" not in spec.writable:
            raise _method(request.method)
        external = name.removeprefix("eid:")
        row = self._system.store.one(spec.table, {"externalid": external})
        if row is not None:
            await self._change(request, spec, row)
            key = row["id"]
        else:
            body = {**await _body(request), "externalId": external}
            key = self._make(spec, body, self._reader(request))
        return Response(status_code=204, headers={"location": f"{_base(request)}{RECORDS}/{spec.name}/{key}"})

    async def _below(self, request: Request, spec: Spec, row: Row, parts: list[str]) -> Response:
        shapes = Shapes(self._system, _base(request))
        if parts[0] in spec.sublists and request.method == "GET":
            return _told({"links": [], **shapes.sublist(spec, row, parts[0])}, _COLLECTION)
        if parts[0] == "!transform" and len(parts) == 2 and request.method == "POST" and spec.name == "purchaseOrder":
            if parts[1] not in {"itemReceipt", "vendorBill"}:
                raise not_found("transform", parts[1])
            key = self._stock.transform(row, parts[1], await _body(request))
            return Response(status_code=204, headers={"location": f"{_base(request)}{RECORDS}/{parts[1]}/{key}"})
        raise not_found(spec.name, "/".join(parts))

    async def _change(self, request: Request, spec: Spec, row: Row) -> None:
        replace = {name for name in request.query_params.get("replace", "").split(",") if name}
        body, reader = await _body(request), self._reader(request)
        if spec.name == "purchaseOrder":
            self.orders.update(row, body, reader, replace="item" in replace)
        else:
            self._vendors.update(row, body, reader, replace="addressBook" in replace)

    def _make(self, spec: Spec, body: Mapping[str, Any], reader: Reader) -> int:
        match spec.name:
            case "purchaseOrder":
                return self.orders.create(body, reader)
            case "vendor":
                return self._vendors.create(body, reader)
            case _:
                return self._stock.adjust(body, reader)

    def _delete(self, spec: Spec, row: Row) -> None:
        if spec.name == "purchaseOrder":
            self.orders.delete(row)
        else:
            self._vendors.delete(row)

    def _row(self, spec: Spec, name: str) -> Row:
        key: dict[str, Any] = {"externalid": name.removeprefix("eid:")} if name.startswith("eid:") else {"id": name}
        rows = [row for row in self._system.store.rows(spec.table, key) if self._is(spec, row)]
        if len(rows) != 1:
            raise not_found(spec.name, name)
        return rows[0]

    def _is(self, spec: Spec, row: Row) -> bool:
        column, equals, value = spec.where.partition(" = ")
        return not equals or column == "1" or row[column] == value.strip("'")

    def _reader(self, request: Request) -> Reader:
        return Reader(self._system.store, request.headers.get(_VALIDATION))


async def _body(request: Request) -> Mapping[str, Any]:
    content = await request.body()
    try:
        body = orjson.loads(content or b"{}")
    except orjson.JSONDecodeError as error:
        raise RestError(400, "INVALID_CONTENT", "The request body is not valid JSON.") from error
    if not isinstance(body, Mapping):
        raise user_error("The request body is not an object.")
    return body


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _told(body: Mapping[str, Any], media: str) -> Response:
    return Response(orjson.dumps(body), media_type=media)


def _method(name: str) -> RestError:
    return RestError(405, "METHOD_NOT_ALLOWED", f"The method {name} is not allowed for this record.")
