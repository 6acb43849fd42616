"""The SQL cache: one entry a shape, another for anything that changes the SQL, right after eviction."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from db.page import compiled
from tests.factories.purchasing import make_purchase_order
from tests.fixtures.reading import Shelf, watched

TWICE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("query ($n: Int) { purchaseOrders(first: $n) { nodes { id } } }", {"n": 1}, {"n": 250}),
    ("query ($n: Int = 3) { purchaseOrders(first: $n) { nodes { id } } }", {}, {"n": 4}),
    (
        "query ($t: String!) { purchaseOrders(filter: {orderNumber: {eq: $t}}) { nodes { id } } }",
        {"t": "a"},
        {"t": "'; --"},
    ),
    (
        "query ($t: [String!]) { purchaseOrders(filter: {orderNumber: {in: $t}}) { nodes { id } } }",
        {"t": []},
        {"t": ["a", "b", "c"]},
    ),
    (
        "query ($p: String!) { purchaseOrders(filter: {orderNumber: {prefix: $p}}) { nodes { id } } }",
        {"p": "a"},
        {"p": "xyz"},
    ),
    ("query A { purchaseOrders { nodes { id } } }", {}, {}),
]
DIFFERENT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("query ($s: Boolean!) { purchaseOrders { nodes { id status @skip(if: $s) } } }", {"s": True}, {"s": False}),
    ("query ($s: Boolean!) { purchaseOrders { nodes { id status @include(if: $s) } } }", {"s": True}, {"s": False}),
    (
        "query ($s: Boolean!) { purchaseOrders { nodes { id ... @include(if: $s) { status } } } }",
        {"s": True},
        {"s": False},
    ),
    (
        "query ($f: PurchaseOrderFilter) { purchaseOrders(filter: $f) { nodes { id } } }",
        {"f": {"orderDate": {"gt": "2026-01-01"}}},
        {"f": {"orderDate": {"gte": "2026-01-01"}}},
    ),
    (
        "query ($f: PurchaseOrderFilter) { purchaseOrders(filter: $f) { nodes { id } } }",
        {"f": {"orderNumber": {"isNull": True}}},
        {"f": {"orderNumber": {"isNull": False}}},
    ),
    (
        "query ($f: PurchaseOrderFilter) { purchaseOrders(filter: $f) { nodes { id } } }",
        {"f": {"and": [{"status": {"eq": "DRAFT"}}]}},
        {"f": {"not": {"status": {"eq": "DRAFT"}}}},
    ),
    (
        "query ($p: String!) { purchaseOrders(filter: {orderNumber: {prefix: $p}}) { nodes { id } } }",
        {"p": "a"},
        {"p": ""},
    ),
    (
        "query ($o: [PurchaseOrderOrder!]) { purchaseOrders(orderBy: $o) { nodes { id } } }",
        {"o": [{"field": "STATUS"}]},
        {"o": [{"field": "STATUS", "direction": "DESC"}]},
    ),
    (
        "query ($o: [PurchaseOrderOrder!]) { purchaseOrders(orderBy: $o) { nodes { id } } }",
        {"o": [{"field": "STATUS"}]},
        {"o": [{"field": "STATUS"}, {"field": "CURRENCY"}]},
    ),
    ("query ($a: Int, $b: Int) { purchaseOrders(first: $a, last: $b) { nodes { id } } }", {"a": 1}, {"b": 1}),
]
PAIRS = [
    ("{ purchaseOrders { nodes { id } } }", "{ purchaseOrders { nodes { a: id } } }"),
    ("{ purchaseOrders { nodes { id status } } }", "{ purchaseOrders { nodes { status id } } }"),
    ("{ purchaseOrders { nodes { id } } }", "{ purchaseOrders { nodes { id } totalCount } }"),
    ("{ purchaseOrders { nodes { a: orderNumber } } }", "{ purchaseOrders { nodes { a: currency } } }"),
    ("{ purchaseOrders { nodes { id } } }", "{ purchaseOrders { edges { node { id } } } }"),
    ("{ vendors { nodes { id } } }", "{ items { nodes { id } } }"),
    (
        "{ vendors { nodes { purchaseOrders(first: 1) { totalCount } } } }",
        "{ vendors { nodes { purchaseOrders(last: 1) { totalCount } } } }",
    ),
]


@pytest.fixture
async def emptied(shelf: Shelf) -> AsyncIterator[Shelf]:
    """A shelf of one order, and an empty cache."""
    async with shelf.database.write(shelf.own) as session:
        await make_purchase_order(session, scope=shelf.own, order_number="a", order_date=None)
    compiled.cache_clear()
    yield shelf
    compiled.cache_clear()


async def statements(shelf: Shelf, *asked: tuple[str, dict[str, Any]], key: str | None = None) -> list[str]:
    """Ask for several things; gives the SQL of each."""
    with watched() as seen:
        for query, variables in asked:
            await shelf.gql(query, key=key, **variables)
    return seen.data


@pytest.mark.parametrize(("query", "one", "other"), TWICE)
async def test_equal_shapes_share_one_statement(
    emptied: Shelf, query: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    first, second = await statements(emptied, (query, one), (query.replace("{", "{ ", 1), other))

    assert first == second
    assert (compiled.cache_info().misses, compiled.cache_info().hits) == (1, 1)


@pytest.mark.parametrize(("query", "one", "other"), DIFFERENT)
async def test_variables_that_change_the_sql_have_entries_of_their_own(
    emptied: Shelf, query: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    told = await statements(emptied, *[(query, variables) for variables in (one, other, one, other)])

    assert told[0] != told[1]
    assert told[:2] == told[2:]
    assert compiled.cache_info().currsize == 2


@pytest.mark.parametrize(("one", "other"), PAIRS)
async def test_selections_that_differ_have_entries_of_their_own(emptied: Shelf, one: str, other: str) -> None:
    told = await statements(emptied, (one, {}), (other, {}))

    assert told[0] != told[1]
    assert compiled.cache_info().currsize == 2


async def test_a_null_in_a_cursor_has_an_entry_of_its_own(emptied: Shelf) -> None:
    async with emptied.database.write(emptied.own) as session:
        await make_purchase_order(session, scope=emptied.own, source_id="2", order_number="b", order_date="2026-01-01")
    query = """query ($after: String) { purchaseOrders(after: $after, orderBy: [{field: ORDER_DATE}]) {
        edges { cursor } nodes { orderNumber } } }"""
    dated, empty = [edge["cursor"] for edge in (await emptied.gql(query))["purchaseOrders"]["edges"]]

    told = await statements(emptied, (query, {"after": dated}), (query, {"after": empty}))

    assert told[0] != told[1]
    assert (await emptied.gql(query, after=dated))["purchaseOrders"]["nodes"] == [{"orderNumber": "a"}]
    assert (await emptied.gql(query, after=empty))["purchaseOrders"]["nodes"] == []


async def test_one_connection_and_all_have_entries_of_their_own(emptied: Shelf) -> None:
    query, key = "query ($id: ID) { purchaseOrders(connectionId: $id) { totalCount } }", emptied.product.key

    everything, named = await statements(emptied, (query, {}), (query, {"id": emptied.connection_id}), key=key)
    [by_token] = await statements(emptied, (query, {}))
    [named_by_token] = await statements(emptied, (query, {"id": emptied.connection_id}))

    assert len({everything, named, by_token}) == 3
    assert named_by_token == named
    assert compiled.cache_info().currsize == 3


async def test_values_of_callers_are_never_in_a_statement(emptied: Shelf) -> None:
    query = """query ($f: PurchaseOrderFilter, $n: Int) { purchaseOrders(filter: $f, first: $n) { nodes { id } } }"""
    marked = {
        "orderNumber": {"eq": "MARK1", "prefix": "MARK2", "in": ["MARK3"]},
        "lines": {"itemCode": {"eq": "MARK4"}},
    }

    [told] = await statements(emptied, (query, {"f": marked, "n": 137}))

    assert "MARK" not in told
    assert "137" not in told


async def test_answers_stay_right_while_entries_are_evicted(emptied: Shelf) -> None:
    """More distinct documents than the parser's cache holds (1,024), with more lists than the SQL cache holds."""
    names = ["orderNumber", "status", "currency", "__typename"]
    values = ["a", "APPROVED", None, "PurchaseOrder"]

    async def ask(n: int) -> None:
        lists = [2 * n, 2 * n + 1]
        told = await emptied.gql(
            "{ " + " ".join(f"l{m}: purchaseOrders {{ nodes {{ f{m}: {names[m % 4]} }} }}" for m in lists) + " }"
        )
        assert told == {f"l{m}": {"nodes": [{f"f{m}": values[m % 4]}]} for m in lists}

    for n in range(1100):
        await ask(n)
        if n % 25 == 0:
            await ask(n // 2)
    full = compiled.cache_info()
    for n in (0, 1, 1099):
        await ask(n)

    assert (full.currsize, full.maxsize, full.misses) == (2048, 2048, 2200)
    assert compiled.cache_info().misses == 2204
