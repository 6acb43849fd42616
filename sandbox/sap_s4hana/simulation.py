"""The simulated system as the kit sees it: its words for what goes wrong, its documents, its users."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Final

import orjson
from starlette.responses import HTMLResponse, Response

from sandbox.kit.faults import Fault
from sandbox.kit.log import Call
from sandbox.kit.system import Document
from sandbox.sap_s4hana.edits import OrderEditor
from sandbox.sap_s4hana.edm import EntityType
from sandbox.sap_s4hana.odata.encode import Encoder, Shape
from sandbox.sap_s4hana.odata.errors import Message, ODataError, refused
from sandbox.sap_s4hana.sessions import Sessions
from sandbox.sap_s4hana.system import S4System

_UNAVAILABLE: Final = "The request could not be dispatched: no free work process."
_FAILED: Final = "The termination occurred in system {} with error code {}."
_TOO_MANY: Final = '{"error":{"code":"429","message":{"lang":"en","value":"Quota violation"}}}'
_SERVICE_PART: Final = 5
_SET_PART: Final = 6


class Simulation:
    """See sandbox.kit.system.Simulated."""

    def __init__(self, system: S4System, sessions: Sessions) -> None:
        self.system = system
        self.clock = system.clock
        self.edits = system.edits
        self.editor = OrderEditor(system)
        self._sessions = sessions

    def entity_of(self, path: str) -> str:
        """Give the entity set of an address such as …/API_PRODUCT_SRV/A_Product('TG1')/to_Plant: A_Product."""
        name = _part(path, _SET_PART).partition("(")[0]
        return name if name in self.system.tables else ""

    def refusal(self, fault: Fault, call: Call, headers: Mapping[str, str]) -> Response:
        """Word a refusal as an ABAP system, its gateway or its web dispatcher does."""
        match fault.kind:
            case "unauthorized":
                return self._sessions.logon_failed()
            case "forbidden":
                text = f"No authorization to access Service 'Z{_part(call.path, _SERVICE_PART)}_0001'"
                return self._error(ODataError(403, "/IWFND/CM_CONSUMER/101", text), call)
            case "rate_limit":
                return Response(_TOO_MANY, 429, headers, "application/json")
            case "unavailable":
                return _page(503, _UNAVAILABLE, headers)
            case "refuse":
                return self._error(refused([Message(fault.code, fault.text)]), call)
            case _:
                return _page(fault.status, _FAILED.format(self.system.config.sid, fault.status), headers)

    def documents(self, entity: str) -> Iterator[Document]:
        """Yield the documents of a set, each with all that hangs on it."""
        encoder, shape = Encoder("", self.system.tables), self.everything(self.system.types[entity])
        return (
            Document(
                key := ",".join(row.key),
                self.edits.version(entity, key),
                encoder.entity(row, shape),
                (entity, key) not in self.system.spoiled,
            )
            for row in self.system.tables[entity]
        )

    def everything(self, entity_type: EntityType, above: frozenset[str] = frozenset()) -> Shape:
        """Give the shape that shows all that hangs on an entity."""
        seen = above | {entity_type.set_name}
        return Shape(
            expand={
                navigation.name: self.everything(self.system.types[navigation.target], seen)
                for navigation in entity_type.navigation.values()
                if navigation.target not in seen
            }
        )

    def _error(self, error: ODataError, call: Call) -> Response:
        body = error.as_json(service=_part(call.path, _SERVICE_PART), now=self.system.now())
        return Response(orjson.dumps(body), error.status, media_type="application/json;charset=utf-8")


def _part(path: str, place: int) -> str:
    parts = path.split("/")
    return parts[place].partition(";")[0] if len(parts) > place else ""


def _page(status: int, text: str, headers: Mapping[str, str]) -> Response:
    title = f"{status} {HTTPStatus(status).phrase}"
    page = (
        f"<html><head><title>Application Server Error</title></head><body><h1>{title}</h1><p>{text}</p></body></html>"
    )
    return HTMLResponse(page, status, headers)
