"""The simulated system as the kit sees it: its words for what goes wrong, its documents, its users."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson
from starlette.responses import HTMLResponse, Response

from sandbox.kit.faults import Fault
from sandbox.kit.log import Call
from sandbox.kit.system import Document
from sandbox.odoo import calls
from sandbox.odoo.config import DEMO_USERS
from sandbox.odoo.doors import Doors
from sandbox.odoo.edits import LINES, ORDERS, OrderEditor
from sandbox.odoo.errors import OdooError, access_denied, bad_key, no_access, user_error
from sandbox.odoo.system import OdooSystem

_JSON2: Final = "/json/2/"


class Simulation:
    """See sandbox.kit.system.Simulated."""

    def __init__(self, system: OdooSystem, doors: Doors) -> None:
        self.system = system
        self.clock = system.clock
        self.edits = system.edits
        self.editor = OrderEditor(system)
        self._doors = doors

    def entity_of(self, path: str) -> str:
        """Give the model of a JSON-2 address; what JSON-RPC is about stands in its body (see `entity_in`)."""
        return path.removeprefix(_JSON2).partition("/")[0] if path.startswith(_JSON2) else ""

    def entity_in(self, call: Call) -> str:
        """Give the model that a call is about once its body is there, for JSON-RPC tells it there only."""
        return call.entity or self._model_in(call.body)

    def _model_in(self, body: Any) -> str:
        params = body.get("params") if isinstance(body, dict) else None
        if not isinstance(params, dict):
            return ""
        args = params.get("args")
        found: Any = params.get("model") or (args[3] if isinstance(args, list) and len(args) > 3 else "")
        return found if isinstance(found, str) and found in self.system.models else ""

    def refusal(self, fault: Fault, call: Call, headers: Mapping[str, str]) -> Response:
        """Word a refusal as Odoo or the proxy before it does."""
        second = call.path.startswith(_JSON2)
        match fault.kind:
            case "unauthorized":
                return self._error(bad_key() if second else access_denied(), call)
            case "forbidden":
                model = call.entity or ORDERS
                return self._error(no_access(model, self.system.models[model].label, "read"), call)
            case "rate_limit":
                return _page(429, headers)
            case "unavailable":
                return _page(503, headers)
            case "refuse":
                return self._error(user_error(fault.text), call)
            case _:
                return _page(fault.status, headers)

    def documents(self, entity: str) -> Iterator[Document]:
        """Yield the records of a model as they are read; orders with their lines whole, under `lines`."""
        table = self.system.tables[entity]
        env = calls.environment(self.system, DEMO_USERS[0], {})
        for number in table.ids():
            [body] = env.shown(entity, [table[number]], None)
            if entity == ORDERS:
                body["lines"] = env.shown(LINES, self.system.lines(number), None)
            spoiled = (entity, number) in self.system.spoiled
            yield Document(str(number), self.edits.version(entity, str(number)), body, not spoiled)

    def _error(self, error: OdooError, call: Call) -> Response:
        if call.path.startswith(_JSON2):
            return Response(orjson.dumps(error.data()), error.status, media_type="application/json")
        body = call.body
        return self._doors.failed(error, body.get("id") if isinstance(body, dict) else None)


def _page(status: int, headers: Mapping[str, str]) -> Response:
    title = f"{status} {HTTPStatus(status).phrase}"
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><center><h1>{title}</h1></center></body>\r\n</html>"
    return HTMLResponse(page, status, headers)
