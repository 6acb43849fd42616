"""What Postgres alone can take: finished rows by COPY into tables like the product's, and nothing else."""

import io
import time
from uuid import UUID

import asyncpg

from benchmarks.syncs.memory import ORDER, UNITS
from benchmarks.syncs.orders import Json, pages
from connectors.compiled import compiled
from db.models.purchasing.purchase_order import PurchaseOrderLineFields, PurchaseOrderRecord
from db.models.rows import stored_names
from db.raw import body_text
from db.types import new_id, new_ids

SCHEMA = "ceiling"
_STAMP = "2026-06-01T12:00:00Z"
_HASH = "\\\\x" + "ab" * 16


async def copied(superuser_url: str, orders: int) -> float:
    """COPY records, lines and raw items, a transaction a page; gives the seconds that took.

    The tables have the product's indexes and checks, and no row-level security; rows are written out beforehand.
    """
    connection = await asyncpg.connect(superuser_url)
    await connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}")
    for table in ("purchase_order", "purchase_order_line", "raw_item"):
        await connection.execute(f"CREATE TABLE {SCHEMA}.{table} (LIKE public.{table} INCLUDING ALL)")
    seconds, whose = 0.0, (new_id(), new_id())
    for page in pages(orders, changed=False):
        written = _written(page, whose)
        started = time.perf_counter()
        async with connection.transaction():
            for table, columns, rows in written:
                source = io.BytesIO(rows)
                await connection.copy_to_table(table, schema_name=SCHEMA, columns=columns, source=source)
        seconds += time.perf_counter() - started
    await connection.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
    await connection.close()
    return seconds


def _written(page: list[Json], whose: tuple[UUID, UUID]) -> list[tuple[str, tuple[str, ...], bytes]]:
    """Write a page's rows in COPY's text format: table, columns, rows."""
    owner = tuple(map(str, whose))
    records, lines, items = [], [], []
    for row, id_ in zip(page, map(str, new_ids(len(page))), strict=True):
        made = compiled(ORDER)(row, UNITS)
        records.append((*owner, id_, row["id"], "1", _HASH, _STAMP, _STAMP, "SYNC", *made.values))
        lines += [(*owner, id_, str(n), *values) for n, values in enumerate(made.children[0])]
        items.append((*owner, "PURCHASE_ORDER", row["id"], _HASH, body_text(row).decode(), _STAMP, _STAMP))
    own = ("organization_id", "connection_id")
    meta = ("id", "source_id", "version", "content_hash", "synced_at", "first_seen_at", "first_cause")
    raw = ("entity", "source_id", "item_hash", "body", "fetched_at", "read_at")
    return [
        ("purchase_order", (*own, *meta, *stored_names(PurchaseOrderRecord)), _text(records)),
        (
            "purchase_order_line",
            (*own, "purchase_order_id", "position", *stored_names(PurchaseOrderLineFields)),
            _text(lines),
        ),
        ("raw_item", (*own, *raw), _text(items)),
    ]


def _text(rows: list[tuple[str | None, ...]]) -> bytes:
    """Write rows; the benchmark's values hold nothing that COPY would need escaped."""
    return "".join("\t".join("\\N" if each is None else each for each in row) + "\n" for row in rows).encode()
