"""Validating some fields of a record under the record's own limits."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from db.models.base import Fields
from db.models.maintenance.work_order import WorkOrderFields
from db.models.partial import camel, checked
from db.models.purchasing.purchase_order import PurchaseOrderFields, PurchaseOrderStatus
from db.types import ErrorCode


def test_given_values_come_back_in_the_records_types_and_no_others() -> None:
    given = {"order_date": "2026-03-01", "total_net": "12.50", "status": "SENT", "currency": " EUR "}

    assert checked(PurchaseOrderFields, given, path=("purchaseOrder",)) == (
        {
            "order_date": date(2026, 3, 1),
            "total_net": Decimal("12.50"),
            "status": PurchaseOrderStatus.SENT,
            "currency": "EUR",
        },
        [],
    )


def test_nothing_given_is_nothing_wrong() -> None:
    assert checked(PurchaseOrderFields, {}, path=()) == ({}, [])


def test_null_empties_a_field_that_may_be_empty() -> None:
    assert checked(PurchaseOrderFields, {"notes": None}, path=()) == ({"notes": None}, [])


@pytest.mark.parametrize(
    ("record", "name", "accepted", "refused", "message"),
    [
        (PurchaseOrderFields, "currency", "EUR", "EURO", "String should have at most 3 characters."),
        (PurchaseOrderFields, "notes", "n" * 100_000, "n" * 100_001, "String should have at most 100000 characters."),
        (PurchaseOrderFields, "revision", "r" * 255, "r" * 256, "String should have at most 255 characters."),
        (WorkOrderFields, "priority", 1, 0, "Input should be greater than or equal to 1."),
        (WorkOrderFields, "priority", 5, 6, "Input should be less than or equal to 5."),
    ],
)
def test_a_records_limits_hold_for_a_part_of_it(
    record: type[Fields], name: str, accepted: Any, refused: Any, message: str
) -> None:
    assert checked(record, {name: accepted}, path=()) == ({name: accepted}, [])

    values, problems = checked(record, {name: refused}, path=("input",))

    assert values == {}
    assert [(p.code, p.message, p.path) for p in problems] == [(ErrorCode.BAD_USER_INPUT, message, ("input", name))]


def test_every_limit_of_every_field_holds_as_it_does_for_the_whole_record() -> None:
    whole = {name: info.metadata for name, info in WorkOrderFields.model_fields.items()}
    limited = {name: max_length for name, parts in whole.items() for max_length in _max_lengths(parts)}

    refused = {name for name, most in limited.items() if checked(WorkOrderFields, {name: "x" * (most + 1)}, path=())[1]}

    assert len(limited) > 10
    assert refused == set(limited)


def _max_lengths(metadata: list[Any]) -> list[int]:
    return [part.max_length for part in metadata if getattr(part, "max_length", None) is not None]


def test_problems_name_the_place_in_the_callers_words() -> None:
    given = {"order_date": "2026-13-01", "ship_to": {"city": "Bremen", "post_code": "28195"}, "total_net": "much"}

    values, problems = checked(PurchaseOrderFields, given, path=("purchaseOrder", "lines", "0"))

    assert values == {}
    assert sorted((p.path or ())[3:] for p in problems) == [("orderDate",), ("shipTo", "postCode"), ("totalNet",)]
    assert {(p.path or ())[:3] for p in problems} == {("purchaseOrder", "lines", "0")}
    assert {p.code for p in problems} == {ErrorCode.BAD_USER_INPUT}


def test_a_refused_value_is_not_repeated_in_the_message() -> None:
    _, problems = checked(PurchaseOrderFields, {"total_net": "s3cret"}, path=())

    assert [p.message for p in problems] == ["Input should be a valid decimal."]


@pytest.mark.parametrize(
    ("name", "told"), [("id", "id"), ("order_date", "orderDate"), ("vendor_source_id", "vendorSourceId")]
)
def test_names_are_told_in_camel_case(name: str, told: str) -> None:
    assert camel(name) == told
