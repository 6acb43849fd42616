"""What changed between two versions of a record is told field by field, and a line is found again by its key."""

from typing import Any

import pytest

from db.history import difference
from db.models.registry import SPECS
from db.types import Entity

ORDER = SPECS[Entity.PURCHASE_ORDER]


def version(*lines: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {"status": "APPROVED", "notes": None, "lines": list(lines), **values}


def line(key: str, position: int, **values: Any) -> dict[str, Any]:
    return {"position": position, "source_line_id": key, "quantity": "1", "schedules": [], **values}


def change(path: str, before: Any, after: Any) -> dict[str, Any]:
    return {"path": path.split("."), "before": before, "after": after}


A, B, C = line("a", 0), line("b", 1), line("c", 2)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (version(A, B), version(A, B), []),
        (version(), version(status="SENT"), [change("status", "APPROVED", "SENT")]),
        (version(notes="x"), version(), [change("notes", "x", None)]),
        (version(), version(order_number="1"), [change("orderNumber", None, "1")]),
        (
            version(deleted_at="2026-06-01T12:03:00+00:00"),
            version(),
            [change("deletedAt", "2026-06-01T12:03:00.000000Z", None)],
        ),
        (version(A), version(line("a", 0, quantity="1.0")), [change("lines.a.quantity", "1", "1.0")]),
        (version(A), version(line("a", 7)), []),
        (
            version(A),
            version(line("a", 0, schedules=[{"number": "1"}])),
            [change("lines.a.schedules", [], [{"number": "1"}])],
        ),
        (
            version(vendor_source_id="v1", ship_to={"postal_code": "1"}, custom_fields={"a_b": 1}),
            version(vendor_source_id="v2", ship_to=None, custom_fields={"a_b": 2}),
            [
                change("vendor", "v1", "v2"),
                change("shipTo", {"postalCode": "1"}, None),
                change("customFields", {"a_b": 1}, {"a_b": 2}),
            ],
        ),
        (
            version(B),
            version(A, B),
            [change("lines.a", None, {"sourceLineId": "a", "quantity": "1", "schedules": []})],
        ),
        (
            version(A, B),
            version(A),
            [change("lines.b", {"sourceLineId": "b", "quantity": "1", "schedules": []}, None)],
        ),
        (version(A, B, C), version(A, C, B), [change("lines", ["a", "b", "c"], ["a", "c", "b"])]),
        (
            version(A, A),
            version(A, line("a", 1, quantity="2")),
            [change("lines.a#2.quantity", "1", "2")],
        ),
    ],
    ids=[
        "nothing",
        "a field",
        "a field cleared",
        "a field first told",
        "come back",
        "digits of a decimal",
        "a line moved down alone",
        "inside a line",
        "what points elsewhere, values and custom fields",
        "a line in front",
        "a line gone",
        "two lines changed places",
        "a key used twice",
    ],
)
def test_a_difference_tells_the_fields_that_changed(before: Any, after: Any, told: list[Any]) -> None:
    assert difference(ORDER, before, after) == told
