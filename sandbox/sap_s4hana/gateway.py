"""The gateway: takes an HTTP request through log-on, authorization and CSRF to the service, and shapes the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sandbox.kit.system import PAGE, PageFaults
from sandbox.sap_s4hana.config import User
from sandbox.sap_s4hana.edm import Service
from sandbox.sap_s4hana.odata import documents
from sandbox.sap_s4hana.odata.errors import ODataError, bad_option, not_allowed
from sandbox.sap_s4hana.odata.paths import Target, resolve
from sandbox.sap_s4hana.odata.query import Query, parse_query
from sandbox.sap_s4hana.reads import Reader
from sandbox.sap_s4hana.sessions import CSRF_HEADER, Sessions
from sandbox.sap_s4hana.system import S4System
from sandbox.sap_s4hana.writes import Writer

ROOT = "/sap/opu/odata/sap"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_VERSIONS = frozenset({"", "1", "0001", "2", "0002"})
_TUNNELLED = frozenset({"MERGE", "PATCH", "PUT", "DELETE"})
_NOT_ACCEPTABLE = "005056A509B11ED19BEB6513AA349DA5"


@dataclass(slots=True)
class Call:
    """One request on its way: who, what service, which method is meant, and in which form the answer is wanted."""

    request: Request
    user: User
    method: str
    segment: str
    rest: str
    json: bool


class Gateway:
    """Answers everything under /sap/opu/odata/sap."""

    def __init__(self, system: S4System, sessions: Sessions) -> None:
        self.system = system
        self.sessions = sessions

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        user = self.sessions.authenticate(request.headers, request.query_params.get("sap-client", ""))
        if user is None:
            return self.sessions.logon_failed()
        request.state.call.caller = user.name
        call = _call(request, user)
        fetch = call.method in SAFE and request.headers.get(CSRF_HEADER, "").lower() == "fetch"
        if call.method not in SAFE and not self._token_valid(call):
            return PlainTextResponse("CSRF token validation failed", 403, {CSRF_HEADER: "Required"})
        try:
            response = await self._serve(call)
        except ODataError as error:
            response = self._error(error, call)
        if fetch:
            session_id, token = self.sessions.open(user, request.cookies)
            response.headers[CSRF_HEADER] = token
            self.sessions.set_cookies(response, session_id)
        return response

    async def _serve(self, call: Call) -> Response:
        service = self._service(call.segment)
        if service.name in call.user.denied:
            text = f"No authorization to access Service 'Z{service.name}_0001'"
            raise ODataError(403, "/IWFND/CM_CONSUMER/101", text)
        if call.method not in SAFE and call.user.read_only:
            raise ODataError(403, "/IWBEP/CM_MGW_RT/033", f"User {call.user.name} has no authorization to change data")
        query = parse_query(call.request.url.query)
        if query.text("$format") not in {"", "json", "xml", "atom"}:
            raise bad_option(f"Format '{query.text('$format')}' is not supported")
        target = resolve(call.rest, service, self.system.tables)
        return await self._dispatch(call, service, target, query)

    async def _dispatch(self, call: Call, service: Service, target: Target, query: Query) -> Response:
        root = str(call.request.url.replace(path=f"{ROOT}/{call.segment}", query=""))
        if target.kind == "batch":
            raise ODataError(501, "/IWFND/CM_MGW/098", "Batch processing is not offered by this system")
        if call.method in {"GET", "HEAD"}:
            if target.kind == "metadata":
                return _metadata(service, call)
            return Reader(self.system, service, root, as_json=call.json, bent=_bent(call)).read(target, query)
        writer = Writer(self.system, service, root, call.user, as_json=call.json)
        body = await call.request.body()
        if target.kind == "function":
            return writer.call_function(target, call.method, query)
        handlers: dict[str, Callable[[], Response]] = {
            "POST": lambda: writer.create(target, body, call.request.headers),
            "PATCH": lambda: writer.update(target, body, call.request.headers, replace=False),
            "MERGE": lambda: writer.update(target, body, call.request.headers, replace=False),
            "PUT": lambda: writer.update(target, body, call.request.headers, replace=True),
            "DELETE": lambda: writer.delete(target, call.request.headers),
        }
        if call.method not in handlers:
            raise not_allowed()
        return handlers[call.method]()

    def _service(self, segment: str) -> Service:
        name, _, version = segment.partition(";v=")
        service = self.system.services.get(name)
        if service is None or version not in _VERSIONS:
            number = version.zfill(4) if version else "0001"
            text = f"No service found for namespace '', name '{name}', version '{number}'"
            raise ODataError(403, "/IWFND/MED/170", text)
        return service

    def _token_valid(self, call: Call) -> bool:
        headers = call.request.headers
        return self.sessions.token_valid(call.user, call.request.cookies, headers.get(CSRF_HEADER, ""))

    def _error(self, error: ODataError, call: Call) -> Response:
        if call.json:
            body = orjson.dumps(error.as_json(service=call.segment, now=self.system.now()))
            return Response(body, error.status, error.headers, "application/json;charset=utf-8")
        return Response(error.as_xml(), error.status, error.headers, "application/xml;charset=utf-8")


def _call(request: Request, user: User) -> Call:
    raw = request.scope.get("raw_path") or request.url.path.encode()
    segment, _, rest = raw.decode("ascii", "replace").removeprefix(ROOT).lstrip("/").partition("/")
    method = request.method.upper()
    tunnelled = request.headers.get("x-http-method", "").upper()
    if method == "POST" and tunnelled in _TUNNELLED:
        method = tunnelled
    return Call(request, user, method, segment.replace("%3B", ";").replace("%3D", "="), rest, _wants_json(request))


def _wants_json(request: Request) -> bool:
    form = request.query_params.get("$format", "")
    if form in {"xml", "atom"}:
        return False
    return form == "json" or "application/json" in request.headers.get("accept", "")


def _bent(call: Call) -> PageFaults:
    faults: PageFaults = getattr(call.request.state, PAGE)
    return faults


def _metadata(service: Service, call: Call) -> Response:
    accepted = call.request.headers.get("accept", "*/*")
    if "xml" not in accepted and "*/*" not in accepted:
        text = (
            "The resource identified by the request is only capable of generating response entities which have content "
            "characteristics not acceptable according to the accept headers sent in the request"
        )
        raise ODataError(HTTPStatus.NOT_ACCEPTABLE, _NOT_ACCEPTABLE, text)
    return Response(documents.edmx(service), 200, {"dataserviceversion": "2.0"}, "application/xml")
