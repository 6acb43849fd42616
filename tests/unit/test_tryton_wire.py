"""Tryton's typed JSON, both ways."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from connectors.tryton import wire


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ({"__class__": "Decimal", "decimal": "0.2100"}, "0.2100"),
        ({"__class__": "date", "year": 2026, "month": 2, "day": 3}, "2026-02-03"),
        (
            {
                "__class__": "datetime",
                "year": 2026,
                "month": 11,
                "day": 21,
                "hour": 1,
                "minute": 58,
                "second": 55,
                "microsecond": 38,
            },
            "2026-11-21T01:58:55.000038Z",
        ),
        ({"__class__": "time", "hour": 7, "minute": 5, "second": 0, "microsecond": 0}, "07:05:00"),
        ({"__class__": "timedelta", "seconds": 86400.0}, 86400.0),
        ({"__class__": "bytes", "base64": "AAEC\n"}, "AAEC"),
        ({"__class__": "Unheard", "value": 1}, {"__class__": "Unheard", "value": 1}),
        ({"lines.": [{"quantity": 1.5, "unit.": None}]}, {"lines.": [{"quantity": 1.5, "unit.": None}]}),
    ],
)
def test_answers_become_plain_json(typed: Any, plain: Any) -> None:
    decoded = wire.plain(typed)

    assert decoded == plain
    assert orjson.loads(orjson.dumps(decoded)) == plain


def test_values_become_typed_json() -> None:
    values = {
        "unit_price": Decimal("0.1950"),
        "purchase_date": date(2026, 11, 20),
        "since": datetime(2026, 11, 21, 1, 58, 55, 520038, tzinfo=UTC),
        "lines": [("create", [{"quantity": 2.0}])],
        "photo": b"\x00\x01\x02",
        "comment": None,
    }

    assert wire.typed(values) == {
        "unit_price": {"__class__": "Decimal", "decimal": "0.1950"},
        "purchase_date": {"__class__": "date", "year": 2026, "month": 11, "day": 20},
        "since": {
            "__class__": "datetime",
            "year": 2026,
            "month": 11,
            "day": 21,
            "hour": 1,
            "minute": 58,
            "second": 55,
            "microsecond": 520038,
        },
        "lines": [["create", [{"quantity": 2.0}]]],
        "photo": {"__class__": "bytes", "base64": "AAEC"},
        "comment": None,
    }


def test_decimals_are_written_without_exponents() -> None:
    assert wire.typed(Decimal("1E+3")) == {"__class__": "Decimal", "decimal": "1000"}


def test_a_request_has_exactly_three_keys() -> None:
    """With any other set Tryton answers errors as bare statuses."""
    request = wire.request("http://erp.example/demo/", "model.party.party.read", [1], ["name"], {})

    assert request.method == "POST"
    assert request.headers["Content-Type"] == "application/json"
    assert orjson.loads(request.body or b"") == {
        "id": 1,
        "method": "model.party.party.read",
        "params": [[1], ["name"], {}],
    }


@pytest.mark.parametrize(
    ("base_url", "database", "address"),
    [
        ("http://erp.example:8000", "demo", "http://erp.example:8000/demo/"),
        ("http://erp.example:8000/", "", "http://erp.example:8000/"),
        ("https://erp.example/tryton/", "de mo/1", "https://erp.example/tryton/de%20mo%2F1/"),
    ],
)
def test_addresses(base_url: str, database: str, address: str) -> None:
    assert wire.endpoint(base_url, database) == address
