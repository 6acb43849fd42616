"""A small synchronous JSON-RPC client for Tryton: the sandbox and tests act inside Tryton without our connector."""

import base64
import datetime as dt
import http.client
import json
import urllib.parse
from decimal import Decimal
from typing import Any, Self

Json = Any


class TrytonError(Exception):
    """Tryton refused a call.

    Attributes:
        kind: Tryton's exception name (UserError, UserWarning, ConcurrencyException, …), the bare text of an unexpected
            error, or "HTTP" when the answer was no JSON-RPC envelope.
        details: What followed the name in the envelope's `error` array.
        status: HTTP status; 200 for errors inside an envelope.
    """

    def __init__(self, kind: str, details: list[Json], status: int) -> None:
        super().__init__(f"{kind} (HTTP {status}): {details}")
        self.kind = kind
        self.details = details
        self.status = status


class TrytonClient:
    """One user's session on one Tryton database.

    Source: trytond/protocols/jsonrpc.py and dispatcher.py of trytond 7.4, and observed answers.
    """

    def __init__(self, url: str, database: str, *, timeout_seconds: float = 120.0) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"Not an http(s) address: {url!r}")
        self._secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port
        self._path = f"{parts.path.rstrip('/')}/{urllib.parse.quote(database)}/" if database else "/"
        self._timeout_seconds = timeout_seconds
        self._authorization: str | None = None
        self._request_number = 0
        self.user_id: int | None = None
        self.context: dict[str, Json] = {}

    def login(self, username: str, password: str) -> Self:
        """Open a session and take over the user's preferences (company, language, groups) as call context.

        Raises:
            TrytonError: kind HTTP, status 401 for a wrong password, 429 after more than five of them in five minutes.
        """
        self._authorization = None
        answer = self.rpc("common.db.login", username, {"password": password}, "en")
        self.user_id, session = int(answer[0]), str(answer[1])
        token = base64.b64encode(f"{username}:{self.user_id}:{session}".encode()).decode()
        self._authorization = f"Session {token}"
        self.refresh_context()
        return self

    def refresh_context(self) -> None:
        """Read the preferences again, which is needed after the user's company has changed."""
        self.context = self.rpc("model.res.user.get_preferences", True, {})

    def call(self, model: str, method: str, *args: Json, context: dict[str, Json] | None = None) -> Json:
        """Call a method of a model; `context` is merged over the user's preferences.

        Args:
            model: A model's name, such as `purchase.purchase`.
            method: A method that Tryton exposes, such as `search_read`.
            args: Positional arguments without the context; Decimal, date, datetime and timedelta keep their type.
            context: Further context keys, such as `_timestamp`.

        Returns:
            The decoded result; null results (buttons, write, delete) are None.

        Raises:
            TrytonError: Tryton refused.
        """
        return self.rpc(f"model.{model}.{method}", *args, {**self.context, **(context or {})})

    def run_wizard(self, wizard: str, steps: list[tuple[str, dict[str, dict[str, Json]]]]) -> None:
        """Walk a wizard from its start to its end.

        Args:
            wizard: The wizard's name.
            steps: (state to enter, values per form so far) in order.
        """
        session = self.rpc(f"wizard.{wizard}.create", self.context)[0]
        for state, data in steps:
            self.rpc(f"wizard.{wizard}.execute", session, data, state, self.context)
        self.rpc(f"wizard.{wizard}.delete", session, self.context)

    def rpc(self, method: str, *params: Json) -> Json:
        """Send one JSON-RPC request and return its decoded result.

        Raises:
            TrytonError: an error envelope, or an answer that is no envelope.
        """
        self._request_number += 1
        body = json.dumps({"id": self._request_number, "method": method, "params": params}, default=_encode)
        status, text = self._post(body.encode())
        if status != http.client.OK:
            raise TrytonError("HTTP", [text[:200]], status)
        answer = json.loads(text, object_hook=_decode, parse_float=float)
        if "error" in answer:
            kind, *details = answer["error"]
            raise TrytonError(str(kind), details, status)
        return answer["result"]

    def _post(self, body: bytes) -> tuple[int, str]:
        opener = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        headers = {"Content-Type": "application/json"}
        if self._authorization is not None:
            headers["Authorization"] = self._authorization
        # werkzeug's server closes after each answer, so there is nothing to keep open; http.client asks for no gzip.
        connection = opener(self._host, self._port, timeout=self._timeout_seconds)
        try:
            connection.request("POST", self._path, body, headers)
            response = connection.getresponse()
            payload = response.read()
        finally:
            connection.close()
        return response.status, payload.decode("utf-8", errors="replace")


def _encode(value: object) -> dict[str, Json]:
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, dt.datetime):
        fields = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        return {"__class__": "datetime", **{name: getattr(value, name) for name in fields}}
    if isinstance(value, dt.date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    if isinstance(value, dt.timedelta):
        return {"__class__": "timedelta", "seconds": value.total_seconds()}
    raise TypeError(f"Tryton's JSON has no form for {type(value).__name__}")


def _decode(value: dict[str, Json]) -> Json:
    match value.get("__class__"):
        case "Decimal":
            return Decimal(value["decimal"])
        case "date":
            return dt.date(value["year"], value["month"], value["day"])
        case "datetime":
            fields = ("year", "month", "day", "hour", "minute", "second", "microsecond")
            # Naive and in UTC, as Tryton writes it.
            return dt.datetime(*(value[name] for name in fields))  # noqa: DTZ001
        case "timedelta":
            return dt.timedelta(seconds=value["seconds"])
        case "bytes":
            return base64.b64decode(value["base64"])
        case _:
            return value
