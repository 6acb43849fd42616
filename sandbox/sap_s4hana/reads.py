"""Reading: answers GET on service documents, sets, entities, navigation, properties and counts."""

from typing import Any

import orjson
from starlette.responses import PlainTextResponse, Response

from sandbox.kit.system import NO_PAGE_FAULTS, PageFaults
from sandbox.sap_s4hana.edm import Service
from sandbox.sap_s4hana.odata import documents
from sandbox.sap_s4hana.odata.encode import Encoder, Shape, encode_value, entity_path, etag, follow
from sandbox.sap_s4hana.odata.errors import not_allowed
from sandbox.sap_s4hana.odata.paths import Target
from sandbox.sap_s4hana.odata.query import Query, cut_page, next_link, select_rows, shape_of
from sandbox.sap_s4hana.store import Row
from sandbox.sap_s4hana.system import S4System

_HEADERS = {"dataserviceversion": "2.0", "cache-control": "no-store, no-cache"}


class Reader:
    """Reads for one request; `root` is the absolute address of the service."""

    def __init__(
        self, system: S4System, service: Service, root: str, *, as_json: bool, bent: PageFaults = NO_PAGE_FAULTS
    ) -> None:
        self.system = system
        self.service = service
        self.root = root
        self.json = as_json
        self.bent = bent
        self.encoder = Encoder(root, system.tables)

    def read(self, target: Target, query: Query) -> Response:
        """Answer a GET."""
        if target.kind == "function":
            raise not_allowed()
        if target.kind == "service":
            return self._service_document()
        if target.kind in {"set", "children"}:
            return self._collection(target, query)
        if target.row is None:
            raise LookupError("an entity or property has a row")
        if target.prop is not None:
            return self._property(target, target.row)
        return self.entity(target.row, shape_of(target.type, self.system.types, query))

    def entity(self, row: Row, shape: Shape, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        """Answer with one entity."""
        more = dict(headers or {})
        if (tag := etag(row)) is not None:
            more["etag"] = tag
        encoded = self.encoder.entity(row, shape)
        if self.json:
            return json_response({"d": encoded}, status, more)
        return _xml(documents.entry(encoded), "application/atom+xml;type=entry", status, more)

    def _collection(self, target: Target, query: Query) -> Response:
        rows = self._rows(target, query)
        if target.count:
            return PlainTextResponse(str(len(rows)), 200, _HEADERS)
        shape = shape_of(target.type, self.system.types, query)
        page = cut_page(rows, query, self.system.options.page_size_of(target.type.set_name), self.bent)
        results = self.encoder.collection(self.bent.rows(page.rows), shape)
        total = str(page.total) if query.text("$inlinecount") == "allpages" else None
        following = None if page.next_offset is None else next_link(self._address(target), query, page.next_offset)
        if not self.json:
            text = documents.feed(results, target.type.set_name, count=total, following=following)
            return _xml(text, "application/atom+xml;type=feed", 200, {})
        data: dict[str, Any] = {}
        if total is not None:
            data["__count"] = total
        data["results"] = results
        if following is not None:
            data["__next"] = following
        return json_response({"d": data}, 200, {})

    def _rows(self, target: Target, query: Query) -> list[Row]:
        if target.kind == "set":
            return self.system.queries.all_of(self.system.tables[target.type.set_name], query)
        if target.row is None or target.navigation is None:
            raise LookupError("children have a parent")
        return select_rows(follow(self.system.tables, target.row, target.navigation), target.type, query)

    def _address(self, target: Target) -> str:
        root = self.root
        if not self.system.options.absolute_next:
            root = root[root.index("/sap/") :]
        if target.row is not None and target.navigation is not None:
            return f"{root}/{entity_path(target.row)}/{target.navigation.name}"
        return f"{root}/{target.type.set_name}"

    def _property(self, target: Target, row: Row) -> Response:
        if target.prop is None:
            raise LookupError("no property")
        value = encode_value(target.prop, row[target.prop.name])
        if target.raw:
            return PlainTextResponse("" if value is None else str(value), 200, _HEADERS)
        if self.json:
            return json_response({"d": {target.prop.name: value}}, 200, {})
        return _xml(documents.single_property(target.prop.name, value), "application/xml", 200, {})

    def _service_document(self) -> Response:
        if self.json:
            return json_response({"d": {"EntitySets": list(self.service.sets)}}, 200, {})
        return _xml(documents.service_document(self.service, self.root), "application/atomsvc+xml", 200, {})


def json_response(data: object, status: int, headers: dict[str, str]) -> Response:
    """Answer in JSON."""
    return Response(orjson.dumps(data), status, {**_HEADERS, **headers}, "application/json")


def _xml(text: str, media_type: str, status: int, headers: dict[str, str]) -> Response:
    return Response(text, status, {**_HEADERS, **headers}, f"{media_type}; charset=utf-8")
