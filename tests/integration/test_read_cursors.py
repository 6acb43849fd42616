"""Cursors: a place in an order, right while rows change, and refused when they are anything else."""

import base64
from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import col, delete, update

from db.models.purchasing.purchase_order import PurchaseOrder
from tests.factories.parties import make_vendor
from tests.factories.purchasing import make_purchase_order
from tests.fixtures.reading import Shelf

PAGE = """
query ($first: Int, $after: String, $orderBy: [PurchaseOrderOrder!]) {
  purchaseOrders(first: $first, after: $after, orderBy: $orderBy) {
    pageInfo { endCursor hasNextPage } nodes { orderNumber } } }
"""
BY_NUMBER = [{"field": "ORDER_NUMBER", "direction": "ASC"}]
BY_DATE = [{"field": "ORDER_DATE", "direction": "ASC"}]
UUID_TEXT = "01a1fd15-968f-73ca-9844-21e22c052b81"
FUZZ = settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def packed(value: Any) -> str:
    """Pack a value as cursors are packed."""
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


def unpacked(cursor: str) -> Any:
    return orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))


async def page(shelf: Shelf, **arguments: Any) -> tuple[list[str], str]:
    """Read a page by order number; gives the numbers and the cursor to go on from."""
    told = (await shelf.gql(PAGE, **{"first": 2, "orderBy": BY_NUMBER, **arguments}))["purchaseOrders"]
    return [node["orderNumber"] for node in told["nodes"]], told["pageInfo"]["endCursor"]


async def add(shelf: Shelf, *numbers: str) -> None:
    async with shelf.database.write(shelf.own) as session:
        for number in numbers:
            await make_purchase_order(session, scope=shelf.own, source_id=f"o-{number}", order_number=number)


async def test_rows_added_between_pages_come_once_and_only_ahead(shelf: Shelf) -> None:
    await add(shelf, "10", "20", "30", "40")
    first, cursor = await page(shelf)

    await add(shelf, "15", "25")

    second, cursor = await page(shelf, after=cursor)
    third, _ = await page(shelf, after=cursor)
    assert [first, second, third] == [["10", "20"], ["25", "30"], ["40"]]


async def test_a_page_goes_on_where_the_cursor_stood_after_its_row_is_gone(shelf: Shelf) -> None:
    await add(shelf, "10", "20", "30", "40")
    _, cursor = await page(shelf)

    async with shelf.database.write(shelf.own) as session:
        await session.execute(delete(PurchaseOrder).where(col(PurchaseOrder.order_number).in_(["10", "20"])))

    assert (await page(shelf, after=cursor))[0] == ["30", "40"]


async def test_a_row_that_moved_ahead_is_told_where_it_now_stands(shelf: Shelf) -> None:
    await add(shelf, "10", "20", "30", "40")
    _, cursor = await page(shelf)

    async with shelf.database.write(shelf.own) as session:
        await session.execute(
            update(PurchaseOrder).where(col(PurchaseOrder.order_number) == "20").values(order_number="35")
        )

    assert (await page(shelf, after=cursor, first=5))[0] == ["30", "35", "40"]


async def test_a_cursor_holds_the_key_values_and_nothing_of_the_store(shelf: Shelf) -> None:
    await add(shelf, "10")
    _, cursor = await page(shelf)

    head, number, key = unpacked(cursor)

    assert (head, number, len(key)) == ("PurchaseOrder+order_number+id", "10", 36)


async def test_a_cursor_of_another_order_or_list_is_refused(shelf: Shelf) -> None:
    await add(shelf, "10", "20")
    async with shelf.database.write(shelf.own) as session:
        await make_vendor(session, scope=shelf.own)
    _, by_number = await page(shelf)
    _, by_id = await page(shelf, orderBy=None)
    down = [{"field": "ORDER_NUMBER", "direction": "DESC"}]
    vendors = (await shelf.gql("{ vendors { pageInfo { endCursor } } }"))["vendors"]["pageInfo"]["endCursor"]

    refused = [
        await shelf.refusal(PAGE, after=cursor, orderBy=order)
        for cursor, order in [
            (by_number, BY_DATE),
            (by_number, down),
            (by_number, None),
            (by_id, BY_NUMBER),
            (vendors, None),
        ]
    ]

    message = "The cursor belongs to another list or order; use cursors of the same list and orderBy."
    assert refused == [("BAD_USER_INPUT", message)] * 5


@pytest.mark.parametrize(
    "cursor", ["", "x", "====", "é", "\0", "a b", "e30", "bnVsbA", "W10", "MQ", "_-_-", "A" * 9000]
)
async def test_text_that_is_no_cursor_is_refused(shelf: Shelf, cursor: str) -> None:
    assert (await shelf.refusal(PAGE, after=cursor))[0] == "BAD_USER_INPUT"


NO_IDS: list[Any] = [None, 5, True, 1.5, [], {}, "", "x", "0", "\0", [UUID_TEXT]]
NO_TEXTS: list[Any] = [5, True, [], {}, ["x"], "a\0b", "\0"]
NO_DAYS: list[Any] = ["x", "", "2026-02-30", "infinity", "10000-01-01", "0000-01-01", 20260101, [2026, 1, 1], "2026\0"]
NO_INSTANTS: list[Any] = ["x", "now", 0, "2026-01-01T25:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
FORGED: list[tuple[str, list[dict[str, str]], list[Any]]] = [
    *(("PurchaseOrder+id", [], [key]) for key in NO_IDS),
    ("PurchaseOrder+id", [], []),
    ("PurchaseOrder+id", [], [UUID_TEXT, UUID_TEXT]),
    *(("PurchaseOrder+order_number+id", BY_NUMBER, [number, UUID_TEXT]) for number in NO_TEXTS),
    ("PurchaseOrder+order_number+id", BY_NUMBER, ["x", None]),
    ("PurchaseOrder+order_number+id", BY_NUMBER, [None, None]),
    *(("PurchaseOrder+order_date+id", BY_DATE, [day, UUID_TEXT]) for day in NO_DAYS),
    *(("PurchaseOrder+source_updated_at+id", [{"field": "SOURCE_UPDATED_AT"}], [at, UUID_TEXT]) for at in NO_INSTANTS),
    ("PurchaseOrder+status+id", [{"field": "STATUS"}], ["DRAFT\0", UUID_TEXT]),
    ("PurchaseOrder+status+id", [{"field": "STATUS"}], [None, UUID_TEXT]),
]


@pytest.mark.parametrize(("head", "order", "values"), FORGED)
async def test_a_forged_cursor_is_refused(
    shelf: Shelf, head: str, order: list[dict[str, str]], values: list[Any]
) -> None:
    assert (await shelf.refusal(PAGE, after=packed([head, *values]), orderBy=order))[0] == "BAD_USER_INPUT"


@pytest.mark.parametrize("priority", ["x", 3, 10**18, str(2**63), str(-(2**63) - 1), "9" * 5000, "1.5", "NaN"])
async def test_a_forged_number_is_refused(shelf: Shelf, priority: Any) -> None:
    query = "query ($after: String) { workOrders(after: $after, orderBy: [{field: PRIORITY}]) { nodes { id } } }"
    cursor = packed(["WorkOrder+priority+id", priority, UUID_TEXT])

    assert (await shelf.refusal(query, after=cursor))[0] == "BAD_USER_INPUT"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)
HEADS = {
    "PurchaseOrder+id": [],
    "PurchaseOrder+order_number+id": BY_NUMBER,
    "PurchaseOrder+order_date+id": BY_DATE,
    "PurchaseOrder+source_updated_at+id": [{"field": "SOURCE_UPDATED_AT"}],
}


@FUZZ
@given(head=st.sampled_from(sorted(HEADS)), values=st.lists(JSON, max_size=3), noise=st.binary(max_size=60))
async def test_no_cursor_is_an_error_of_ours(shelf: Shelf, head: str, values: list[Any], noise: bytes) -> None:
    for cursor in (packed([head, *values]), packed([head, *values, UUID_TEXT]), base64.b64encode(noise).decode()):
        status, body = await shelf.product.post(PAGE, key=shelf.token, after=cursor, orderBy=HEADS[head])

        codes = {error["extensions"]["code"] for error in body.get("errors", [])}
        assert (status, codes) in [(200, set()), (200, {"BAD_USER_INPUT"})]


async def test_a_cursor_may_stand_at_a_last_day(shelf: Shelf) -> None:
    """Systems write 9999-12-31 for "never"; the driver stores it as infinity."""
    days = [date(9999, 12, 31), date(1, 1, 1), date(9999, 12, 31), None, date(2026, 1, 1)]
    async with shelf.database.write(shelf.own) as session:
        for n, day in enumerate(days):
            await make_purchase_order(session, scope=shelf.own, source_id=str(n), order_number=str(n), order_date=day)
    told: list[str] = []
    cursor = None
    for _ in days:
        numbers, cursor = await page(shelf, first=1, orderBy=BY_DATE, after=cursor)
        told += numbers

    assert told == ["1", "4", "0", "2", "3"]
