"""What operations cost: each price worked out by hand."""

from typing import Any

import pytest
from graphql import get_introspection_query

from graph.errors import ApiError
from graph.limits.cost import price, size_of
from graph.limits.documents import Documents
from graph.limits.price import MAX_CONDITIONS, MAX_LISTS, MAX_POINTS, MAX_READS, MAX_RELATIONS, Price
from graph.schema import make_schema

SCHEMA = make_schema()._schema
DOCUMENTS = Documents(SCHEMA)
TEN = " ".join(f"a{n}: notes" for n in range(10))


def priced(text: str, **variables: Any) -> Price:
    prepared = DOCUMENTS.made(text)
    (name,) = prepared.operations
    return price(SCHEMA, prepared, name, variables)


PRICES: dict[str, tuple[str, int]] = {
    "an object of the process": ("{ viewer { kind } }", 1),
    "nothing but a name": ("{ __typename }", 1),
    "one record: a read and an object": ("{ vendor(id: 1) { id name } }", 25 + 1),
    "a page of 50 by default": ("{ vendors { nodes { id } } }", 25 + 1 + 50),
    "a page of 10": ("{ vendors(first: 10) { nodes { id } } }", 25 + 1 + 10),
    "the last 7": ("{ vendors(last: 7) { nodes { id } } }", 25 + 1 + 7),
    "a page with edges and page info": (
        "{ vendors(first: 10) { edges { cursor node { id } } pageInfo { endCursor } } }",
        25 + 1 + 10 * 2 + 1,
    ),
    "nodes and edges alike": ("{ vendors(first: 10) { nodes { id } edges { cursor } } }", 25 + 1 + 10 + 10),
    "a count": ("{ vendors(first: 0) { totalCount } }", 25 + 1 + 10),
    "ten fields are a point": (f"{{ purchaseOrders(first: 10) {{ nodes {{ {TEN} }} }} }}", 25 + 1 + 10),
    "eleven are two": (f"{{ purchaseOrders(first: 10) {{ nodes {{ id {TEN} }} }} }}", 25 + 1 + 10 * 2),
    "relations": ("{ purchaseOrders(first: 10) { nodes { vendor { name } lines { itemCode } } } }", 25 + 1 + 10 * 7),
    "values": ("{ purchaseOrders(first: 10) { nodes { shipTo { city } customFields } } }", 25 + 1 + 10 * 3),
    "a page in a page": (
        "{ vendors(first: 10) { nodes { purchaseOrders(first: 20) { nodes { id } } } } }",
        25 + 1 + 10 * (1 + 1 + 20),
    ),
    "counts in a page": (
        "{ vendors(first: 10) { nodes { purchaseOrders(first: 1) { totalCount } } } }",
        25 + 1 + 10 * (1 + 1 + 10),
    ),
    "a list told whole": ("{ systems { slug } }", 25 + 5),
    "a summary": ("{ purchaseOrderSummary(groupBy: []) { count } }", 25 + 100 + 50),
    "what a summary's groups point at": (
        "{ purchaseOrderSummary(groupBy: [VENDOR]) { count vendor { name } } }",
        25 + 100 + 50 * 2,
    ),
    "versions of records": (
        "{ vendors(first: 10) { nodes { history(first: 5) { nodes { version } } } } }",
        25 + 1 + 10 * 7,
    ),
    "records by their ids": ("{ nodes(ids: [1, 2, 3]) { id } }", 25 + 3),
    "a fragment counts where it is spread": (
        (
            "{ a: vendor(id: 1) { ...f } b: vendor(id: 2) { ...f } }"
            " fragment f on Vendor { purchaseOrders(first: 5) { nodes { id } } }"
        ),
        2 * (25 + 1 + 1 + 5),
    ),
    "a fragment of a page is worth its page": (
        (
            "{ a: vendors(first: 3) { ...f } b: vendors(first: 4) { ...f } }"
            " fragment f on VendorConnection { nodes { id } }"
        ),
        25 + 1 + 3 + 25 + 1 + 4,
    ),
    "a change": (
        "mutation { triggerSync(input: {}) { userErrors { code } } }",
        25 + 1 + 5,
    ),
}


@pytest.mark.parametrize("name", PRICES)
def test_the_price_is_what_the_rules_say(name: str) -> None:
    text, points = PRICES[name]

    assert priced(text).points == points


@pytest.mark.parametrize("directive", ["@skip(if: true)", "@include(if: false)", "@skip(if: $s)"])
def test_what_is_left_out_counts_as_if_it_were_there(directive: str) -> None:
    declared = "query ($s: Boolean = true) " if "$s" in directive else ""

    assert priced(f"{declared}{{ vendors(first: 10) {{ nodes {directive} {{ id }} }} }}").points == 36


PAGES = "query ($n: Int%s) { vendors(first: $n) { nodes { id } } }"


def test_a_page_size_in_a_variable_is_worth_its_value() -> None:
    assert [priced(PAGES % "", n=n).points for n in (0, 1, 250)] == [26, 27, 276]
    assert priced(PAGES % "").points == 76, "none is a page of 50"
    assert priced(PAGES % " = 20").points == 46, "the variable's own default"
    assert priced(PAGES % " = 20", n=None).points == 76
    assert [priced(PAGES % "", n=n).points for n in (251, -1, 10**15)] == [276, 26, 276], "refused later anyway"


def test_ids_in_a_variable_are_worth_their_number() -> None:
    text = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    assert [priced(text, ids=["x"] * n).points for n in (1, 11, 100)] == [26, 61, 350]


def test_one_price_is_kept_per_size_and_not_per_value() -> None:
    text = "query ($n: Int, $id: ID!, $f: VendorFilter)"
    text += " { vendors(first: $n, filter: $f) { nodes { id } } vendor(id: $id) { id } }"
    prepared = DOCUMENTS.made(text)
    for n in range(1000):
        price(SCHEMA, prepared, None, {"n": 10, "id": str(n), "f": {"name": {"eq": str(n)}}})
    assert len(prepared.prices) == 1

    for n in range(1000):
        price(SCHEMA, prepared, None, {"n": n, "id": "x"})
    assert len(prepared.prices) == 64, "a caller cannot fill the memory with prices"


def refused(text: str, **variables: Any) -> tuple[str, int, int]:
    with pytest.raises(ApiError) as error:
        priced(text, **variables)
    told = error.value.extensions or {}
    assert told["code"] == "QUERY_TOO_COMPLEX"
    return told["what"], told["counted"], told["limit"]


def test_pages_of_250_in_pages_of_250_are_refused() -> None:
    text = "{ vendors(first: 250) { nodes { purchaseOrders(first: 250) { nodes { id } } } } }"

    assert refused(text) == ("points", 25 + 1 + 250 * (1 + 1 + 250), MAX_POINTS)


def test_what_makes_a_statement_long_is_limited_by_itself() -> None:
    def orders(inner: str, count: int) -> str:
        parts = " ".join(f"a{n}: {inner}" for n in range(count))
        return f"{{ vendor(id: 1) {{ purchaseOrders(first: 1) {{ nodes {{ vendor {{ {parts} }} }} }} }} }}"

    assert refused(orders("purchaseOrders(first: 1) { nodes { id } }", MAX_LISTS)) == (
        "lists",
        MAX_LISTS + 1,
        MAX_LISTS,
    )
    assert refused(orders("connection { id }", MAX_RELATIONS)) == ("relations", MAX_RELATIONS + 2, MAX_RELATIONS)


def test_reads_beside_each_other_are_limited_by_themselves() -> None:
    many = " ".join(f"a{n}: connection {{ id }}" for n in range(MAX_READS + 1))

    assert refused(f"{{ viewer {{ {many} }} }}") == ("reads", MAX_READS + 1, MAX_READS)


FILTER = "query ($f: VendorFilter) { vendors(first: 1, filter: $f) { nodes { id } } }"
NAME = {"name": {"eq": "x"}}


@pytest.mark.parametrize(
    ("given", "conditions"),
    [
        (NAME, 1),
        ({"name": {"eq": "x", "in": ["a", "b", "c"]}}, 2),
        ({"or": [NAME] * 7}, 7),
        ({"not": {"and": [NAME, {"or": [NAME, NAME]}]}}, 3),
    ],
)
def test_conditions_are_counted_in_variables_and_in_the_document_alike(given: Any, conditions: int) -> None:
    assert priced(FILTER, f=given).counted.conditions == conditions
    assert (
        priced(f"{{ vendors(first: 1, filter: {written(given)}) {{ nodes {{ id }} }} }}").counted.conditions
        == conditions
    )


def written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {written(each)}" for name, each in value.items()) + "}"
    return "[" + ", ".join(map(written, value)) + "]" if isinstance(value, list) else f'"{value}"'


def test_a_request_has_a_hundred_conditions_at_most_however_they_are_spread() -> None:
    assert refused(FILTER, f={"or": [NAME] * 101}) == ("filter conditions", 101, MAX_CONDITIONS)
    lists = " ".join(f"a{n}: vendors(first: 1, filter: $f) {{ nodes {{ id }} }}" for n in range(3))
    assert refused(f"query ($f: VendorFilter) {{ {lists} }}", f={"or": [NAME] * 34})[:2] == ("filter conditions", 102)


def test_a_variable_is_neither_long_nor_deep() -> None:
    deep: Any = 1
    for _ in range(40):
        deep = [deep]

    assert size_of([1] * 250) == 250
    for value, what in (
        ([1] * 251, "values in a list"),
        ({"a": {"b": [1] * 251}}, "values in a list"),
        (deep, "levels of a value"),
    ):
        with pytest.raises(ApiError) as error:
            size_of(value)
        assert (error.value.extensions or {})["what"] == what


def test_the_introspection_of_every_tool_is_allowed_and_a_hundred_of_them_are_not() -> None:
    query = get_introspection_query(input_value_deprecation=True, specified_by_url=True, directive_is_repeatable=True)
    one = priced(query).points

    assert 1_000 < one < MAX_POINTS
    many = " ".join(f"a{n}: __schema {{ types {{ fields {{ name args {{ name }} }} }} }}" for n in range(40))
    assert refused(f"{{ {many} }}")[0] == "points"


def test_what_was_not_told_is_not_paid() -> None:
    page = priced("{ vendors(first: 100) { nodes { id } totalCount } }")

    assert page.points == 25 + 10 + 101
    assert [page.actual(told) for told in (0, 1, 51, 101, 5000)] == [35, 36, 86, 136, 136]
