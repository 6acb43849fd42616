"""The ceiling: a hand-written Starlette route over asyncpg, with a fixed SQL statement for each question.

It looks the token up and sets the scope as the API does, as the same roles under row-level security, and does
nothing else: no GraphQL. Arguments: the Postgres URL of the login.
"""

import hashlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.reads.listen import listen

LOOK_UP: Final = """
SELECT t.id, t.kind, t.scope, t.organization_id, t.connection_id, t.revoked_at, t.revoked_as, c.status
FROM api_token t LEFT JOIN connection c ON c.id = t.connection_id WHERE t.token_hash = $1
"""
SCOPE: Final = "SELECT set_config('crosshead.organization', $1, true), set_config('crosshead.connection', $2, true)"
ORDER: Final = """
json_build_object(
  'id', 'po_' || replace(o.id::text, '-', ''), 'sourceId', o.source_id, 'orderNumber', o.order_number,
  'status', o.status, 'currency', o.currency, 'orderDate', o.order_date, 'requiredDate', o.required_date,
  'totalNet', o.total_net::text, 'totalTax', o.total_tax::text, 'totalGross', o.total_gross::text,
  'notes', o.notes, 'customFields', o.custom_fields,
  'shipTo', CASE WHEN o.ship_to IS NULL THEN NULL ELSE json_build_object(
    'name', o.ship_to ->> 'name', 'lines', o.ship_to -> 'lines', 'city', o.ship_to ->> 'city',
    'country', o.ship_to ->> 'country') END,
  'billTo', CASE WHEN o.bill_to IS NULL THEN NULL ELSE json_build_object(
    'name', o.bill_to ->> 'name', 'lines', o.bill_to -> 'lines', 'city', o.bill_to ->> 'city',
    'country', o.bill_to ->> 'country') END,
  'vendor', (SELECT json_build_object(
      'id', 'vend_' || replace(v.id::text, '-', ''), 'number', v.number, 'name', v.name)
    FROM vendor v WHERE v.connection_id = o.connection_id AND v.source_id = o.vendor_source_id),
  'lines', (SELECT coalesce(json_agg(json_build_object(
      'lineNumber', l.line_number, 'kind', l.kind, 'itemCode', l.item_code, 'description', l.description,
      'quantity', l.quantity::text, 'unit', l.unit, 'unitPrice', l.unit_price::text,
      'netAmount', l.net_amount::text, 'status', l.status, 'requiredDate', l.required_date)
      ORDER BY l.position), '[]')
    FROM purchase_order_line l WHERE l.connection_id = o.connection_id AND l.purchase_order_id = o.id))
"""
PAGE: Final = f"""
SELECT json_build_object('nodes', coalesce(json_agg({ORDER} ORDER BY o.id), '[]'))::text
FROM (SELECT * FROM purchase_order WHERE organization_id = $1 AND connection_id = $2 AND deleted_at IS NULL
      ORDER BY id LIMIT 50) o
"""
ONE: Final = f"SELECT {ORDER}::text FROM purchase_order o WHERE o.connection_id = $1 AND o.id = $2"


def app(dsn: str) -> Starlette:
    """Build the application."""
    pools: dict[str, Any] = {}

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        for role in ("crosshead_system", "crosshead_app"):
            pools[role] = await asyncpg.create_pool(
                dsn, min_size=10, max_size=10, server_settings={"role": role, "timezone": "UTC", "jit": "off"}
            )
        yield

    async def answer(request: Request, statement: str, more: tuple[Any, ...]) -> Response:
        token = request.headers["authorization"].removeprefix("Bearer ")
        async with pools["crosshead_system"].acquire() as connection:
            found = await connection.fetchrow(LOOK_UP, hashlib.sha256(token.encode()).digest())
        if found is None or found["revoked_at"] is not None:
            return Response(status_code=401)
        organization, own = found["organization_id"], found["connection_id"]
        async with (
            pools["crosshead_app"].acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.fetchrow(SCOPE, str(organization), str(own))
            told = await connection.fetchval(statement, *((organization, own) if not more else (own, *more)))
        return Response(told, media_type="application/json")

    async def page(request: Request) -> Response:
        return await answer(request, PAGE, ())

    async def one(request: Request) -> Response:
        return await answer(request, ONE, (UUID(request.path_params["id"].removeprefix("po_")),))

    return Starlette(routes=[Route("/page", page), Route("/order/{id}", one)], lifespan=lifespan)


if __name__ == "__main__":
    listen(app(sys.argv[1]))
