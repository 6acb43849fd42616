"""A small API of the product's shape: the types that GraphiQL's examples name, with one order and one sync run."""
# ruff: noqa: ARG002 - arguments are the product's; there is too little here to filter by them

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import strawberry
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.scalars import JSON
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from graph.pages import graphiql_routes, pages_dir

KEYS: Final = (secrets.token_hex(16), secrets.token_hex(16))
RUN_PAGES: Final = 3


@strawberry.enum
class Entity(Enum):
    """The kinds of records."""

    PURCHASE_ORDER = "PURCHASE_ORDER"
    VENDOR = "VENDOR"


@strawberry.type
class System:
    """A kind of source system."""

    id: strawberry.ID
    name: str


@strawberry.type
class Customer:
    """Whose system is connected."""

    ref: str
    name: str


@strawberry.type
class SourceError:
    """What a source answered, and what helps."""

    message: str
    remedy: str


@strawberry.type
class Health:
    """How a connection is doing."""

    last_contact_at: str | None
    consecutive_failures: int
    last_error: SourceError | None


@strawberry.type
class ConnectedEntity:
    """One kind of records of a connection."""

    entity: Entity
    state: str
    last_success_at: str | None
    record_count: int


@strawberry.type
class ConnectedSystem:
    """One customer's connected system."""

    id: strawberry.ID
    status: str
    status_reason: str | None
    system: System
    customer: Customer
    health: Health
    entities: list[ConnectedEntity]


@strawberry.type
class Vendor:
    """Who delivers."""

    id: strawberry.ID
    name: str


@strawberry.type
class PurchaseOrderLine:
    """One line of an order."""

    line_number: str
    item_code: str
    description: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    net_amount: Decimal
    received_quantity: Decimal


@strawberry.type
class PurchaseOrder:
    """An order to a vendor."""

    id: strawberry.ID
    order_number: str
    status: str
    order_date: date
    required_date: date
    currency: str
    total_net: Decimal
    vendor: Vendor
    lines: list[PurchaseOrderLine]


@strawberry.type
class PageInfo:
    """Where a page ends."""

    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class PurchaseOrderConnection:
    """A page of orders."""

    total_count: int
    page_info: PageInfo
    nodes: list[PurchaseOrder]


@strawberry.type
class ConnectedSystemConnection:
    """A page of connections."""

    total_count: int
    nodes: list[ConnectedSystem]


@strawberry.type
class SyncRun:
    """One run over one kind of records."""

    id: strawberry.ID
    entity: Entity
    mode: str
    status: str
    pages: int
    fetched: int
    created: int
    updated: int
    unchanged: int
    quarantined: int
    started_at: str | None
    finished_at: str | None


@strawberry.type
class RecordChange:
    """A record that was created, changed or deleted."""

    entity: Entity


@strawberry.type
class UserError:
    """What a caller can put right."""

    code: str
    path: list[str] | None
    message: str
    source_message: str | None


@strawberry.type
class PurchaseOrderWritePayload:
    """What became of a write."""

    purchase_order: PurchaseOrder | None
    user_errors: list[UserError]


@strawberry.type
class TriggerSyncPayload:
    """The runs that were started."""

    sync_runs: list[SyncRun]
    user_errors: list[UserError]


@strawberry.input(one_of=True)
class ReferenceInput:
    """A record by its code."""

    code: strawberry.Maybe[str]


@strawberry.input
class PurchaseOrderLineCreate:
    """A line to order."""

    item: ReferenceInput
    quantity: Decimal
    unit_price: Decimal


@strawberry.input
class PurchaseOrderCreate:
    """An order to write."""

    vendor: ReferenceInput
    currency: str
    required_date: date
    lines: list[PurchaseOrderLineCreate]
    custom_fields: JSON | None = None


@strawberry.input
class CreatePurchaseOrderInput:
    """An order to write, and how."""

    connection_id: strawberry.ID
    purchase_order: PurchaseOrderCreate
    idempotency_key: str | None = None
    dry_run: bool = False


@strawberry.input
class TriggerSyncInput:
    """What to sync."""

    connection_id: strawberry.ID
    entities: list[Entity]


ORDER: Final = PurchaseOrder(
    id=strawberry.ID("po_1"),
    order_number="PO-1001",
    status="OPEN",
    order_date=date(2030, 1, 2),
    required_date=date(2030, 1, 31),
    currency="EUR",
    total_net=Decimal("25.00"),
    vendor=Vendor(id=strawberry.ID("vend_1"), name="Demo Vendor"),
    lines=[
        PurchaseOrderLine(
            line_number="1",
            item_code="ITEM-1",
            description="Bearing",
            quantity=Decimal(10),
            unit="EA",
            unit_price=Decimal("2.50"),
            net_amount=Decimal("25.00"),
            received_quantity=Decimal(0),
        )
    ],
)


@strawberry.type
class Query:
    """What can be read."""

    @strawberry.field
    def purchase_orders(self, first: int, after: str | None = None) -> PurchaseOrderConnection:
        """Purchase orders, newest first."""
        end = PageInfo(has_next_page=False, end_cursor=after)
        return PurchaseOrderConnection(total_count=1, page_info=end, nodes=[ORDER][:first])

    @strawberry.field
    def systems(self) -> list[System]:
        """Kinds of systems."""
        return [System(id=strawberry.ID("demo"), name="Demo ERP")]

    @strawberry.field
    def connections(self, first: int) -> ConnectedSystemConnection:
        """Connected systems."""
        return ConnectedSystemConnection(total_count=0, nodes=[][:first])


@strawberry.type
class Mutation:
    """What can be changed."""

    @strawberry.mutation
    def create_purchase_order(self, input: CreatePurchaseOrderInput) -> PurchaseOrderWritePayload:  # noqa: A002 - the API's name
        """Write an order."""
        return PurchaseOrderWritePayload(purchase_order=None if input.dry_run else ORDER, user_errors=[])

    @strawberry.mutation
    def trigger_sync(self, input: TriggerSyncInput) -> TriggerSyncPayload:  # noqa: A002 - the API's name
        """Start syncs."""
        return TriggerSyncPayload(sync_runs=[_run(0) for _ in input.entities], user_errors=[])


@strawberry.type
class Subscription:
    """What can be followed."""

    @strawberry.subscription
    async def sync_run_updated(self, connection_id: strawberry.ID | None = None) -> AsyncIterator[SyncRun]:
        """Follow a run to its last page."""
        for page in range(RUN_PAGES + 1):
            yield _run(page)
            await asyncio.sleep(0.15)

    @strawberry.subscription
    async def record_changed(
        self, connection_id: strawberry.ID | None = None, entity: Entity | None = None
    ) -> AsyncIterator[RecordChange]:
        """Follow changes, without end."""
        while True:
            yield RecordChange(entity=entity or Entity.VENDOR)
            await asyncio.sleep(0.2)


def build_app() -> Starlette:
    """Return the API at /graphql, for bearers of one of KEYS, with GraphiQL beside it."""
    schema = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription)
    api = _Guarded(schema, graphql_ide=None, subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL])
    routes = [Route("/graphql", api), WebSocketRoute("/graphql", api)]
    return Starlette(routes=[*routes, *graphiql_routes(pages_dir())])


class _Guarded(GraphQL[Any, Any]):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_allowed(Headers(scope=scope).get("authorization")):
            error = {"message": "This key is not known.", "extensions": {"code": "UNAUTHENTICATED"}}
            await JSONResponse({"errors": [error]}, status_code=401)(scope, receive, send)
            return
        await super().__call__(scope, receive, send)

    async def on_ws_connect(self, context: Any) -> Any:
        if not _is_allowed((context["connection_params"] or {}).get("authorization")):
            raise ConnectionRejectionError
        return await super().on_ws_connect(context)


def _is_allowed(authorization: str | None) -> bool:
    return (authorization or "").removeprefix("Bearer ") in KEYS


def _run(page: int) -> SyncRun:
    return SyncRun(
        id=strawberry.ID("run_1"),
        entity=Entity.PURCHASE_ORDER,
        mode="FULL",
        status="SUCCEEDED" if page == RUN_PAGES else "RUNNING",
        pages=page,
        fetched=page * 100,
        created=page * 100,
        updated=0,
        unchanged=0,
        quarantined=0,
        started_at="2030-01-02T00:00:00Z",
        finished_at="2030-01-02T00:00:09Z" if page == RUN_PAGES else None,
    )
