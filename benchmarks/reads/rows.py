"""The rows that are read: orders with vendor, addresses, custom fields and five lines, all of one connection."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import asyncpg
import orjson
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlmodel import SQLModel

from crosshead.organizations import make_organization
from db import tokens
from db.engine import Database
from db.models.base import Fields, dumped
from db.models.connection import ConnectedSystem, CustomerRef, System, SystemCategory
from db.models.organization import TokenKind, TokenScope
from db.models.parties.vendor import Vendor, VendorFields
from db.models.purchasing.purchase_order import (
    PurchaseOrder,
    PurchaseOrderFields,
    PurchaseOrderLine,
    PurchaseOrderLineFields,
    PurchaseOrderStatus,
)
from db.scope import Scope
from db.types import new_id

LINES: Final = 5
VENDORS: Final = 500
CHUNK: Final = 2_000
_LATER: Final = (
    "(lpad(to_hex(('x' || left(replace({key}::text, '-', ''), 12))::bit(48)::bigint + {days}::bigint * 86400000),"
    " 12, '0') || substr(replace({key}::text, '-', ''), 13))::uuid"
)
BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Filled:
    """What the servers are asked for.

    Attributes:
        own: The connection that holds the rows.
        token: Its bearer token.
    """

    own: Scope
    token: str


def address(n: int) -> dict[str, Any]:
    """Give an address."""
    return {"name": f"Plant {n % 40}", "lines": [f"{n % 900} Dock Street"], "city": "Rotterdam", "country": "NL"}


def order(n: int) -> dict[str, Any]:
    """Give the fields of order `n`; every tenth lacks what not every order has."""
    statuses = list(PurchaseOrderStatus)
    return {
        "order_number": f"PO{n:08}",
        "status": statuses[n % len(statuses)],
        "native_status": f"S{n % 7}",
        "vendor_source_id": f"v-{n % VENDORS}",
        "vendor_reference": f"Q-{n % 5000}" if n % 10 else None,
        "currency": ("EUR", "USD", "GBP")[n % 3],
        "order_date": date(2024, 1, 1) + timedelta(days=n % 700) if n % 10 else None,
        "required_date": date(2024, 2, 1) + timedelta(days=n % 650),
        "ship_to": address(n),
        "bill_to": address(n + 1),
        "total_net": f"{n % 90_000}.25",
        "total_tax": f"{n % 9_000}.05",
        "total_gross": f"{n % 99_000}.30",
        "notes": "Deliver before noon; call the gate first.",
        "custom_fields": {"costCenter": f"CC-{n % 50}", "project": f"P-{n % 300}", "priority": n % 5},
    }


def line(n: int, position: int) -> dict[str, Any]:
    """Give the fields of a line of order `n`."""
    return {
        "source_line_id": str(position + 1),
        "line_number": str((position + 1) * 10),
        "kind": "ITEM",
        "item_source_id": f"i-{(n + position) % 2000}",
        "item_code": f"I{(n + position) % 2000:05}",
        "description": f"Bearing {(n + position) % 2000}, sealed, steel cage",
        "quantity": str(1 + n % 40),
        "unit": "EA",
        "unit_price": f"{10 + position}.50",
        "net_amount": f"{(1 + n % 40) * (10 + position)}.00",
        "status": "OPEN",
        "required_date": date(2024, 2, 1) + timedelta(days=n % 650),
    }


async def make_connection(database: Database) -> Filled:
    """Store an organization with one connection and its token; the rows come by `fill`."""
    organization, _ = await make_organization(database, name="Benchmark", credits_pool=100)
    connection_id = new_id()
    own = organization.narrowed(connection_id)
    token, row = tokens.issue(TokenKind.CONNECTION, scope=own, may=TokenScope.WRITE, name="Benchmark", now=BEGAN)
    async with database.system() as session:
        await session.merge(
            System(
                slug="benchmark",
                name="Benchmark",
                vendor="Benchmark",
                category=SystemCategory.ERP,
                credits=1,
                credential_form={},
                write_defaults_form={},
                capabilities=[],
            )
        )
    async with database.write(own) as session:
        session.add(
            ConnectedSystem(
                organization_id=own.organization_id,
                id=connection_id,
                system_slug="benchmark",
                customer=dumped(CustomerRef(ref="c-1", name="Customer 1")),  # type: ignore[arg-type]  # stored as JSON
                credits=1,
                token_last_four=row.last_four,
                created_at=BEGAN,
            )
        )
        await session.flush()
        session.add(row)
    return Filled(own, token)


async def fill(dsn: str, own: Scope, *, first: int, count: int) -> None:
    """COPY `count` orders with their lines, and the vendors with the first of them.

    Args:
        dsn: The superuser's: row-level security refuses COPY.
        own: The connection.
        first: Number of the first order.
        count: How many.
    """
    connection = await asyncpg.connect(dsn)
    try:
        if first == 0:
            vendors = [{"number": f"V{n}", "name": f"Vendor {n}"} for n in range(VENDORS)]
            await _copy(connection, Vendor, (record(own, VendorFields, v, f"v-{n}") for n, v in enumerate(vendors)))
        for start in range(first, first + count, CHUNK):
            numbers = range(start, min(start + CHUNK, first + count))
            orders = [record(own, PurchaseOrderFields, order(n), f"po-{n}", updated=n) for n in numbers]
            await _copy(connection, PurchaseOrder, orders)
            await _copy(connection, PurchaseOrderLine, _lines(own, zip(numbers, orders, strict=True)))
        await connection.execute("VACUUM ANALYZE purchase_order, purchase_order_line, vendor")
    finally:
        await connection.close()


async def grow(dsn: str, own: Scope, *, copies: int) -> None:
    """Copy every order with its lines `copies` times within the database, as if they had come later.

    Ids stay in the order of storing: the time in a copy's UUIDv7 is later by as many days as all there is spans, times
    the number of the copy.
    """
    connection = await asyncpg.connect(dsn, command_timeout=1800)
    try:
        oldest, newest = await connection.fetchrow(
            "SELECT (array_agg(id ORDER BY id))[1], (array_agg(id ORDER BY id DESC))[1] FROM purchase_order"
            " WHERE connection_id = $1",
            own.connection_id,
        )
        span = ((newest.int >> 80) - (oldest.int >> 80)) // 86_400_000 + 1
        for days in range(span, span * (copies + 1), span):
            tables: list[tuple[type[SQLModel], str]] = [(PurchaseOrder, "id"), (PurchaseOrderLine, "purchase_order_id")]
            for table, key in tables:
                changed = {
                    key: _LATER.format(key=key, days=days),
                    "source_id": f"source_id || '-{days}'",
                    "order_number": f"order_number || '-{days}'",
                }
                columns = [each.name for each in table.__table__.columns if each.computed is None]  # type: ignore[attr-defined]
                told = ", ".join(changed.get(name, name) for name in columns)
                await connection.execute(
                    f"INSERT INTO {table.__tablename__} ({', '.join(columns)}) SELECT {told} FROM {table.__tablename__}"
                    f" WHERE connection_id = $1 AND {key} <= $2 ORDER BY {key}",
                    own.connection_id,
                    newest,
                )
        await connection.execute("VACUUM ANALYZE purchase_order, purchase_order_line")
    finally:
        await connection.close()


def _lines(own: Scope, orders: Iterable[tuple[int, Mapping[str, Any]]]) -> Iterator[dict[str, Any]]:
    for n, parent in orders:
        for position in range(LINES):
            yield {
                **stored(PurchaseOrderLineFields, line(n, position)),
                "organization_id": own.organization_id,
                "connection_id": own.connection_id,
                "purchase_order_id": parent["id"],
                "position": position,
            }


def stored(fields: type[Fields], values: Mapping[str, Any]) -> dict[str, Any]:
    """Give validated values by column name."""
    made = fields.model_validate(dict(values))
    return {name: getattr(made, name) for name in fields.model_fields}


def record(
    own: Scope, fields: type[Fields], values: Mapping[str, Any], source_id: str, *, updated: int = 0
) -> dict[str, Any]:
    """Give a record's whole row."""
    return {
        **stored(fields, values),
        "organization_id": own.organization_id,
        "connection_id": own.connection_id,
        "id": new_id(),
        "source_id": source_id,
        "version": 1,
        "content_hash": b"",
        "source_updated_at": BEGAN + timedelta(seconds=updated),
        "synced_at": BEGAN,
        "first_seen_at": BEGAN,
        "first_cause": "SYNC",
    }


async def _copy(connection: asyncpg.Connection, table: type[SQLModel], rows: Iterable[Mapping[str, Any]]) -> None:
    given = list(rows)
    columns = [each for each in table.__table__.columns if each.name in given[0]]  # type: ignore[attr-defined]
    await connection.copy_records_to_table(
        str(table.__tablename__),
        columns=[each.name for each in columns],
        records=[tuple(_copied(row[each.name], each.type) for each in columns) for row in given],
    )


def _copied(value: Any, kind: Any) -> Any:
    if value is None or not isinstance(kind, JSON | JSONB):
        return value
    return orjson.dumps(value, default=lambda v: dumped(v) if isinstance(v, SQLModel) else str(v)).decode()
