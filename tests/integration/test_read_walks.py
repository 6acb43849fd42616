"""Walks through lists while rows are made, changed and deleted between the pages."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import col, delete, update

from db.models.purchasing.purchase_order import PurchaseOrder
from tests.factories.purchasing import make_purchase_order
from tests.fixtures.orders import Order, order_by
from tests.fixtures.reading import Shelf

PAGE: Final = """
query ($first: Int, $after: String, $last: Int, $before: String, $orderBy: [PurchaseOrderOrder!]) {
  purchaseOrders(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy) {
    totalCount pageInfo { hasNextPage hasPreviousPage } edges { cursor node { sourceId } } } }
"""
DAYS: Final = [None, date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)]
CURRENCIES: Final = [None, "EUR", "USD"]
RANKS: Final[dict[str, list[Any]]] = {"order_date": DAYS, "currency": CURRENCIES}
KEYS = st.fixed_dictionaries({"order_date": st.sampled_from(DAYS), "currency": st.sampled_from(CURRENCIES)})
CHANGES = st.lists(
    st.tuples(st.sampled_from(["insert", "update", "delete"]), KEYS, st.integers(0, 50)), min_size=1, max_size=3
)
DIRECTIONS = st.sampled_from(["ASC", "DESC"])
ORDERS = st.one_of(
    st.tuples(st.tuples(st.just("order_date"), DIRECTIONS)),
    st.tuples(st.tuples(st.just("order_date"), DIRECTIONS), st.tuples(st.just("currency"), DIRECTIONS)),
    st.tuples(st.tuples(st.just("currency"), DIRECTIONS), st.tuples(st.just("id"), DIRECTIONS)),
)
Values = dict[str, Any]
Place = list[tuple[int, int]]


@dataclass
class Model:
    """The rows that a list should hold: source id → values, with the number of its making, by which ids sort."""

    rows: dict[str, Values] = field(default_factory=dict)
    made: int = 0

    def place(self, values: Values, order: tuple[Order, ...]) -> Place:
        """Give where a row stands: nulls last ascending, first descending."""
        keys: Place = []
        for name, direction in order if order[-1][0] == "id" else (*order, ("id", order[-1][1])):
            value = values[name]
            rank = RANKS[name].index(value) if name != "id" else value
            down = -1 if direction == "DESC" else 1
            keys.append((down * (value is None), down * rank))
        return keys

    def beyond(self, place: Place | None, order: tuple[Order, ...], *, backward: bool) -> list[str]:
        """Give the rows strictly behind a place in reading direction, nearest first."""
        told = sorted((self.place(values, order), source_id) for source_id, values in self.rows.items())
        if backward:
            told.reverse()
        return [
            source_id for where, source_id in told if place is None or (where < place if backward else where > place)
        ]


async def change(shelf: Shelf, model: Model, what: str, keys: Values, n: int) -> None:
    """Make one change, in the store and in the model."""
    if what != "insert" and not model.rows:
        return
    async with shelf.database.write(shelf.own) as session:
        if what == "insert":
            source_id, model.made = f"r{model.made}", model.made + 1
            await make_purchase_order(session, scope=shelf.own, source_id=source_id, **keys)
            model.rows[source_id] = {**keys, "id": model.made}
            return
        source_id = list(model.rows)[n % len(model.rows)]
        values = keys if what == "update" else {"deleted_at": datetime(2026, 2, 1, tzinfo=UTC)}
        row = col(PurchaseOrder.source_id) == source_id
        await session.execute(update(PurchaseOrder).where(row).values(**values))
    if what == "update":
        model.rows[source_id] |= keys
    else:
        del model.rows[source_id]


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    begin=st.lists(KEYS, min_size=3, max_size=9),
    changes=st.lists(CHANGES, min_size=3, max_size=6),
    order=ORDERS,
    size=st.integers(1, 3),
    backward=st.booleans(),
)
async def test_each_page_is_what_stands_behind_the_cursor_by_then(
    shelf: Shelf,
    begin: list[Values],
    changes: list[list[tuple[str, Values, int]]],
    order: tuple[Order, ...],
    size: int,
    backward: bool,
) -> None:
    """Rows that nobody touches are told once, however many others come, go and move.

    To see it fail, leave the ranges of nulls out of `db.keysets._beyond`.
    """
    async with shelf.database.write(shelf.own) as session:
        await session.execute(delete(PurchaseOrder))
    model = Model()
    for keys in begin:
        await change(shelf, model, "insert", keys, 0)
    limit, behind = ("last", "before") if backward else ("first", "after")
    cursor, place = None, None

    for between in changes:
        asked: Values = {limit: size, behind: cursor, "orderBy": order_by(order)}
        told = (await shelf.gql(PAGE, **asked))["purchaseOrders"]
        expected = model.beyond(place, order, backward=backward)
        found = [edge["node"]["sourceId"] for edge in told["edges"]]
        assert found == (expected[:size][::-1] if backward else expected[:size])
        assert told["pageInfo"]["hasPreviousPage" if backward else "hasNextPage"] is (len(expected) > size)
        assert told["totalCount"] == len(model.rows)
        if not found:
            break
        nearest = 0 if backward else -1
        cursor, place = told["edges"][nearest]["cursor"], model.place(model.rows[found[nearest]], order)
        for what, keys, n in between:
            await change(shelf, model, what, keys, n)
