"""Which refusal of Odoo is which of our errors; the refusals are recorded from Odoo 16.0."""

from typing import Any

import orjson
import pytest

from connectors import errors as e
from connectors.egress import Response
from connectors.odoo import faults
from sandbox.odoo.recorded import Recorded

RECORDED = Recorded("odoo16")


def answer(body: Any, status: int = 200, **headers: str) -> Response:
    told = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Response(status, told, body if isinstance(body, bytes) else orjson.dumps(body))


@pytest.mark.parametrize(
    ("recording", "purpose", "kind"),
    [
        ("31_err_bad_field", "read", e.BadResponse),
        ("31_err_bad_field", "write", e.WriteRejected),
        ("33_err_required", "write", e.WriteRejected),
        ("34_err_fk", "write", e.WriteRejected),
        ("35_err_delete_confirmed", "write", e.WriteRejected),
        ("43_bad_password_execute", "read", e.AuthError),
        ("43_bad_password_execute", "write", e.AuthError),
        ("44_bad_db", "read", e.ConfigError),
    ],
)
def test_a_recorded_refusal(recording: str, purpose: Any, kind: type[e.ConnectorError]) -> None:
    with pytest.raises(e.ConnectorError) as caught:
        faults.rpc_result(answer(RECORDED.named(recording)["body"]), purpose)

    assert type(caught.value) is kind
    assert "Traceback" not in (caught.value.source_message or "")


def test_a_method_that_gives_nothing_is_answered_without_a_result() -> None:
    assert RECORDED.named("36_cancel")["body"] == {"jsonrpc": "2.0", "id": 8}
    assert faults.rpc_result(answer(RECORDED.named("36_cancel")["body"]), "write") is None
    assert faults.json2_result(answer(b"null"), "write") is None


@pytest.mark.parametrize(
    ("status", "name", "purpose", "kind"),
    [
        (401, "werkzeug.exceptions.Unauthorized", "read", e.AuthError),
        (403, "odoo.exceptions.AccessError", "read", e.PermissionRefused),
        (403, "odoo.exceptions.AccessDenied", "read", e.AuthError),
        (404, "werkzeug.exceptions.NotFound", "read", e.PermissionRefused),
        (404, "odoo.exceptions.MissingError", "write", e.WriteRejected),
        (409, "odoo.exceptions.LockError", "write", e.VersionConflict),
        (422, "odoo.exceptions.ValidationError", "write", e.WriteRejected),
        (422, "werkzeug.exceptions.UnprocessableEntity", "read", e.BadResponse),
        (500, "builtins.ZeroDivisionError", "read", e.SourceFault),
        (500, "builtins.ZeroDivisionError", "write", e.WriteRejected),
    ],
)
def test_a_refusal_of_json_2(status: int, name: str, purpose: Any, kind: type[e.ConnectorError]) -> None:
    body = {"name": name, "message": "Words.", "arguments": [], "context": {}, "debug": "Traceback of the server"}
    with pytest.raises(e.ConnectorError) as caught:
        faults.json2_result(answer(body, status), purpose)

    assert type(caught.value) is kind
    assert caught.value.source_message == "Words."


@pytest.mark.parametrize(
    ("status", "purpose", "kind"),
    [
        (301, "read", e.ConfigError),
        (404, "read", e.ConfigError),
        (418, "read", e.BadResponse),
        (429, "read", e.RateLimited),
        (502, "read", e.SourceFault),
        (503, "read", e.SourceFault),
        (502, "write", e.SourceUnavailable),
        (504, "write", e.SourceUnavailable),
    ],
)
@pytest.mark.parametrize("read", [faults.rpc_result, faults.json2_result])
def test_a_status_of_whatever_stands_before_odoo(
    read: Any, status: int, purpose: Any, kind: type[e.ConnectorError]
) -> None:
    with pytest.raises(e.ConnectorError) as caught:
        read(answer(b"<html>", status, content_type="text/html"), purpose)

    assert type(caught.value) is kind


def test_waiting_is_told() -> None:
    with pytest.raises(e.RateLimited) as caught:
        faults.json2_result(answer(b"", 503, retry_after="30"))

    assert caught.value.retry_after_s == 30


@pytest.mark.parametrize("read", [faults.rpc_result, faults.json2_result])
def test_an_answer_that_was_cut_is_no_refusal_and_a_page_is_no_odoo(read: Any) -> None:
    with pytest.raises(e.SourceUnavailable) as cut:
        read(answer(b'{"jsonrpc": "2.0", "resu'))
    with pytest.raises(e.SourceUnavailable) as written:
        read(answer(b"<html>", content_type="text/html"), "write")
    with pytest.raises(e.ConfigError):
        read(answer(b"<html>", content_type="text/html"))

    assert (cut.value.sent, written.value.sent) == (True, True)
