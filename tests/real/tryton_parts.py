"""What the tests of the Tryton connector share: a source on the running server, and orders made from inside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from pydantic import SecretStr

from connectors.base import Change, Feed, Item, Page, Window, Wire, Written
from connectors.egress import Egress
from connectors.mapping import project
from connectors.tryton.connector import TRYTON
from connectors.tryton.forms import TrytonCredentials, TrytonWriteDefaults
from connectors.tryton.source import TrytonSource
from db.models.purchasing.purchase_order import PurchaseOrderRecord
from db.types import Entity, Operation
from sandbox.tryton.client import TrytonClient
from sandbox.tryton.server import TrytonServer
from tests.fixtures.egress import LOOPBACK

FEEDS: Final = {feed.name: feed for feed in TRYTON.feeds}
DEFAULTS: Final = TrytonWriteDefaults()


def credentials(server: TrytonServer, **changes: Any) -> TrytonCredentials:
    """Give the administrator's credentials, with changes."""
    form = TrytonCredentials(
        base_url=server.url,
        database=server.database,
        username=server.username,
        password=SecretStr(server.password),
    )
    return form.model_copy(update=changes)


@asynccontextmanager
async def source(server: TrytonServer, **changes: Any) -> AsyncIterator[TrytonSource]:
    """Open a source of its own pool."""
    async with (
        Egress.open(guard=LOOPBACK) as egress,
        TRYTON.open(credentials(server, **changes), egress=egress) as opened,
    ):
        yield opened


async def whole(opened: TrytonSource, feed: Feed, window: Window | None = None) -> list[Page]:
    """Read a pass to its end."""
    return [page async for page in opened.read(feed, window=window or Window(), position=None)]


async def ids(opened: TrytonSource, name: str, since: datetime) -> set[str]:
    """Give the keys of the items that a feed finds since an instant."""
    pages = await whole(opened, FEEDS[name], Window(since=since))
    return {item.source_id for page in pages for item in page.items}


async def order(opened: TrytonSource, source_id: str) -> PurchaseOrderRecord:
    """Read one order back."""
    [item] = await opened.fetch(Entity.PURCHASE_ORDER, [source_id])
    return record(item)


def record(item: Item) -> PurchaseOrderRecord:
    """Map an order."""
    made = project(TRYTON.mappings[Entity.PURCHASE_ORDER], item.body, units=TRYTON.units(DEFAULTS))
    assert isinstance(made, PurchaseOrderRecord)
    return made


async def write(
    opened: TrytonSource,
    operation: Operation,
    *,
    reference: str = "CH-TEST",
    entity: Entity = Entity.PURCHASE_ORDER,
    over: Wire | None = None,
    **parts: Any,
) -> Written:
    """Write a purchase order, or another record, over a wire."""
    change = Change(entity, operation, reference, **parts)
    return await opened.write(change, defaults=DEFAULTS, wire=over or Wire())


def draft(client: TrytonClient, *, lines: int = 1) -> str:
    """Make a draft from inside Tryton and give its key."""
    [party] = client.call("party.party", "search", [["code", "=", "V-002"]], 0, 1, None)
    [product] = client.call("product.product", "search", [["code", "=", "ITEM-003"]], 0, 1, None)
    [unit] = client.call("product.uom", "search", [["symbol", "=", "u"]], 0, 1, None)
    [address] = client.call("party.address", "search", [["party", "=", party]], 0, 1, None)
    line = {"type": "line", "product": product, "quantity": 4.0, "unit": unit, "unit_price": Decimal("2.5000")}
    values = {"party": party, "invoice_address": address, "lines": [["create", [line] * lines]]}
    [made] = client.call("purchase.purchase", "create", [{**values, "purchase_date": date(2026, 11, 20)}])
    return str(made)


def line_ids(client: TrytonClient, source_id: str) -> list[int]:
    """Give the ids of an order's lines."""
    [row] = client.call("purchase.purchase", "read", [int(source_id)], ["lines"])
    return [int(line) for line in row["lines"]]


def stamp(client: TrytonClient, source_id: str) -> datetime:
    """Give an order's own stamp, UTC."""
    [row] = client.call("purchase.purchase", "read", [int(source_id)], ["write_date", "create_date"])
    moment: datetime = row["write_date"] or row["create_date"]
    return moment.replace(tzinfo=UTC)
