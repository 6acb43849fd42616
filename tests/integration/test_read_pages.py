"""Relay lists: whole, in order, no row twice, whatever the page size, the order and the changes in between."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories.parties import make_vendor
from tests.factories.purchasing import make_purchase_order
from tests.fixtures.orders import FIELDS, SIZE, SORTABLE, Order, Row, fill, in_order, order_by
from tests.fixtures.reading import Shelf

PAGE = f"""
query ($first: Int, $after: String, $last: Int, $before: String, $orderBy: [PurchaseOrderOrder!]) {{
  purchaseOrders(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy) {{
    totalCount
    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
    edges {{ cursor node {{ {FIELDS} }} }}
    nodes {{ id }}
  }}
}}
"""
Walk = Callable[[Shelf, int, Sequence[Order]], Awaitable[list[str]]]
DIRECTIONS = ["ASC", "DESC"]
ORDERS = st.lists(
    st.tuples(st.sampled_from(SORTABLE), st.sampled_from(DIRECTIONS)), max_size=3, unique_by=lambda s: s[0]
)
ON_ONE_SHELF = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
async def rows(shelf: Shelf) -> list[Row]:
    """Orders with ties and nulls on the shelf."""
    return await fill(shelf)


async def page(shelf: Shelf, **arguments: Any) -> dict[str, Any]:
    """Read one page."""
    told: dict[str, Any] = (await shelf.gql(PAGE, **arguments))["purchaseOrders"]
    cursors, info = [edge["cursor"] for edge in told["edges"]], told["pageInfo"]
    assert [edge["node"]["id"] for edge in told["edges"]] == [node["id"] for node in told["nodes"]]
    assert (info["startCursor"], info["endCursor"]) == ((cursors[0], cursors[-1]) if cursors else (None, None))
    return told


async def forward(shelf: Shelf, size: int, order: Sequence[Order]) -> list[str]:
    """Read a list from its beginning; gives the ids in the order they came."""
    found: list[str] = []
    after = None
    while True:
        told = await page(shelf, first=size, after=after, orderBy=order_by(order))
        found += [node["id"] for node in told["nodes"]]
        assert told["pageInfo"]["hasPreviousPage"] is (after is not None)
        assert len(told["nodes"]) == min(size, SIZE - len(found) + len(told["nodes"]))
        after = told["pageInfo"]["endCursor"]
        if not told["pageInfo"]["hasNextPage"]:
            return found


async def backward(shelf: Shelf, size: int, order: Sequence[Order]) -> list[str]:
    """Read a list from its end; gives the ids in the list's order."""
    found: list[str] = []
    before = None
    while True:
        told = await page(shelf, last=size, before=before, orderBy=order_by(order))
        found = [node["id"] for node in told["nodes"]] + found
        assert told["pageInfo"]["hasNextPage"] is (before is not None)
        before = told["pageInfo"]["startCursor"]
        if not told["pageInfo"]["hasPreviousPage"]:
            return found


def ids(rows: Sequence[Row]) -> list[str]:
    return [row["id"] for row in rows]


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("walk", [forward, backward])
async def test_pages_of_every_sort_key_are_the_whole_list(
    shelf: Shelf, rows: list[Row], walk: Walk, direction: str
) -> None:
    for name in SORTABLE:
        assert await walk(shelf, 5, [(name, direction)]) == ids(in_order(rows, [(name, direction)])), name


@ON_ONE_SHELF
@given(size=st.integers(2, SIZE + 1), order=ORDERS, walk=st.sampled_from([forward, backward]))
async def test_pages_of_any_size_and_order_are_the_whole_list(
    shelf: Shelf, rows: list[Row], size: int, order: list[Order], walk: Walk
) -> None:
    assert await walk(shelf, size, order) == ids(in_order(rows, order))


@pytest.mark.usefixtures("rows")
async def test_a_page_of_nothing_still_tells_of_its_list(shelf: Shelf) -> None:
    told = [await page(shelf, first=0), await page(shelf, last=0)]

    assert [each["nodes"] for each in told] == [[], []]
    assert [each["totalCount"] for each in told] == [SIZE, SIZE]
    assert [(each["pageInfo"]["hasNextPage"], each["pageInfo"]["hasPreviousPage"]) for each in told] == [
        (True, False),
        (False, True),
    ]


async def test_a_page_holds_at_most_250_and_50_unasked(shelf: Shelf) -> None:
    async with shelf.database.write(shelf.own) as session:
        for n in range(252):
            await make_purchase_order(session, scope=shelf.own, source_id=str(n))

    sizes = [await page(shelf), await page(shelf, first=250), await page(shelf, last=250)]
    refused = [await shelf.refusal(PAGE, **{name: n}) for name in ("first", "last") for n in (251, -1)]

    assert [len(each["nodes"]) for each in sizes] == [50, 250, 250]
    assert [each["totalCount"] for each in sizes] == [252] * 3
    assert refused == [
        ("BAD_USER_INPUT", "first must be 0 to 250."),
        ("BAD_USER_INPUT", "first must be 0 to 250."),
        ("BAD_USER_INPUT", "last must be 0 to 250."),
        ("BAD_USER_INPUT", "last must be 0 to 250."),
    ]


@pytest.mark.parametrize(
    "names",
    [("first", "last"), ("after", "before"), ("first", "before"), ("last", "after"), ("first", "last", "after")],
)
@pytest.mark.usefixtures("rows")
async def test_directions_are_not_mixed(shelf: Shelf, names: tuple[str, ...]) -> None:
    cursor = (await page(shelf, first=1))["pageInfo"]["endCursor"]

    code, _ = await shelf.refusal(PAGE, **{name: 5 if name in {"first", "last"} else cursor for name in names})

    assert code == "BAD_USER_INPUT"


async def test_an_order_names_a_field_once(shelf: Shelf) -> None:
    code, message = await shelf.refusal(PAGE, orderBy=order_by([("status", "ASC"), ("status", "DESC")]))

    assert code == "BAD_USER_INPUT"
    assert "STATUS" in message


async def test_an_order_has_five_keys_at_most(shelf: Shelf, rows: list[Row]) -> None:
    five: list[Order] = [(name, "DESC") for name in ("status", "currency", "order_date", "required_date", "total_net")]

    assert await forward(shelf, 5, five) == ids(in_order(rows, five))
    refused = await shelf.refusal(PAGE, orderBy=order_by([*five, ("order_number", "ASC")]))
    assert refused == ("BAD_USER_INPUT", "orderBy takes at most 5 keys.")


async def test_the_tie_break_may_be_named(shelf: Shelf, rows: list[Row]) -> None:
    order = [("status", "ASC"), ("id", "DESC"), ("currency", "ASC")]

    assert await forward(shelf, 7, order) == ids(in_order(rows, order[:2]))


@pytest.mark.usefixtures("rows")
async def test_total_count_is_of_the_whole_list_on_every_page(shelf: Shelf) -> None:
    query = """query ($after: String) { purchaseOrders(first: 2, after: $after, filter: {currency: {eq: "EUR"}}) {
      totalCount pageInfo { endCursor } } }"""

    first = (await shelf.gql(query))["purchaseOrders"]
    second = (await shelf.gql(query, after=first["pageInfo"]["endCursor"]))["purchaseOrders"]

    assert first["totalCount"] == second["totalCount"] == SIZE // 3


async def test_page_info_says_which_way_more_lie(shelf: Shelf, rows: list[Row]) -> None:
    middle = (await page(shelf, first=SIZE - 4))["pageInfo"]["endCursor"]

    on = await page(shelf, first=3, after=middle)
    end = await page(shelf, first=4, after=middle)
    back = await page(shelf, last=SIZE - 5, before=middle)

    assert ids(on["nodes"]) == ids(in_order(rows, [])[-4:-1])
    assert [(each["pageInfo"]["hasPreviousPage"], each["pageInfo"]["hasNextPage"]) for each in (on, end, back)] == [
        (True, True),
        (True, False),
        (False, True),
    ]


async def test_a_nested_list_is_paged_by_its_own_cursor(shelf: Shelf) -> None:
    async with shelf.database.write(shelf.own) as session:
        await make_vendor(session, scope=shelf.own, source_id="v")
        for n in range(5):
            vendor = "v" if n != 2 else "other"
            await make_purchase_order(
                session, scope=shelf.own, source_id=str(n), order_number=str(n), vendor_source_id=vendor
            )
    query = """query ($after: String) { vendors { nodes { purchaseOrders(first: 2, after: $after, orderBy: [
        {field: ORDER_NUMBER, direction: DESC}]) { totalCount pageInfo { endCursor hasNextPage } nodes { orderNumber }
      } } } }"""

    async def nested(after: str | None) -> dict[str, Any]:
        [vendor] = (await shelf.gql(query, after=after))["vendors"]["nodes"]
        told: dict[str, Any] = vendor["purchaseOrders"]
        return told

    first = await nested(None)
    second = await nested(first["pageInfo"]["endCursor"])

    assert [node["orderNumber"] for node in first["nodes"] + second["nodes"]] == ["4", "3", "1", "0"]
    assert [first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]] == [True, False]
    assert first["totalCount"] == 4
