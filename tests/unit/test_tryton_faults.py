"""Which refusal of Tryton is which error, on captured answers."""

from pathlib import Path
from typing import Final

import orjson
import pytest

from connectors.egress import Response
from connectors.errors import (
    AuthError,
    BadResponse,
    ConfigError,
    ConnectorError,
    OutcomeUnknown,
    PermissionRefused,
    RateLimited,
    SourceFault,
    VersionConflict,
    WriteRejected,
)
from connectors.tryton import faults

_FILE: Final = Path(__file__).parent.parent / "data" / "tryton" / "refusals.json"
NO_PARTY: Final = 'The value "999999" for field "Party" in "Purchase" does not exist.'
NO_UNIT: Final = 'The value "Kilogram" for field "Unit" is not valid according to its domain.'
NO_RECORD: Final = 'You are trying to read records "999999" of "Purchase" that don\'t exist.'
REFUSALS: Final = {row["name"]: row["error"] for row in orjson.loads(_FILE.read_bytes())}


def envelope(name: str) -> Response:
    return Response(200, {}, orjson.dumps({"id": 1, "error": REFUSALS[name]}))


def refused(response: Response, purpose: faults.Purpose) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        faults.result(response, purpose)
    return caught.value


@pytest.mark.parametrize(
    ("name", "purpose", "kind", "words"),
    [
        ("unknown party", "write", WriteRejected, NO_PARTY),
        ("unknown party", "prepare", WriteRejected, NO_PARTY),
        ("missing record", "read", BadResponse, NO_RECORD),
        ("no access", "read", PermissionRefused, 'You are not allowed to access "Purchase".\nWithin groups:'),
        ("no access", "write", PermissionRefused, 'You are not allowed to access "Purchase".\nWithin groups:'),
        ("domain", "write", WriteRejected, NO_UNIT),
        ("warning", "write", WriteRejected, "Moving 499.0 u in addition to the 1.0 u ordered."),
        ("stale", "write", VersionConflict, "Records were modified in the meanwhile"),
        ("unknown field", "read", SourceFault, "'nope'"),
        ("unknown field", "write", WriteRejected, "'nope'"),
        ("developer server", "read", SourceFault, "boom"),
        ("second factor", "read", AuthError, "Code for admin"),
    ],
)  # fmt: skip
def test_envelopes(name: str, purpose: faults.Purpose, kind: type[ConnectorError], words: str) -> None:
    error = refused(envelope(name), purpose)

    assert type(error) is kind
    assert error.source_message == words


@pytest.mark.parametrize("name", sorted(REFUSALS))
@pytest.mark.parametrize("purpose", ["read", "prepare", "write"])
def test_no_refusal_leaks_a_traceback_or_more_than_its_words(name: str, purpose: faults.Purpose) -> None:
    error = refused(envelope(name), purpose)

    assert "Traceback" not in f"{error} {error.source_message}"
    assert "dispatcher.py" not in f"{error} {error.source_message}"
    assert '"category"' not in (error.source_message or "")


@pytest.mark.parametrize(
    ("status", "purpose", "kind"),
    [
        (400, "read", BadResponse),
        (401, "write", AuthError),
        (403, "read", PermissionRefused),
        (404, "read", ConfigError),
        (408, "read", SourceFault),
        (408, "write", OutcomeUnknown),
        (413, "write", BadResponse),
        (418, "read", BadResponse),
        (301, "read", ConfigError),
        (429, "write", RateLimited),
        (502, "read", SourceFault),
        (502, "prepare", SourceFault),
        (502, "write", OutcomeUnknown),
    ],
)
def test_statuses(status: int, purpose: faults.Purpose, kind: type[ConnectorError]) -> None:
    assert type(refused(Response(status, {}, b"<html>"), purpose)) is kind


@pytest.mark.parametrize(
    ("header", "seconds"), [("30", 30.0), ("Sat, 21 Nov 2026 02:39:33 GMT", 33.0), ("", None), ("soon", None)]
)
def test_a_rate_limit_tells_how_long(header: str, seconds: float | None) -> None:
    told = {"retry-after": header, "date": "Sat, 21 Nov 2026 02:39:00 GMT"}
    error = refused(Response(429, told, b""), "read")

    assert isinstance(error, RateLimited)
    assert error.retry_after_s == seconds


@pytest.mark.parametrize("body", [b"<html>welcome</html>", b"[]", b'{"id": 1}', b'{"id": 1, "resu'])
def test_answers_of_something_else(body: bytes) -> None:
    assert type(refused(Response(200, {}, body), "read")) is ConfigError
    assert type(refused(Response(200, {}, body), "write")) is OutcomeUnknown


def test_a_result_comes_through() -> None:
    assert faults.result(Response(200, {}, b'{"id": 1, "result": null}')) is None
