"""Filters: every operator of every field against the same rows in Python, and what is refused."""

import operator
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strawberry.utils.str_converters import to_camel_case

from db.shapes import SHAPES
from db.types import encode_id, new_id
from tests.factories.purchasing import make_purchase_order
from tests.fixtures.orders import FILTERABLE, Row, fill
from tests.fixtures.reading import Shelf

COUNTED = """query ($filter: PurchaseOrderFilter) {
  purchaseOrders(filter: $filter, first: 250) { totalCount nodes { id } } }"""
COLUMNS = SHAPES["PurchaseOrder"].columns
RANGES: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
PREFIXES = ["", "a", "a%", "a_", "%", "_", "\\", "Ä", "日", "\U0001d4b3", "\ud7ff", "\U0010ffff", "zz"]
Filter = dict[str, Any]


@pytest.fixture
async def rows(shelf: Shelf) -> list[Row]:
    """Orders with ties and nulls on the shelf."""
    return await fill(shelf)


async def found(shelf: Shelf, given_filter: Filter) -> set[str]:
    """Give the ids that a filter finds."""
    told = (await shelf.gql(COUNTED, filter=given_filter))["purchaseOrders"]
    assert told["totalCount"] == len(told["nodes"])
    return {node["id"] for node in told["nodes"]}


def where(rows: Iterable[Row], holds: Callable[[Row], bool]) -> set[str]:
    return {row["id"] for row in rows if holds(row)}


def compare(value: Any, op: str, given_value: Any, *, kind: str = "text") -> bool:
    """Tell whether one condition is true of one value; of no value only isNull is."""
    if op == "isNull":
        return (value is None) is given_value
    if value is None:
        return False
    if op == "in":
        return any(compare(value, "eq", each, kind=kind) for each in given_value)
    if op == "prefix":
        return bool(value.startswith(given_value))
    if kind == "decimal":
        value, given_value = Decimal(value), Decimal(given_value)
    return RANGES[op](value, given_value) if op in RANGES else bool(value == given_value)


def conditions(name: str, values: list[Any]) -> list[tuple[str, Any]]:
    """Give every operator of a field, each with every value that is there and one that is not."""
    kind = COLUMNS[name].kind
    absent: dict[str, list[Any]] = {
        "decimal": ["100.000045", "-0.000000001", "1e21", "-1e299", "9.9900"],
        "date": ["2026-01-15"],
        "instant": ["2026-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999998Z"],
        "text": ["nowhere", "a'b"],
    }
    each = [*values, *absent.get(kind, [])]
    told: list[tuple[str, Any]] = [("eq", value) for value in each]
    told += [("in", []), ("in", each), ("in", each[:2]), ("in", each[-1:])]
    if COLUMNS[name].nullable:
        told += [("isNull", True), ("isNull", False)]
    if kind in {"date", "instant", "decimal"}:
        told += [(op, value) for op in RANGES for value in each]
    if kind == "text":
        told += [("prefix", prefix) for prefix in PREFIXES]
    return told


@pytest.mark.parametrize("name", FILTERABLE)
async def test_every_operator_of_a_field_finds_what_python_finds(shelf: Shelf, rows: list[Row], name: str) -> None:
    key, kind = to_camel_case(name), COLUMNS[name].kind
    values = sorted({row[key] for row in rows if row[key] is not None})

    for op, value in conditions(name, values):
        expected = where(rows, lambda row, op=op, value=value: compare(row[key], op, value, kind=kind))  # type: ignore[misc]
        assert await found(shelf, {key: {op: value}}) == expected, (op, value)


async def test_ids_are_filtered_by_their_public_form(shelf: Shelf, rows: list[Row]) -> None:
    two = [rows[3]["id"], rows[7]["id"]]

    assert await found(shelf, {"id": {"eq": two[0]}}) == {two[0]}
    assert await found(shelf, {"id": {"in": [*two, encode_id("PurchaseOrder", new_id())]}}) == set(two)
    for wrong in ("x", encode_id("Vendor", new_id())):
        assert (await shelf.refusal(COUNTED, filter={"id": {"eq": wrong}}))[0] == "BAD_USER_INPUT"


def custom(fields: dict[str, Any], given_filter: Filter) -> bool:
    """Tell whether a record's custom fields fulfil the conditions on one of them."""
    value = fields.get(given_filter["name"])
    told = value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
    asked = {op: given_value for op, given_value in given_filter.items() if op != "name"} or {"isNull": False}
    return all(compare(told, op, given_value) for op, given_value in asked.items())


def holds(row: Row, given_filter: Filter) -> bool:
    """Tell in plain two-valued logic whether a filter is true of a row: `not` is true wherever its inside is not."""

    def one(name: str, value: Any) -> bool:
        if name in {"and", "or"}:
            return (all if name == "and" else any)(holds(row, part) for part in value)
        if name == "not":
            return not holds(row, value)
        if name == "lines":
            return any(holds(line, value) for line in row["lines"])
        if name == "vendor":
            return row["vendor"] is not None and holds(row["vendor"], value)
        if name == "customFields":
            return all(custom(row["customFields"], each) for each in value)
        kind = "decimal" if name == "totalNet" else "text"
        return all(compare(row[name], op, given_value, kind=kind) for op, given_value in value.items())

    return all(one(name, value) for name, value in given_filter.items())


def combined(leaves: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    """Give filters that combine others."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda parts: {"and": parts}, st.lists(inner, max_size=3)),
            st.builds(lambda parts: {"or": parts}, st.lists(inner, max_size=3)),
            st.builds(lambda part: {"not": part}, inner),
        ),
        max_leaves=6,
    )


TEXT_CONDITIONS = st.sampled_from(
    [{"eq": "a"}, {"in": ["A", ""]}, {"prefix": "a"}, {"isNull": True}, {"isNull": False}]
)
CODE_CONDITIONS = st.sampled_from([{"eq": "BOLT"}, {"in": ["NUT"]}, {"isNull": True}, {"prefix": "B"}, {}])
LINE_FILTERS = combined(st.fixed_dictionaries({}, optional={"itemCode": CODE_CONDITIONS}))
VENDOR_FILTERS = combined(
    st.fixed_dictionaries(
        {}, optional={"number": st.sampled_from([{"eq": "V0"}, {"prefix": "V"}, {"in": ["V1"]}, {"isNull": True}])}
    )
)
CUSTOM_FILTERS = st.sampled_from(
    [
        {"name": "colour"},
        {"name": "colour", "eq": "red"},
        {"name": "colour", "in": ["red", "Rot"]},
        {"name": "colour", "prefix": "R"},
        {"name": "colour", "isNull": True},
        {"name": "colour", "isNull": False, "prefix": ""},
        {"name": "n", "eq": "1.5"},
        {"name": "ok", "eq": "true"},
        {"name": "nowhere", "isNull": True},
    ]
)
FILTERS = combined(
    st.fixed_dictionaries(
        {},
        optional={
            "orderNumber": TEXT_CONDITIONS,
            "nativeStatus": TEXT_CONDITIONS,
            "currency": st.sampled_from([{"eq": "EUR"}, {"isNull": True}]),
            "orderDate": st.sampled_from([{"gt": "2026-01-31"}, {"lte": "2026-02-01", "gte": "2026-02-01"}]),
            "status": st.sampled_from([{"eq": "DRAFT"}, {"in": ["REJECTED", "DRAFT"]}]),
            "lines": LINE_FILTERS,
            "vendor": VENDOR_FILTERS,
            "customFields": st.lists(CUSTOM_FILTERS, max_size=2),
            "totalNet": st.sampled_from([{"gte": "10", "lt": "100.00005"}, {"isNull": True}, {"in": ["10", "9e20"]}]),
        },
    )
)


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(given_filter=FILTERS)
async def test_combined_filters_find_what_python_finds(shelf: Shelf, rows: list[Row], given_filter: Filter) -> None:
    assert await found(shelf, given_filter) == where(rows, lambda row: holds(row, given_filter))


async def test_a_filter_and_its_negation_part_the_rows_nulls_included(shelf: Shelf, rows: list[Row]) -> None:
    parts: list[Filter] = [
        {"orderNumber": {"eq": "a"}},
        {"orderDate": {"lt": "2026-02-01"}},
        {"lines": {}},
        {"or": []},
    ]
    for part in parts:
        inside, outside = await found(shelf, part), await found(shelf, {"not": part})
        assert inside | outside == {row["id"] for row in rows}
        assert not inside & outside


async def test_a_prefix_finds_what_goes_on_with_the_last_character(shelf: Shelf) -> None:
    async with shelf.database.write(shelf.own) as session:
        for text in ("ab", "a\U0010ffff", "a\U0010ffffb", "b", "\U0010ffff", "\ud7ff", "\ud7ffx", "\ue000"):
            await make_purchase_order(session, scope=shelf.own, source_id=text, order_number=text)
    query = """query ($prefix: String!) { purchaseOrders(filter: {orderNumber: {prefix: $prefix}},
        orderBy: [{field: ORDER_NUMBER}]) { nodes { orderNumber } } }"""

    async def begins(prefix: str) -> list[str]:
        nodes = (await shelf.gql(query, prefix=prefix))["purchaseOrders"]["nodes"]
        return [node["orderNumber"] for node in nodes]

    assert await begins("a") == ["ab", "a\U0010ffff", "a\U0010ffffb"]
    assert await begins("a\U0010ffff") == ["a\U0010ffff", "a\U0010ffffb"]
    assert await begins("\U0010ffff") == ["\U0010ffff"]
    assert await begins("\ud7ff") == ["\ud7ff", "\ud7ffx"]


REFUSED: list[Filter] = [
    {"status": None},
    {"status": {"eq": None}},
    {"orderNumber": {"prefix": None}},
    {"orderNumber": {"isNull": None}},
    {"orderNumber": {"in": None}},
    {"orderNumber": {"in": [None]}},
    {"and": None},
    {"or": None},
    {"or": [None]},
    {"not": None},
    {"lines": None},
    {"lines": {"itemCode": None}},
    {"lines": {"itemCode": {"eq": None}}},
    {"orderNumber": {"in": ["x"] * 101}},
    {"status": {"in": ["DRAFT"] * 101}},
    {"orderNumber": {"eq": "a\0"}},
    {"orderNumber": {"prefix": "\0"}},
    {"orderNumber": {"in": ["a", "\0"]}},
    {"lines": {"itemCode": {"eq": "\0"}}},
    {"orderDate": {"eq": "2026-02-30"}},
    {"orderDate": {"eq": "infinity"}},
    {"sourceUpdatedAt": {"gt": "0001-01-01T00:00:00+14:00"}},
    {"sourceUpdatedAt": {"gt": "9999-12-31T23:59:59-12:00"}},
    {"status": {"eq": "OTHER"}},
    {"status": {"isNull": True}},
    {"status": {"prefix": "D"}},
    {"notes": {"eq": "x"}},
    {"totalNet": {"eq": "NaN"}},
    {"totalNet": {"gt": "Infinity"}},
    {"totalNet": {"in": ["1", "-sNaN"]}},
    {"totalNet": {"eq": "1e300"}},
    {"totalNet": {"eq": "1" * 301}},
    {"totalNet": {"prefix": "1"}},
    {"vendor": None},
    {"vendor": {"lines": {}}},
    {"customFields": None},
    {"customFields": [{}]},
    {"customFields": [{"name": None}]},
    {"customFields": [{"name": "x", "eq": None}]},
    {"customFields": [{"name": "x", "isNull": None}]},
    {"customFields": [{"name": "x", "isNull": True, "eq": "y"}]},
    {"customFields": [{"name": "x" * 201}]},
    {"customFields": [{"name": "x", "eq": "y" * 201}]},
    {"customFields": [{"name": "x\0"}]},
    {"customFields": [{"name": "x", "prefix": "\0"}]},
]


@pytest.mark.parametrize("refused", REFUSED, ids=lambda given_filter: str(given_filter)[:60])
async def test_what_no_filter_means_is_refused(shelf: Shelf, refused: Filter) -> None:
    assert (await shelf.refusal(COUNTED, filter=refused))[0] == "BAD_USER_INPUT"


async def test_a_filter_has_a_hundred_conditions_at_most(shelf: Shelf) -> None:
    many = [{"status": {"eq": "DRAFT"}}] * 101

    assert await shelf.refusal(COUNTED, filter={"or": many}) == (
        "QUERY_TOO_COMPLEX",
        "The request has 101 filter conditions; a request may have 100.",
    )
    assert (await shelf.gql(COUNTED, filter={"or": many[1:]}))["purchaseOrders"]["totalCount"] == 0


async def test_half_a_surrogate_pair_is_refused(shelf: Shelf) -> None:
    body = b'{"query": "query ($f: PurchaseOrderFilter) { purchaseOrders(filter: $f) { totalCount } }", "variables":'
    body += b' {"f": {"orderNumber": {"eq": "\\ud83d"}}}}'
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {shelf.token}"}

    async with shelf.product.http.post(f"{shelf.product.url}/graphql", data=body, headers=headers) as answer:
        told = await answer.json()

    assert [error["extensions"]["code"] for error in told["errors"]] == ["BAD_USER_INPUT"]


async def test_a_hundred_values_may_be_listed(shelf: Shelf, rows: list[Row]) -> None:
    assert await found(shelf, {"currency": {"in": ["EUR"] * 100}}) == where(rows, lambda row: row["currency"] == "EUR")


async def test_an_instant_without_a_zone_is_utc(shelf: Shelf, rows: list[Row]) -> None:
    for told in ("2026-01-01T00:00:00", "2026-01-01T00:00:00Z", "2026-01-01T02:00:00+02:00"):
        expected = where(rows, lambda row: row["sourceUpdatedAt"] == "2026-01-01T00:00:00.000000Z")
        assert await found(shelf, {"sourceUpdatedAt": {"eq": told}}) == expected


async def test_a_filter_written_in_the_document_means_the_same(shelf: Shelf, rows: list[Row]) -> None:
    query = """query ($n: String!) { purchaseOrders(first: 250, filter: {not: {orderNumber: {eq: $n, isNull: false}},
        or: [{status: {in: [DRAFT, REJECTED]}}, {lines: {itemCode: {eq: "BOLT"}}}]}) { nodes { id } } }"""

    told = {node["id"] for node in (await shelf.gql(query, n="a"))["purchaseOrders"]["nodes"]}

    assert told == where(
        rows,
        lambda row: (
            row["orderNumber"] != "a"
            and (row["status"] in {"DRAFT", "REJECTED"} or any(line["itemCode"] == "BOLT" for line in row["lines"]))
        ),
    )
    assert told
