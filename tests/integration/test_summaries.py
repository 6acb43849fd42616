"""Records counted and summed by groups: what is of different currencies or units is never added."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from db.models.registry import ENTITIES
from db.shapes import SHAPES
from db.summaries import MOST
from tests.factories.inventory import make_inventory_level
from tests.factories.parties import make_vendor
from tests.factories.purchasing import make_purchase_order
from tests.fixtures.reading import Shelf, watched

SUMMARY = """
query ($connection: ID, $filter: PurchaseOrderFilter, $by: [PurchaseOrderGroup!]!) {
  purchaseOrderSummary(connectionId: $connection, filter: $filter, groupBy: $by) {
    count status month currency vendor { name } connection { id }
    amounts { currency count totalNet totalTax } } }
"""


async def filled(shelf: Shelf) -> None:
    async with shelf.database.write(shelf.own) as session:
        await make_vendor(session, scope=shelf.own, source_id="v1", name="One")
        rows: list[dict[str, Any]] = [
            {"status": "SENT", "currency": "EUR", "total_net": Decimal("0.1"), "order_date": "2026-05-31"},
            {"status": "SENT", "currency": "EUR", "total_net": Decimal("0.20"), "order_date": "2026-05-01"},
            {"status": "SENT", "currency": "USD", "total_net": Decimal(7), "order_date": "2026-06-01"},
            {"status": "SENT", "currency": None, "total_net": None, "order_date": None},
            {"status": "DRAFT", "currency": "USD", "total_net": Decimal(5), "vendor_source_id": "v1"},
            {"status": "DRAFT", "currency": "EUR", "total_net": Decimal("1E+3"), "vendor_source_id": "nowhere"},
        ]
        for number, row in enumerate(rows):
            await make_purchase_order(session, scope=shelf.own, source_id=str(number), **row)
        gone = await make_purchase_order(session, scope=shelf.own, source_id="gone")
        await session.execute(text("UPDATE purchase_order SET deleted_at = now() WHERE id = :id"), {"id": gone.id})


async def summary(shelf: Shelf, *by: str, key: str | None = None, **asked: Any) -> Any:
    return (await shelf.gql(SUMMARY, key=key, by=list(by), **asked))["purchaseOrderSummary"]


def amount(currency: str | None, count: int, net: str | None) -> dict[str, Any]:
    return {"currency": currency, "count": count, "totalNet": net, "totalTax": None}


async def test_sums_of_one_group_stand_apart_by_currency(shelf: Shelf) -> None:
    """In one statement. To see it fail, leave `per` out of the groups of `db.summaries._rows`."""
    await filled(shelf)

    with watched() as seen:
        groups = await summary(shelf, "STATUS")

    assert len(seen.data) == 1
    assert [(group["status"], group["count"]) for group in groups] == [("SENT", 4), ("DRAFT", 2)]
    assert [group["amounts"] for group in groups] == [
        [amount("EUR", 2, "0.30"), amount("USD", 1, "7"), amount(None, 1, None)],
        [amount("EUR", 1, "1000"), amount("USD", 1, "5")],
    ]
    assert {(group["month"], group["currency"], group["vendor"]) for group in groups} == {(None, None, None)}


async def test_groups_go_by_month_vendor_and_connection(shelf: Shelf) -> None:
    await filled(shelf)
    months = await summary(shelf, "MONTH")
    vendors = await summary(shelf, "VENDOR", filter={"status": {"eq": "DRAFT"}})
    both = await summary(shelf, "CONNECTION", "CURRENCY", key=shelf.product.key)

    assert [(group["month"], group["count"]) for group in months] == [
        (None, 3),
        ("2026-05-01", 2),
        ("2026-06-01", 1),
    ]
    assert [group["vendor"] for group in vendors] == [None, {"name": "One"}]
    assert [(group["connection"], group["currency"], group["count"]) for group in both] == [
        ({"id": shelf.connection_id}, "EUR", 3),
        ({"id": shelf.connection_id}, "USD", 2),
        ({"id": shelf.connection_id}, None, 1),
    ]


async def test_what_groups_do_not_go_by_is_null_whatever_is_selected_of_it(shelf: Shelf) -> None:
    await filled(shelf)
    asked = (
        "{ purchaseOrderSummary(groupBy: [STATUS]) {"
        " status vendor { purchaseOrders(first: 3, filter: { status: { eq: SENT } }) { totalCount } } } }"
    )

    groups = (await shelf.gql(asked))["purchaseOrderSummary"]

    assert groups == [{"status": "SENT", "vendor": None}, {"status": "DRAFT", "vendor": None}]


async def test_without_groups_all_are_counted_together_and_nothing_is_a_zero(shelf: Shelf) -> None:
    assert [(group["count"], group["amounts"]) for group in await summary(shelf)] == [(0, [])]
    await filled(shelf)

    (group,) = await summary(shelf)

    assert (group["count"], len(group["amounts"])) == (6, 3)


async def test_a_token_counts_its_own_records_only(shelf: Shelf) -> None:
    """To see it fail, leave the scope out of `db.summaries` and turn row-level security off."""
    other, token = await shelf.connect()
    await filled(shelf)
    async with shelf.database.write(other) as session:
        await make_purchase_order(session, scope=other, source_id="x")

    assert [(await summary(shelf, key=key))[0]["count"] for key in (shelf.token, token, shelf.product.key)] == [6, 1, 7]
    named = await summary(shelf, key=shelf.product.key, connection=shelf.connection_id)
    assert named[0]["count"] == 6
    assert (await shelf.refusal(SUMMARY, by=[], connection="conn_" + "0" * 32))[0] == "NOT_FOUND"


async def test_more_groups_than_can_be_told_are_refused(shelf: Shelf) -> None:
    told = {"id": "uuidv7()", "source_id": "'n' || n", "company": "'c' || n"}
    names = [column.name for column in _columns() if column.computed is None]
    more = (
        f"INSERT INTO purchase_order ({', '.join(names)}) SELECT {', '.join(told.get(n, f'p.{n}') for n in names)}"
        " FROM purchase_order p, generate_series(1, :groups) n"
    )
    many = "{ purchaseOrderSummary(groupBy: [COMPANY]) { count } }"
    async with shelf.database.write(shelf.own) as session:
        await make_purchase_order(session, scope=shelf.own, source_id="first")
        await session.execute(text(more), {"groups": MOST - 1})
    assert len((await shelf.gql(many))["purchaseOrderSummary"]) == MOST
    async with shelf.database.write(shelf.own) as session:
        await make_purchase_order(session, scope=shelf.own, source_id="one more", company="another")

    code, message = await shelf.refusal(many)

    assert (code, message.startswith("The request has more than 1,000 groups")) == ("QUERY_TOO_COMPLEX", True)


def _columns() -> Any:
    return next(spec for spec in ENTITIES if spec.type_name == "PurchaseOrder").table.__table__.columns  # type: ignore[attr-defined]


async def test_quantities_of_different_units_are_never_added(shelf: Shelf) -> None:
    async with shelf.database.write(shelf.own) as session:
        for number, unit in enumerate(["KGM", "KGM", "C62", None]):
            values = {"item_code": "i", "unit": unit, "on_hand": Decimal("1.5")}
            await make_inventory_level(session, scope=shelf.own, source_id=str(number), **values)
    asked = "{ inventoryLevelSummary(groupBy: []) { count amounts { unit count onHand available } } }"

    (group,) = (await shelf.gql(asked))["inventoryLevelSummary"]

    assert [(each["unit"], each["count"], each["onHand"]) for each in group["amounts"]] == [
        ("C62", 1, "1.5"),
        ("KGM", 2, "3.0"),
        (None, 1, "1.5"),
    ]


@pytest.mark.parametrize("name", [spec.type_name for spec in ENTITIES])
async def test_every_entity_can_be_counted_by_each_of_its_groups(shelf: Shelf, name: str) -> None:
    found = SHAPES[name].summary
    assert found is not None
    root = f"{name[0].lower()}{name[1:]}Summary"
    for group in found.groups:
        data = await shelf.gql(f"{{ {root}(groupBy: [{group.upper()}]) {{ __typename count }} }}")
        assert data == {root: []}
