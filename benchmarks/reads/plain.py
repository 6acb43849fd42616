"""The plain peer: Strawberry types with one resolver a field over SQLModel objects, relations loaded with the page.

It does no authentication and reads as the superuser. Arguments: the Postgres URL, the connection's id.
"""

import datetime as dt
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlmodel import col, select
from starlette.applications import Starlette
from strawberry.asgi import GraphQL
from strawberry.scalars import JSON

from benchmarks.reads.listen import listen
from db.engine import async_url
from db.models.parties.vendor import Vendor as VendorRow
from db.models.purchasing.purchase_order import PurchaseOrder as OrderRow
from db.models.purchasing.purchase_order import PurchaseOrderLine as LineRow

ENGINE = create_async_engine(async_url(sys.argv[1]), pool_size=10)
CONNECTION = UUID(sys.argv[2])


@strawberry.type
class Address:
    name: str | None
    lines: list[str]
    city: str | None
    country: str | None


@strawberry.type
class Vendor:
    id: strawberry.ID
    number: str | None
    name: str


@strawberry.type
class Line:
    line_number: str
    kind: str
    item_code: str | None
    description: str | None
    quantity: Decimal | None
    unit: str | None
    unit_price: Decimal | None
    net_amount: Decimal | None
    status: str
    required_date: dt.date | None


@strawberry.type
class PurchaseOrder:
    id: strawberry.ID
    source_id: str
    order_number: str | None
    status: str
    currency: str | None
    order_date: dt.date | None
    required_date: dt.date | None
    total_net: Decimal | None
    total_tax: Decimal | None
    total_gross: Decimal | None
    notes: str | None
    custom_fields: JSON
    ship_to: Address | None
    bill_to: Address | None
    vendor: Vendor | None
    lines: list[Line]


@strawberry.type
class Orders:
    nodes: list[PurchaseOrder]


def _values(kind: type, row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in kind.__annotations__ if name not in {"id", "vendor", "lines"}}


def _address(value: dict[str, Any] | None) -> Address | None:
    if value is None:
        return None
    return Address(
        name=value.get("name"), lines=value.get("lines", []), city=value.get("city"), country=value.get("country")
    )


async def _orders(*, where: Any, limit: int) -> list[PurchaseOrder]:
    async with AsyncSession(ENGINE) as session:
        asked = select(OrderRow).where(col(OrderRow.connection_id) == CONNECTION, where)
        rows = (await session.execute(asked.order_by(col(OrderRow.id)).limit(limit))).scalars().all()
        keys = {row.vendor_source_id for row in rows}
        vendors = await session.execute(
            select(VendorRow).where(col(VendorRow.connection_id) == CONNECTION, col(VendorRow.source_id).in_(keys))
        )
        by_key = {vendor.source_id: vendor for vendor in vendors.scalars()}
        lines: dict[UUID, list[Line]] = {row.id: [] for row in rows}
        found = await session.execute(
            select(LineRow)
            .where(col(LineRow.connection_id) == CONNECTION, col(LineRow.purchase_order_id).in_(list(lines)))
            .order_by(col(LineRow.purchase_order_id), col(LineRow.position))
        )
        for line in found.scalars():
            lines[line.purchase_order_id].append(Line(**_values(Line, line)))
    return [_order(row, by_key.get(row.vendor_source_id or ""), lines[row.id]) for row in rows]


def _order(row: OrderRow, vendor: VendorRow | None, lines: list[Line]) -> PurchaseOrder:
    told = _values(PurchaseOrder, row) | {"ship_to": _address(row.ship_to), "bill_to": _address(row.bill_to)}  # type: ignore[arg-type]  # stored as JSON
    vendor_told = Vendor(id=strawberry.ID(str(vendor.id)), number=vendor.number, name=vendor.name) if vendor else None
    return PurchaseOrder(id=strawberry.ID(str(row.id)), vendor=vendor_told, lines=lines, **told)


@strawberry.type
class Query:
    @strawberry.field
    async def purchase_orders(self, first: int) -> Orders:
        return Orders(nodes=await _orders(where=True, limit=first))

    @strawberry.field
    async def purchase_order(self, id: strawberry.ID) -> PurchaseOrder | None:  # noqa: A002
        found = await _orders(where=col(OrderRow.id) == UUID(id.removeprefix("po_")), limit=1)
        return found[0] if found else None


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Close the pool at the end."""
    yield
    await ENGINE.dispose()


if __name__ == "__main__":
    application = Starlette(lifespan=lifespan)
    application.mount("/graphql", GraphQL(strawberry.Schema(Query)))
    listen(application)
