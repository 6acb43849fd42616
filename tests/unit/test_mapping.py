"""A mapping is data: it is read forth and back, refuses what it cannot be, and says when it changed."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import MappingError
from connectors.mapping import Each, EntityMapping, To, as_is, at, project, unit, written
from db.models import columns as c
from db.models.base import Fields, dumped


class LineFields(Fields):
    """A line."""

    number: int = c.integer("Number.")
    unit: str | None = c.text("Unit.")


class OrderFields(Fields):
    """An order."""

    number: str = c.text("Number.", max_length=8, default=c.REQUIRED)
    vendor: str | None = c.text("Vendor.")
    ordered_on: date | None = c.day("Day.")
    total: Decimal | None = c.number("Sum.")
    lines: list[LineFields] = c.document("Lines.", default_factory=list)


def whole(value: Any) -> int:
    return int(value)


def product(one: Any, two: Any) -> Decimal | None:
    return None if one is None or two is None else Decimal(one) * Decimal(two)


LINES = Each("lines", "rows", (To("number", "n", whole), To("unit", "unit./symbol", unit)))
MAPPING = EntityMapping(
    OrderFields,
    (
        To("number", "no", back="no"),
        To("vendor", "party./name", back="party", write=str.upper),
        To("ordered_on", "day"),
        To("total", ("price", "quantity"), product),
        LINES,
    ),
)
BODY = {
    "no": "PO-1",
    "party.": {"name": "Vendor 1"},
    "day": "2026-03-01",
    "price": "2.50",
    "quantity": "4",
    "rows": [{"n": "1", "unit.": {"symbol": "kg"}}, {"n": 2, "unit.": {"symbol": "box"}}, {"n": 3, "unit.": None}],
}


def test_an_item_becomes_a_validated_record() -> None:
    record = project(MAPPING, BODY, units={"kg": "KGM"})

    assert dumped(record) == {
        "number": "PO-1",
        "vendor": "Vendor 1",
        "ordered_on": "2026-03-01",
        "total": "10.00",
        "lines": [{"number": 1, "unit": "KGM"}, {"number": 2, "unit": "box"}, {"number": 3}],
    }


def test_a_field_whose_path_is_missing_keeps_its_default() -> None:
    record = project(MAPPING, {"no": "PO-1", "party.": "not an object"}, units={})

    assert dumped(record) == {"number": "PO-1", "lines": []}


def test_only_the_elements_that_the_condition_lets_through_become_entries() -> None:
    lines = Each("lines", "rows", (To("number", "n"),), when=lambda row: row["n"] != 2)

    record = project(
        EntityMapping(OrderFields, (To("number", "no"), lines)), {"no": "1", "rows": [{"n": 1}, {"n": 2}]}, units={}
    )

    assert dumped(record) == {"number": "1", "lines": [{"number": 1}]}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a", {"b/c": 1, "b": {"c": 0}}),
        ("a/b/c", 0),
        ("a/b/x", None),
        ("a/b/c/d", None),
        ("x/y", None),
        ("list/0", None),
        ("none/x", None),
        ("", None),
    ],
)
def test_a_path_reads_what_stands_there_and_null_where_nothing_does(path: str, value: Any) -> None:
    body = {"a": {"b/c": 1, "b": {"c": 0}}, "list": [1], "none": None}

    assert at(body, path) == value


@pytest.mark.parametrize(("value", "kept"), [("", None), ("x", "x"), (0, 0), (False, False), ([], []), (None, None)])
def test_only_empty_text_is_no_value(value: Any, kept: Any) -> None:
    assert as_is(value) == kept


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({**BODY, "rows": [{"n": "x"}]}, "number from n: invalid literal for int() with base 10: 'x'"),
        ({**BODY, "rows": [{}]}, "number from n: int() argument must be a string"),
        ({**BODY, "price": "?"}, "total from price, quantity: [<class 'decimal.ConversionSyntax'>]"),
        ({**BODY, "day": "1st of May"}, "ordered_on: Input should be a valid date"),
        ({**BODY, "no": "PO-123456789"}, "number: String should have at most 8 characters (got 'PO-123456789')"),
        ({**BODY, "no": None}, "number: Field required"),
        ({**BODY, "no": ["PO-1"]}, "number: Input should be a valid string (got \"['PO-1']\")"),
    ],
)
def test_an_item_that_does_not_fit_names_the_field(body: dict[str, Any], message: str) -> None:
    with pytest.raises(MappingError) as failed:
        project(MAPPING, body, units={})

    assert str(failed.value).startswith(message)


@pytest.mark.parametrize(
    "rows",
    [["not an object"], [None], 7, "text", {"n": 1}],
    ids=["a text in the list", "null in the list", "a number", "a text", "an object"],
)
def test_a_list_of_another_shape_quarantines_its_item(rows: Any) -> None:
    with pytest.raises(MappingError) as failed:
        project(MAPPING, {**BODY, "rows": rows}, units={})

    assert str(failed.value).startswith("lines from rows: ")


@pytest.mark.parametrize("target", ["nothing", "number"])
def test_a_mapping_of_an_unknown_or_a_doubled_field_is_refused(target: str) -> None:
    with pytest.raises(TypeError, match=rf"OrderFields\.{target} is unknown or mapped twice"):
        EntityMapping(OrderFields, (To("number", "no"), To(target, "x")))


def test_a_list_mapped_over_a_field_is_refused() -> None:
    with pytest.raises(TypeError, match=r"OrderFields\.lines is unknown or mapped twice"):
        EntityMapping(OrderFields, (LINES, To("lines", "rows")))


def test_a_mapped_field_is_found_by_its_target() -> None:
    assert MAPPING.part("vendor") == To("vendor", "party./name", back="party", write=str.upper)
    assert MAPPING.part("lines") is LINES
    assert MAPPING.part("nothing") is None


def test_writing_goes_the_fields_way_back() -> None:
    fields = [part for part in MAPPING.fields if isinstance(part, To)]

    assert written(fields, {"number": "PO-2", "vendor": "v", "total": Decimal(1)}) == {"no": "PO-2", "party": "V"}
    assert written(fields, {}) == {}
    assert written(fields, {"number": None}) == {"no": None}


def mapped(*fields: To | Each, revision: int = 1) -> bytes:
    return EntityMapping(OrderFields, fields, revision).version


def test_a_mapping_that_is_written_again_has_the_same_version() -> None:
    assert mapped(To("number", "no"), LINES) == mapped(To("number", "no"), LINES)
    assert len(mapped(To("number", "no"))) == 8


def test_every_change_that_decides_values_changes_the_version() -> None:
    versions = [
        mapped(To("number", "no")),
        mapped(To("number", "no"), revision=2),
        mapped(To("number", "number")),
        mapped(To("number", ("no", "alt"))),
        mapped(To("vendor", "no")),
        mapped(To("number", "no", whole)),
        mapped(To("number", "no"), To("vendor", "party")),
        mapped(To("number", "no"), LINES),
        mapped(To("number", "no"), Each("lines", "elements", LINES.fields)),
        mapped(To("number", "no"), Each("lines", "rows", LINES.fields[:1])),
        mapped(To("number", "no"), Each("lines", "rows", (To("number", "n", as_is), LINES.fields[1]))),
    ]

    assert len(set(versions)) == len(versions)
