"""The Odoo connector reads what real servers answered, 16.0 and 18.0."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Window
from connectors.egress import Egress
from connectors.mapping import project
from connectors.odoo.connector import ODOO
from connectors.odoo.forms import OdooCredentials, OdooWriteDefaults
from connectors.odoo.source import OdooSource
from db.models.purchasing.purchase_order import LineKind, PurchaseOrderStatus
from sandbox.odoo.recorded import Recorded
from tests.fixtures.egress import LOOPBACK

UNITS = ODOO.units(OdooWriteDefaults())


@asynccontextmanager
async def opened(name: str) -> AsyncIterator[OdooSource]:
    async with (
        Recorded(name).recording().serving() as told,
        Egress.open(guard=LOOPBACK) as egress,
        ODOO.open(OdooCredentials(**told), egress=egress) as source,
    ):
        yield source


async def records(name: str, feed_name: str) -> list[tuple[Any, Any]]:
    feed = next(feed for feed in ODOO.feeds if feed.name == feed_name)
    async with opened(name) as source:
        items = [item async for page in source.read(feed, window=Window(), position=None) for item in page.items]
    return [(item, project(ODOO.mappings[feed.entity], item.body, units=UNITS)) for item in items]


async def test_orders_of_16_with_their_lines() -> None:
    """Order 1: 500 bolts at 0.21, 20 at a price of 0.195 that Odoo rounded to 0.2, and a note."""
    item, order = (await records("odoo16", "orders"))[0]

    assert (item.source_id, item.updated_at) == ("1", datetime(2026, 11, 21, 2, 9, 8, tzinfo=UTC))
    assert item.dated_on == date(2026, 11, 20)
    assert (order.order_number, order.status, order.native_status) == ("P00001", PurchaseOrderStatus.DRAFT, "draft/no")
    assert (order.vendor_source_id, order.vendor_reference, order.currency) == ("7", "SUP-QUOTE-77", "EUR")
    assert (order.order_date, order.required_date) == (date(2026, 11, 20), date(2026, 12, 5))
    assert order.payment_terms.text == "30 Days"
    assert (order.total_net, order.total_tax) == (Decimal(109), Decimal(0))
    assert [(line.kind, line.quantity, line.unit_price, line.unit) for line in order.lines] == [
        (LineKind.ITEM, Decimal(500), Decimal("0.21"), "EA"),
        (LineKind.ITEM, Decimal(20), Decimal("0.2"), "EA"),
        (LineKind.COMMENT, None, None, None),
    ]
    assert [line.line_number for line in order.lines] == ["1", "2", "3"]
    assert [line.required_date for line in order.lines][:2] == [date(2026, 11, 27), date(2026, 12, 10)]


async def test_orders_of_18_are_in_another_currency() -> None:
    """A company's currency and its taxes are its own: nothing of them is taken for granted."""
    _, order = (await records("odoo18", "orders"))[0]

    assert (order.currency, order.total_net, order.total_gross) == ("USD", Decimal(109), Decimal("125.35"))
    assert [line.native_unit for line in order.lines] == ["Units", "Units"]


async def test_requests_of_16() -> None:
    _, request = (await records("odoo16", "requests"))[0]

    assert (request.title, request.description, request.type) == ("Spindle bearing noise", "check", "CORRECTIVE")
    assert (request.status, request.native_status, request.priority) == ("SCHEDULED", "New Request", 2)
    assert request.asset_source_id == "3"
    assert request.scheduled_start_at == datetime(2026, 11, 25, 8, tzinfo=UTC)


async def test_stock_of_16_has_a_key_that_outlives_its_rows() -> None:
    [row] = Recorded("odoo16").result("stock.quant", "search_read")
    [(item, level)] = await records("odoo16", "stock")

    assert row["id"] == 2
    assert item.source_id == "8:1:0"
    assert (level.location, level.on_hand, level.unit) == ("WH/Stock", Decimal(520), "EA")


@pytest.mark.parametrize(("name", "major"), [("odoo16", 16), ("odoo18", 18)])
async def test_the_version_is_read_from_what_real_servers_tell(name: str, major: int) -> None:
    async with opened(name) as source:
        await source.clock()

        assert source._client.major == major
