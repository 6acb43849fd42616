"""The doors of Odoo: JSON-RPC at /jsonrpc, the web client's session, JSON-2 with API keys, and the version."""

import secrets
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sandbox.kit.system import NO_PAGE_FAULTS, PAGE
from sandbox.odoo import calls
from sandbox.odoo.config import User
from sandbox.odoo.errors import OdooError, access_denied, bad_key, no_such
from sandbox.odoo.system import OdooSystem

JsonObject = dict[str, Any]
_EXPIRED: Final = OdooError("odoo.http.SessionExpiredException", "Session expired", 403)
_JSON2: Final = 19
_HINT: Final = "Did you mean POST /json/2/<model>/<method>?"
_NOT_FOUND: Final = "<!doctype html><html lang=en><title>404 Not Found</title><h1>Not Found</h1>"


class Doors:
    """Where callers come in.

    Attributes:
        expired: API keys are no longer valid; passwords and sessions still are.
    """

    def __init__(self, system: OdooSystem) -> None:
        self.system = system
        self.expired = False
        self._sessions: dict[str, User] = {}

    def routes(self) -> list[Route]:
        """Give the routes to mount."""
        return [
            Route("/jsonrpc", self.jsonrpc, methods=["POST"]),
            Route("/web/session/authenticate", self.authenticate, methods=["POST"]),
            Route("/web/session/get_session_info", self.session_info, methods=["POST"]),
            Route("/web/dataset/call_kw", self.call_kw, methods=["POST"]),
            Route("/web/dataset/call_kw/{path:path}", self.call_kw, methods=["POST"]),
            Route("/web/webclient/version_info", self.version_info, methods=["POST"]),
            Route("/web/version", self.version, methods=["GET"]),
            Route("/json/2/{path:path}", self.json2, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ]

    def expire_sessions(self) -> None:
        """End all sessions of the web client."""
        self._sessions.clear()

    def failed(self, error: OdooError, number: Any = None) -> Response:
        """Answer with an error as JSON-RPC does: 200, always."""
        expired = error is _EXPIRED
        code = 100 if expired else 200 if self.system.version < _JSON2 else 0
        message = "Odoo Session Expired" if expired else "Odoo Server Error"
        if error.name == "werkzeug.exceptions.NotFound":
            code, message = 404, "404: Not Found"
        return _json(
            {
                "jsonrpc": "2.0",
                "id": number,
                "error": {"code": code, "message": message, "data": error.data()},
            }
        )

    async def jsonrpc(self, request: Request) -> Response:
        """Answer /jsonrpc: services common, object and db."""
        asked = await _body(request)
        params = asked.get("params") or {}
        service, method, args = params.get("service"), params.get("method"), params.get("args") or []
        try:
            result = self._service(request, service, method, args)
        except OdooError as error:
            return self.failed(error, asked.get("id"))
        return _answer(asked, result)

    async def authenticate(self, request: Request) -> Response:
        """Begin a session of the web client."""
        asked = await _body(request)
        params = asked.get("params") or {}
        try:
            user = self._login(params.get("db"), params.get("login"), params.get("password"))
        except OdooError as error:
            return self.failed(error, asked.get("id"))
        if user is None:
            return self.failed(access_denied(), asked.get("id"))
        token = secrets.token_hex(20)
        self._sessions[token] = user
        answer = _answer(asked, self._info(user))
        answer.set_cookie("session_id", token, httponly=True, path="/")
        return answer

    async def session_info(self, request: Request) -> Response:
        """Tell whose session it is."""
        asked = await _body(request)
        user = self._session(request)
        return self.failed(_EXPIRED, asked.get("id")) if user is None else _answer(asked, self._info(user))

    async def call_kw(self, request: Request) -> Response:
        """Call a method as the web client does."""
        asked = await _body(request)
        user = self._session(request)
        if user is None:
            return self.failed(_EXPIRED, asked.get("id"))
        params = asked.get("params") or {}
        _called_by(request, user)
        try:
            result = self._call(request, user, params["model"], params["method"], params["args"], params["kwargs"])
        except OdooError as error:
            return self.failed(error, asked.get("id"))
        return _answer(asked, result)

    async def version_info(self, request: Request) -> Response:
        """Tell the version, as the web client asks for it."""
        return _answer(await _body(request), self._version())

    async def version(self, _: Request) -> Response:
        """Tell the version, as of 19."""
        if self.system.version < _JSON2:
            return HTMLResponse(_NOT_FOUND, 404)
        return _json({"version_info": self._version()["server_version_info"], "version": self.system.config.series})

    async def json2(self, request: Request) -> Response:
        """Answer /json/2/<model>/<method>."""
        if self.system.version < _JSON2:
            return HTMLResponse(_NOT_FOUND, 404)
        model, _, method = request.path_params["path"].partition("/")
        if request.method != "POST" or not method or "/" in method:
            return _told(no_such(_HINT))
        try:
            user = self._by_key(request)
            _called_by(request, user)
            parameters = await _body(request)
            ids, context = parameters.pop("ids", None), parameters.pop("context", {})
            bent = request.scope.get("state", {}).get(PAGE, NO_PAGE_FAULTS)
            env = calls.environment(self.system, user, context, bent)
            return _json(calls.named(env, model, method, ids, parameters))
        except OdooError as error:
            return _told(error)

    def _service(self, request: Request, service: Any, method: Any, args: list[Any]) -> Any:
        if service == "common" and method in {"version", "about"}:
            return self._version()
        if not self.system.options.old_rpc:
            raise no_such("404 Not Found")
        if service == "common" and method in {"authenticate", "login"}:
            user = self._login(*args[:3])
            return user.uid if user is not None else False
        if service == "object" and method in {"execute_kw", "execute"}:
            database, uid, password, model, name, *rest = args
            user = self._user(database, uid, password)
            _called_by(request, user)
            given = rest[0] if rest and method == "execute_kw" else rest if method == "execute" else []
            kwargs = rest[1] if len(rest) > 1 and method == "execute_kw" else {}
            return self._call(request, user, model, name, given, kwargs)
        raise OdooError("builtins.Exception", f"Method not found: {service}.{method}", 500)

    def _call(self, request: Request, user: User, model: str, method: str, args: list[Any], kwargs: JsonObject) -> Any:
        context = kwargs.get("context") or {}
        rest = {name: value for name, value in kwargs.items() if name != "context"}
        bent = request.scope.get("state", {}).get(PAGE, NO_PAGE_FAULTS)
        env = calls.environment(self.system, user, context, bent)
        return calls.positional(env, model, method, args, rest)

    def _login(self, database: Any, login: Any, password: Any) -> User | None:
        """Give the user whom login and password, or key, fit.

        Raises:
            OdooError: There is no such database.
        """
        if database != self.system.config.database:
            raise OdooError(
                "psycopg2.OperationalError",
                'connection to server at "127.0.0.1", port 5432 failed: FATAL:  database'
                f' "{database}" does not exist\n',
                500,
            )
        user = self.system.config.users.get(str(login))
        return user if user is not None and self._fits(user, password) else None

    def _user(self, database: Any, uid: Any, password: Any) -> User:
        found = next((user for user in self.system.config.users.values() if user.uid == uid), None)
        user = self._login(database, found.login if found else "", password)
        if user is None:
            raise access_denied()
        return user

    def _fits(self, user: User, password: Any) -> bool:
        return password == user.password or (password == user.key and not self.expired)

    def _by_key(self, request: Request) -> User:
        kind, _, key = request.headers.get("authorization", "").partition(" ")
        users = self.system.config.users.values()
        found = next((user for user in users if user.key == key.strip() and not self.expired), None)
        if kind.lower() != "bearer" or found is None:
            raise bad_key()
        return found

    def _session(self, request: Request) -> User | None:
        return self._sessions.get(request.cookies.get("session_id", ""))

    def _info(self, user: User) -> JsonObject:
        told = {"uid": user.uid, "name": user.name, "username": user.login, "db": self.system.config.database}
        context = {"lang": "en_US", "tz": "Europe/Berlin", "uid": user.uid}
        return told | self._version() | {"user_context": context, "company_id": 1}

    def _version(self) -> JsonObject:
        version = self.system.version
        return {
            "server_version": self.system.config.series,
            "server_version_info": [version, 0, 0, "final", 0, ""],
            "server_serie": self.system.config.series,
            "protocol_version": 1,
        }


async def _body(request: Request) -> JsonObject:
    try:
        asked = orjson.loads(await request.body() or b"{}")
    except orjson.JSONDecodeError:
        return {}
    return asked if isinstance(asked, dict) else {}


def _answer(asked: JsonObject, result: Any) -> Response:
    """Answer a JSON-RPC call; a method that returns nothing leaves the result out altogether."""
    told: JsonObject = {"jsonrpc": "2.0", "id": asked.get("id")}
    return _json(told if result is None else told | {"result": result})


def _told(error: OdooError) -> Response:
    return _json(error.data(), error.status)


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json; charset=utf-8")


def _called_by(request: Request, user: User) -> None:
    request.scope["state"]["call"].caller = user.login
