"""The simulated account as the kit sees it: its words for what goes wrong, its documents, its users."""

from collections.abc import Iterator, Mapping
from typing import Final

from starlette.responses import HTMLResponse, Response

from sandbox.kit.faults import Fault
from sandbox.kit.log import Call
from sandbox.kit.system import Document
from sandbox.netsuite.editor import OrderEditor
from sandbox.netsuite.errors import RestError, denied, login_refused
from sandbox.netsuite.gateway import Gateway, too_many
from sandbox.netsuite.records.shapes import RECORDS, Shapes
from sandbox.netsuite.records.specs import SPECS
from sandbox.netsuite.suiteql.endpoint import PATH
from sandbox.netsuite.system import NetSuite

_DOCUMENTS: Final = {
    "purchaseOrder": ("purchaseorder",),
    "vendor": ("vendor",),
    "item": ("inventoryitem", "noninventorypurchaseitem", "servicepurchaseitem"),
    "location": ("location",),
}


class Simulation:
    """See sandbox.kit.system.Simulated."""

    def __init__(self, system: NetSuite, gateway: Gateway) -> None:
        self.system = system
        self.clock = system.clock
        self.edits = system.edits
        self.editor = OrderEditor(system, gateway.records.orders)
        self._gateway = gateway

    def entity_of(self, path: str) -> str:
        """Give what an address of the record service is about; for SuiteQL see `entity_in`."""
        return self._gateway.records.entity_of(path) if path.startswith(RECORDS) else ""

    def entity_in(self, call: Call) -> str:
        """Give what a call is about once its body is there: a SuiteQL query's first kind of record."""
        return self._gateway.suiteql.entity_of(call.content) if call.path == PATH else call.entity

    def refusal(self, fault: Fault, call: Call, headers: Mapping[str, str]) -> Response:
        """Word a refusal as NetSuite does, or the servers before it."""
        match fault.kind:
            case "unauthorized":
                error = login_refused()
            case "forbidden":
                error = denied(call.entity or "this record", "View")
            case "rate_limit":
                error = too_many(self.system.options.concurrency_status)
            case "refuse":
                error = RestError(400, fault.code, fault.text)
            case "unavailable":
                return _page(503, "Service Temporarily Unavailable", headers)
            case _ if fault.status >= 500:
                error = RestError(fault.status, "UNEXPECTED_ERROR", "An unexpected error occurred. Error ID: demo")
            case _:
                return _page(fault.status, "The request could not be processed.", headers)
        error.headers.update(headers)
        return error.response()

    def documents(self, entity: str) -> Iterator[Document]:
        """Yield the documents of an entity: purchaseOrder, vendor, item, inventory, location."""
        if entity == "inventory":
            return self._stock()
        if entity not in _DOCUMENTS:
            raise KeyError(f"no entity {entity}")
        return self._records(entity)

    def _records(self, entity: str) -> Iterator[Document]:
        shapes = Shapes(self.system, "")
        for name in _DOCUMENTS[entity]:
            spec = SPECS[name]
            for row in self.system.store.rows(spec.table, {}):
                column, _, value = spec.where.partition(" = ")
                if column == "1" or row[column] == value.strip("'"):
                    key = str(row["id"])
                    mappable = (entity, key) not in self.system.spoiled
                    yield Document(
                        key, self.edits.version(entity, key), shapes.record(spec, row, expand=True), mappable
                    )

    def _stock(self) -> Iterator[Document]:
        for row in self.system.store.rows("inventoryitemlocations", {}):
            yield Document(f"{row['item']},{row['location']}", 0, row)


def _page(status: int, text: str, headers: Mapping[str, str]) -> Response:
    return HTMLResponse(f"<html><head><title>NetSuite</title></head><body><p>{text}</p></body></html>", status, headers)
