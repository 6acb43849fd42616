"""The client's own JSON, against a small HTTP server that answers with the request."""

import datetime as dt
import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from sandbox.tryton.client import TrytonClient, TrytonError


class _Echo(BaseHTTPRequestHandler):
    answer: bytes | None = None
    status = 200

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = self.answer or json.dumps({"id": request["id"], "result": request["params"]}).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[type[_Echo]]:
    handler = type("Echo", (_Echo,), {})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        handler.port = server.server_port  # type: ignore[attr-defined] # made here, read below
        yield handler
        server.shutdown()
        thread.join()


def _client(handler: type[_Echo]) -> TrytonClient:
    return TrytonClient(f"http://127.0.0.1:{handler.port}", "demo")  # type: ignore[attr-defined]


def test_typed_values_survive_the_wire(echo: type[_Echo]) -> None:
    values = [
        Decimal("0.2100"),
        dt.date(2026, 11, 20),
        dt.datetime(2026, 11, 20, 23, 59, 58, 123456),  # noqa: DTZ001 - Tryton's are naive
        dt.timedelta(seconds=90.5),
        {"nested": [Decimal(1), None, 2.5, "ż"]},
    ]

    assert _client(echo).rpc("echo", *values) == values


def test_a_float_goes_as_a_float(echo: type[_Echo]) -> None:
    [value] = _client(echo).rpc("echo", 5.0)

    assert (value, type(value)) == (5.0, float)


def test_the_context_is_the_last_argument_and_may_be_extended(echo: type[_Echo]) -> None:
    client = _client(echo)
    client.context = {"company": 1}

    assert client.call("party.party", "read", [2], context={"_timestamp": {}}) == [
        [2],
        {"company": 1, "_timestamp": {}},
    ]


def test_an_error_envelope_is_raised_with_its_kind(echo: type[_Echo]) -> None:
    echo.answer = b'{"id":1,"error":["UserError",["No.","",null]]}'

    with pytest.raises(TrytonError) as caught:
        _client(echo).rpc("echo")

    assert (caught.value.kind, caught.value.details, caught.value.status) == ("UserError", [["No.", "", None]], 200)


def test_an_http_error_is_raised_with_its_status(echo: type[_Echo]) -> None:
    echo.answer, echo.status = b"<html>", 429

    with pytest.raises(TrytonError) as caught:
        _client(echo).rpc("echo")

    assert (caught.value.kind, caught.value.details, caught.value.status) == ("HTTP", ["<html>"], 429)


def test_a_value_without_a_form_is_refused(echo: type[_Echo]) -> None:
    with pytest.raises(TypeError, match="set"):
        _client(echo).rpc("echo", {1})


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "127.0.0.1:8000", "http://"])
def test_an_address_without_http_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="Not an http"):
        TrytonClient(url, "demo")
