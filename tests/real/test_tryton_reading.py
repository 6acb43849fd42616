"""The connector reads a real Tryton: check, feeds, windows, pages."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from connectors.base import Window
from connectors.errors import AuthError, ConfigError, SourceUnavailable
from connectors.mapping import project
from connectors.tryton.client import PAGE_SIZE
from connectors.tryton.connector import TRYTON
from connectors.tryton.fields import OVERLAP
from crosshead.embedded.postgres import EmbeddedPostgres
from db.models.purchasing.purchase_order import LineKind, PurchaseOrderStatus
from db.types import Entity
from sandbox.tryton import catalogue
from sandbox.tryton.client import TrytonClient
from sandbox.tryton.orders import ORDER_COUNT, Order, orders
from sandbox.tryton.server import TrytonServer
from tests.real.tryton_parts import FEEDS, draft, ids, line_ids, order, record, source, stamp, whole

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("tryton")]

STATUSES = {
    "draft": PurchaseOrderStatus.DRAFT,
    "quotation": PurchaseOrderStatus.PENDING_APPROVAL,
    "cancelled_draft": PurchaseOrderStatus.CANCELLED,
    "cancelled_quotation": PurchaseOrderStatus.CANCELLED,
    "confirmed": PurchaseOrderStatus.APPROVED,
    "waiting": PurchaseOrderStatus.APPROVED,
    "partly_received": PurchaseOrderStatus.PARTIALLY_RECEIVED,
    "received": PurchaseOrderStatus.RECEIVED,
    "done": PurchaseOrderStatus.CLOSED,
}


def seeded() -> dict[str, Order]:
    """The orders that the sandbox seeded this week, by reference."""
    today = datetime.now(UTC).date()
    monday = today - timedelta(days=today.weekday())
    return {planned.reference: planned for planned in orders(catalogue.products(), anchor=monday, terms=3)}


async def test_a_good_connection_passes_the_check(tryton_server: TrytonServer) -> None:
    async with source(tryton_server) as opened:
        checked = await opened.check()

    assert checked.facts["company"] == "Demo Works"
    assert checked.facts["version"].startswith("7.4.")
    assert checked.refused == {}


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"password": SecretStr("wrong")}, AuthError, "user name or the password"),
        ({"username": "nobody"}, AuthError, "user name or the password"),
        ({"database": "no_such_database"}, ConfigError, "no database named 'no_such_database'"),
        ({"base_url": "http://127.0.0.1:1"}, SourceUnavailable, "refuses connections"),
    ],
)
async def test_each_wrong_credential_has_its_own_error(
    tryton_server: TrytonServer, changes: dict[str, Any], kind: type[Exception], words: str
) -> None:
    async with source(tryton_server, **changes) as opened:
        with pytest.raises(kind, match=words):
            await opened.check()


async def test_an_address_with_a_path_too_much_is_told(tryton_server: TrytonServer) -> None:
    async with source(tryton_server, base_url=f"{tryton_server.url}/{tryton_server.database}") as opened:
        with pytest.raises(ConfigError, match="leave the database out"):
            await opened.check()


async def test_a_user_without_purchasing_is_told_per_entity(tryton_server: TrytonServer) -> None:
    password = SecretStr(tryton_server.limited_password)
    async with source(tryton_server, username=tryton_server.limited_username, password=password) as opened:
        checked = await opened.check()

    assert set(checked.refused) == {Entity.PURCHASE_ORDER, Entity.WORK_ORDER}
    refused = {(entity.value, operation.value) for entity, operation in checked.unwritable}
    assert {(entity, operation) for entity, operation in refused if entity != "VENDOR"} == {
        *(("PURCHASE_ORDER", name) for name in ("CREATE", "UPDATE", "CANCEL", "DELETE")),
        *(("WORK_ORDER", name) for name in ("CREATE", "UPDATE")),
        ("INVENTORY_LEVEL", "ADJUST"),
    }
    assert checked.refused[Entity.PURCHASE_ORDER].startswith('You are not allowed to access "Purchase".')


async def test_a_user_without_a_company_cannot_be_connected(
    tryton_server: TrytonServer, tryton_client: TrytonClient
) -> None:
    login = {"name": "No Company", "login": "homeless", "password": "sandbox-homeless-7q"}
    user: dict[str, Any] = {**login, "company": None, "companies": []}
    tryton_client.call("res.user", "create", [user])

    async with source(tryton_server, username="homeless", password=SecretStr("sandbox-homeless-7q")) as opened:
        with pytest.raises(ConfigError, match="no company"):
            await opened.check()


async def test_the_clock_is_the_servers(tryton_server: TrytonServer) -> None:
    async with source(tryton_server) as opened:
        now = await opened.clock()

    assert now.tzinfo is UTC
    assert abs((now - datetime.now(UTC)).total_seconds()) < 5


async def test_the_first_read_holds_every_seeded_order(tryton_server: TrytonServer) -> None:
    async with source(tryton_server) as opened:
        pages = await whole(opened, FEEDS["orders"])

    found = {item.source_id: record(item) for page in pages for item in page.items}
    assert sum(len(page.items) for page in pages) == len(found) == pages[0].total
    by_reference = {one.vendor_reference: one for one in found.values() if one.vendor_reference in seeded()}
    assert len(by_reference) == ORDER_COUNT
    for reference, planned in seeded().items():
        read = by_reference[reference]
        assert read.status is STATUSES[planned.fate], reference
        assert (read.order_date, read.currency) == (planned.purchase_on, planned.currency)
        assert [line.quantity for line in read.lines] == [
            None if line.quantity is None else Decimal(str(line.quantity)) for line in planned.lines
        ]
        assert [line.unit_price for line in read.lines] == [line.unit_price for line in planned.lines]
        assert [line.kind is LineKind.COMMENT for line in read.lines] == [
            not line.product_code for line in planned.lines
        ]


async def test_pages_end_at_their_border_and_resume_behind_it(
    tryton_server: TrytonServer, tryton_client: TrytonClient
) -> None:
    for _ in range(3):
        draft(tryton_client)
    async with source(tryton_server) as opened:
        first, *rest = await whole(opened, FEEDS["orders"])
        assert first.position is not None
        resumed = [page async for page in opened.read(FEEDS["orders"], window=Window(), position=first.position)]

    assert len(first.items) == PAGE_SIZE
    assert first.position == {"after_id": int(first.items[-1].source_id), "total": first.total}
    assert rest[-1].position is None
    assert [item.source_id for page in resumed for item in page.items] == [
        item.source_id for page in rest for item in page.items
    ]


async def test_vendors_are_all_parties(tryton_server: TrytonServer) -> None:
    async with source(tryton_server) as opened:
        pages = await whole(opened, FEEDS["parties"])

    numbers = Counter(item.body["code"] for page in pages for item in page.items)
    assert {party.code for party in catalogue.parties()} | {"OWN"} <= set(numbers)
    assert max(numbers.values()) == 1
    by_code = {item.body["code"]: item for page in pages for item in page.items}
    vendor = project(TRYTON.mappings[Entity.VENDOR], by_code["V-005"].body, units={}).model_dump()
    assert (vendor["name"], vendor["email"]) == ("Demo Vendor 05 GmbH", "orders-005@vendor.example")
    assert (vendor["addresses"][0]["lines"], vendor["addresses"][0]["country"]) == (["Musterstraße 5"], "DE")


async def test_the_period_bounds_documents_and_drafts_without_a_date_count_from_their_making(
    tryton_server: TrytonServer, tryton_client: TrytonClient
) -> None:
    undated = draft(tryton_client)
    tryton_client.call("purchase.purchase", "write", [int(undated)], {"purchase_date": None})
    start = max(planned.purchase_on for planned in seeded().values()) - timedelta(days=10)
    async with source(tryton_server) as opened:
        pages = await whole(opened, FEEDS["orders"], Window(period_start=start))
        none = await whole(opened, FEEDS["orders"], Window(period_start=date(2999, 1, 1)))

    found = {item.source_id: item.body for page in pages for item in page.items}
    expected = {reference for reference, planned in seeded().items() if planned.purchase_on >= start}
    assert {body["reference"] for body in found.values()} & set(seeded()) == expected
    assert undated in found
    assert [page.items for page in none] == [()]


async def test_a_change_of_the_head_is_found_by_the_orders_feed_only(
    tryton_server: TrytonServer, tryton_client: TrytonClient
) -> None:
    changed, untouched = draft(tryton_client), draft(tryton_client)
    tryton_client.call("purchase.purchase", "write", [int(changed)], {"comment": "new"})
    since = stamp(tryton_client, changed)
    async with source(tryton_server) as opened:
        by_head, by_lines = await ids(opened, "orders", since), await ids(opened, "lines", since)

    assert changed in by_head
    assert untouched not in by_head
    assert changed not in by_lines


async def test_a_change_of_a_line_is_found_by_the_lines_feed_only(
    tryton_server: TrytonServer, tryton_client: TrytonClient
) -> None:
    changed, untouched = draft(tryton_client), draft(tryton_client)
    [line] = line_ids(tryton_client, changed)
    tryton_client.call("purchase.line", "write", [line], {"quantity": 5.0})
    [row] = tryton_client.call("purchase.line", "read", [line], ["write_date"])
    since = row["write_date"].replace(tzinfo=UTC)
    async with source(tryton_server) as opened:
        by_head, by_lines = await ids(opened, "orders", since), await ids(opened, "lines", since)
        [item] = await opened.fetch(Entity.PURCHASE_ORDER, [changed])

    assert changed not in by_head
    assert changed in by_lines
    assert untouched not in by_lines
    assert item.updated_at == since
    assert record(item).lines[0].quantity == 5


async def test_a_line_removed_through_the_head_moves_the_head(
    tryton_server: TrytonServer, tryton_client: TrytonClient
) -> None:
    changed = draft(tryton_client, lines=2)
    first, _ = line_ids(tryton_client, changed)
    tryton_client.call("purchase.purchase", "write", [int(changed)], {"lines": [["delete", [first]]]})
    async with source(tryton_server) as opened:
        assert changed in await ids(opened, "orders", stamp(tryton_client, changed))
        assert len((await order(opened, changed)).lines) == 1


async def test_a_further_receipt_is_found_by_its_own_feed(
    tryton_server: TrytonServer, tryton_client: TrytonClient
) -> None:
    """The head keeps its stamp when a second part comes: it was partly received before."""
    changed = draft(tryton_client, lines=1)
    for button in ("quote", "confirm"):
        tryton_client.call("purchase.purchase", button, [int(changed)])
    [row] = tryton_client.call("purchase.purchase", "read", [int(changed)], ["moves"])
    [move] = row["moves"]
    tryton_client.call("stock.move", "write", [move], {"quantity": 3.0})
    [row] = tryton_client.call("stock.move", "read", [move], ["write_date"])
    since = row["write_date"].replace(tzinfo=UTC)
    async with source(tryton_server) as opened:
        assert changed in await ids(opened, "receipts", since)
        assert changed not in await ids(opened, "orders", since)


@pytest.mark.parametrize(
    ("feed", "model", "values"),
    [
        ("addresses", "party.address", {"city": "Newtown"}),
        ("contacts", "party.contact_mechanism", {"type": "phone", "value": "+49 30 1234567"}),
        ("identifiers", "party.identifier", {"code": "ID-1"}),
    ],
)
async def test_parts_of_a_vendor_are_found_by_their_own_feed(
    tryton_server: TrytonServer, tryton_client: TrytonClient, feed: str, model: str, values: dict[str, Any]
) -> None:
    """The party's own stamp does not move with its parts."""
    [party] = tryton_client.call("party.party", "create", [{"name": f"Vendor with {feed}"}])
    [made] = tryton_client.call(model, "create", [{"party": party, **values}])
    [row] = tryton_client.call(model, "read", [made], ["create_date"])
    since = row["create_date"].replace(tzinfo=UTC)
    async with source(tryton_server) as opened:
        assert await ids(opened, feed, since) == {str(party)}
        assert str(party) not in await ids(opened, "parties", since)


async def test_a_retired_vendor_is_read_and_not_found_by_its_code(
    tryton_server: TrytonServer, tryton_client: TrytonClient
) -> None:
    [party] = tryton_client.call("party.party", "create", [{"name": "Retired Vendor", "code": "RETIRED"}])
    tryton_client.call("party.party", "write", [party], {"active": False})
    async with source(tryton_server) as opened:
        [item] = await opened.fetch(Entity.VENDOR, [str(party)])
        assert await opened.resolve("vendor", "RETIRED") == []

    assert item.body["active"] is False


async def test_a_change_committed_late_is_found_by_the_overlap(
    tryton_server: TrytonServer, tryton_client: TrytonClient, postgres_server: EmbeddedPostgres
) -> None:
    """Tryton stamps a change with the start of its transaction, so it comes to light behind the window's end."""
    late = draft(tryton_client)
    connection = await asyncpg.connect(postgres_server.superuser_dsn(tryton_server.database))
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            "UPDATE purchase_purchase SET comment = 'late', write_date = CURRENT_TIMESTAMP WHERE id = $1", int(late)
        )
        await asyncio.sleep(1.1)  # the clock that cuts windows counts seconds
        async with source(tryton_server) as opened:
            window_start = await opened.clock()
            before = await opened.fetch(Entity.PURCHASE_ORDER, [late])
            await transaction.commit()
            missed = await ids(opened, "orders", window_start)
            found = await ids(opened, "orders", window_start - OVERLAP)
    finally:
        await connection.close()

    assert before[0].body["comment"] is None
    assert late not in missed
    assert late in found


async def test_keys_that_do_not_exist_are_left_out(tryton_server: TrytonServer) -> None:
    async with source(tryton_server) as opened:
        found = await opened.fetch(Entity.PURCHASE_ORDER, ["1", "99999999", "no-key"])

    assert [item.source_id for item in found] == ["1"]


@pytest.mark.parametrize(
    ("kind", "code", "count"),
    [
        ("vendor", "V-001", 1),
        ("vendor", "Demo Vendor 05 GmbH", 1),
        ("vendor", "v-001", 0),
        ("vendor", "V-%", 0),
        ("vendor", "", 0),
        ("vendor", "Twice Named", 2),
        ("item", "ITEM-003", 1),
        ("item", "ITEM-999", 0),
        ("payment_terms", "Net 30", 1),
        ("payment_terms", "Net 31", 0),
        ("location", "WH", 1),
        ("location", "Warehouse", 1),
        ("location", "Nowhere", 0),
    ],
)
async def test_codes_resolve(
    tryton_server: TrytonServer, tryton_client: TrytonClient, kind: Any, code: str, count: int
) -> None:
    if code == "Twice Named" and not tryton_client.call("party.party", "search", [["name", "=", code]], 0, 1, None):
        tryton_client.call("party.party", "create", [{"name": code}, {"name": code}])
    async with source(tryton_server) as opened:
        assert len(await opened.resolve(kind, code)) == count
