"""A connector whose source is a list of pages in memory: nothing is measured but the engine."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, cast

from benchmarks.syncs.orders import Json
from connectors.base import (
    Change,
    Checked,
    Feed,
    Form,
    Item,
    JsonObject,
    Page,
    Referable,
    Source,
    SystemSpec,
    Window,
    WriteSpec,
    Written,
)
from connectors.egress import Egress
from connectors.mapping import Each, EntityMapping, To, unit
from db.models.connection import SystemCategory
from db.models.purchasing.purchase_order import ApprovalState, LineStatus, PurchaseOrderRecord, PurchaseOrderStatus
from db.types import Entity, Operation

SLUG: Final = "memory"
UNITS: Final = {"PC": "H87"}
CHANGED: Final = datetime(2026, 6, 1, 10, tzinfo=UTC)


def status(value: str) -> PurchaseOrderStatus:
    """Read an order's state."""
    return _STATUSES.get(value, PurchaseOrderStatus.UNKNOWN)


def line_status(value: str) -> LineStatus:
    """Read a line's state."""
    return _LINE_STATUSES.get(value, LineStatus.UNKNOWN)


def approval(value: str) -> ApprovalState:
    """Read the approval."""
    return ApprovalState.APPROVED if value == "approved" else ApprovalState.UNKNOWN


def terms(code: str, text: str) -> Json:
    """Make payment terms."""
    return {"code": code, "text": text}


def address(told: Json | None) -> Json | None:
    """Make an address."""
    if not told:
        return None
    names = {"name": "name", "city": "city", "postal_code": "zip", "country": "country", "site_code": "site"}
    return {"lines": [told["street"]], **{ours: told.get(theirs) for ours, theirs in names.items()}}


_STATUSES: Final = {"released": PurchaseOrderStatus.APPROVED}
_LINE_STATUSES: Final = {"open": LineStatus.OPEN}
LINE: Final = (
    To("source_line_id", "id"),
    To("line_number", "position"),
    To("item_source_id", "item"),
    To("item_code", "item"),
    To("description", "text"),
    To("quantity", "quantity"),
    To("unit", "uom", unit),
    To("native_unit", "uom"),
    To("unit_price", "price"),
    To("price_unit", "uom", unit),
    To("source_price", "price"),
    To("net_amount", "net"),
    To("tax_code", "tax"),
    To("status", "state", line_status),
    To("received_quantity", "received"),
    To("billed_quantity", "billed"),
    To("required_date", "due"),
    To("location", "site"),
)
ORDER: Final = EntityMapping(
    PurchaseOrderRecord,
    (
        To("order_number", "number"),
        To("status", "state", status),
        To("native_status", "state"),
        To("approval", "approval", approval),
        To("vendor_source_id", "vendor/id"),
        To("vendor_reference", "reference"),
        To("buyer", "buyer"),
        To("company", "company"),
        To("currency", "currency"),
        To("order_date", "ordered"),
        To("required_date", "due"),
        To("payment_terms", ("terms/code", "terms/text"), terms),
        To("incoterms", "incoterms"),
        To("ship_to", "ship_to", address),
        To("bill_to", "bill_to", address),
        To("total_net", "net"),
        To("total_tax", "tax"),
        To("total_gross", "gross"),
        To("notes", "note"),
        Each("lines", "lines", LINE),
    ),
)


class Nothing(Form):
    """No credentials and no defaults."""


class MemoryConnector:
    """Declares orders in memory; `pages` gives them anew for each read."""

    spec = SystemSpec(SLUG, "Memory", "Benchmarks", SystemCategory.ERP, 1, Nothing, Nothing, identity=())
    feeds: tuple[Feed, ...] = (
        Feed(Entity.PURCHASE_ORDER, "orders", timedelta(minutes=10), cursor="changed", tie_break="id"),
    )
    mappings: Mapping[Entity, EntityMapping] = {Entity.PURCHASE_ORDER: ORDER}
    writes: Mapping[tuple[Entity, Operation], WriteSpec] = {}

    def __init__(self) -> None:
        self.pages: Callable[[], Iterator[list[Json]]] = lambda: iter(())
        self.after_page: Callable[[int], None] = lambda _: None

    @asynccontextmanager
    async def open(self, credentials: Form, *, egress: Egress) -> AsyncIterator[Source]:
        """Open the pages."""
        del credentials, egress
        yield cast("Source", MemorySource(self))  # it reads, and is never written to

    def stamp(self, entity: Entity, body: Mapping[str, Any]) -> str | None:
        """Give no stamp: nothing is written."""
        del entity, body
        return None

    def units(self, defaults: Form) -> Mapping[str, str]:
        """Give the unit map."""
        del defaults
        return UNITS


class MemorySource:
    """See connectors.base.Source."""

    def __init__(self, connector: MemoryConnector) -> None:
        self._connector = connector

    async def check(self) -> Checked:
        """Find all well."""
        return Checked()

    async def clock(self) -> datetime:
        """Give the time."""
        return datetime.now(UTC)

    async def read(self, feed: Feed, *, window: Window, position: JsonObject | None) -> AsyncIterator[Page]:
        """Yield the pages, after the position."""
        del feed, window
        done = position["page"] if position else 0
        for number, rows in enumerate(islice(self._connector.pages(), done, None), done + 1):
            yield Page(tuple(Item(row["id"], row, CHANGED) for row in rows), {"page": number})
            self._connector.after_page(number)
        yield Page((), None)

    async def fetch(self, entity: Entity, source_ids: list[str]) -> list[Item]:
        """Is never asked."""
        raise NotImplementedError

    async def resolve(self, kind: Referable, code: str) -> list[str]:
        """Is never asked."""
        raise NotImplementedError

    async def write(self, change: Change, *, defaults: Form) -> Written:
        """Is never asked."""
        raise NotImplementedError
