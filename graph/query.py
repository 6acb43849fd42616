"""Queries: who am I, what can be connected, what is connected, and its records."""

from typing import Annotated, Any
from uuid import UUID

import strawberry

from db import connections
from db.models.organization import TokenKind, TokenScope
from db.types import ErrorCode, InvalidId, decode_id, encode_id
from graph.context import ApiInfo, Read
from graph.entity import enumeration
from graph.errors import ApiError
from graph.lists import list_field
from graph.queries.issues import IssueQueries
from graph.types.inventory import InventoryLevel, InventoryLevelConnection
from graph.types.issues import ConnectionError, Issue  # noqa: A004  (the name in the API)
from graph.types.items import Item, ItemConnection
from graph.types.maintenance import WorkOrder, WorkOrderConnection
from graph.types.node import Node
from graph.types.parties import Vendor, VendorConnection
from graph.types.purchasing import PurchaseOrder, PurchaseOrderConnection
from graph.types.sync import SyncRun, SyncRunConnection
from graph.types.systems import ConnectedSystem, ConnectedSystemConnection, System
from graph.types.writing import WriteOperation, WriteOperationConnection


@strawberry.type(description="What an organization may connect.")
class Credits:
    """What an organization may connect."""

    pool: int = strawberry.field(description="Credits it has.")
    used: int = strawberry.field(description="Credits its connections hold.")
    available: int = strawberry.field(description="Credits left.")


@strawberry.type(description="Who runs the API for its customers.")
class Organization(Node):
    """Who runs the API for its customers."""

    name: str = strawberry.field(description="Its name.")
    credits: Credits = strawberry.field(description="What it may connect.")


@strawberry.type(description="The token that asks.")
class Viewer:
    """The token that asks."""

    token_id: strawberry.ID = strawberry.field(description="The token's id.")
    kind: enumeration(TokenKind) = strawberry.field(description="What it opens.")  # type: ignore[valid-type]
    scope: enumeration(TokenScope) = strawberry.field(description="What it may do.")  # type: ignore[valid-type]
    organization_id: strawberry.ID = strawberry.field(description="Whose it is.")
    connection_id: strawberry.Private[UUID | None] = None

    @strawberry.field(description="The organization.")
    async def organization(self, info: ApiInfo) -> Organization:
        """Read the organization."""
        return await _organization(info)

    @strawberry.field(description="The only connection it opens; null for an organization key.")
    def connection(self) -> ConnectedSystem | None:
        """Read the connection."""
        return _read("ConnectedSystem", self.connection_id) if self.connection_id else None


def _read(type_name: str, one: UUID | str) -> Any:
    return Read(type_name, one=one)


def _one(type_name: str, text: str) -> Any:
    return Read(type_name, one=decode_id(text, type_name=type_name)[1])


async def _organization(info: ApiInfo) -> Organization:
    context = info.context
    who = context.who
    async with context.services.database.read(who.scope) as session:
        row = await connections.organization(session, who.scope)
        used = await connections.credits_used(session, who.scope)
    if row is None:
        raise ApiError(ErrorCode.NOT_FOUND, "The organization is gone.")
    credits_told = Credits(pool=row.credits_pool, used=used, available=row.credits_pool - used)
    return Organization(id=strawberry.ID(encode_id("Organization", row.id)), name=row.name, credits=credits_told)


OfId = Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
Ids = Annotated[list[strawberry.ID], strawberry.argument(description="Their ids, at most 100.")]


@strawberry.type(description="Reads; each list and object is one SQL statement whatever is selected.")
class Query(IssueQueries):
    """The root of reads."""

    @strawberry.field(description="Any object by its id; null where the token sees none.")
    async def node(self, info: ApiInfo, id: OfId) -> Node | None:  # noqa: A002
        """Read any object."""
        return await _node(info, id)

    @strawberry.field(description="Objects by their ids, in the order asked; null where the token sees none.")
    async def nodes(self, info: ApiInfo, ids: Ids) -> list[Node | None]:
        """Read several objects."""
        if len(ids) > 100:
            raise ApiError(ErrorCode.BAD_USER_INPUT, "nodes takes at most 100 ids.")
        return [await _node(info, each) for each in ids]

    @strawberry.field(description="The token that asks.")
    def viewer(self, info: ApiInfo) -> Viewer:
        """Tell who asks."""
        who = info.context.who
        return Viewer(
            token_id=strawberry.ID(encode_id("ApiKey", who.token_id)),
            kind=who.kind,
            scope=who.may,
            organization_id=strawberry.ID(encode_id("Organization", who.scope.organization_id)),
            connection_id=who.scope.connection_id,
        )

    @strawberry.field(description="The organization of the token.")
    async def organization(self, info: ApiInfo) -> Organization:
        """Read the organization."""
        return await _organization(info)

    @strawberry.field(description="Systems that can be connected.")
    def systems(self) -> list[System]:
        """Read the catalogue."""
        everything: Any = Read("System")
        return everything

    @strawberry.field(description="A connection by its id.")
    def connection(self, id: OfId) -> ConnectedSystem | None:  # noqa: A002
        """Read a connection."""
        return _one("ConnectedSystem", id)

    @strawberry.field(description="A sync run by its id.")
    def sync_run(self, id: OfId) -> SyncRun | None:  # noqa: A002
        """Read a run."""
        return _one("SyncRun", id)

    @strawberry.field(description="A write operation by its id.")
    def write_operation(self, id: OfId) -> WriteOperation | None:  # noqa: A002
        """Read an operation."""
        return _one("WriteOperation", id)

    @strawberry.field(description="A purchase order by its id.")
    def purchase_order(self, id: OfId) -> PurchaseOrder | None:  # noqa: A002
        """Read an order."""
        return _one("PurchaseOrder", id)

    @strawberry.field(description="A work order by its id.")
    def work_order(self, id: OfId) -> WorkOrder | None:  # noqa: A002
        """Read a work order."""
        return _one("WorkOrder", id)

    @strawberry.field(description="A vendor by its id.")
    def vendor(self, id: OfId) -> Vendor | None:  # noqa: A002
        """Read a vendor."""
        return _one("Vendor", id)

    @strawberry.field(description="An item by its id.")
    def item(self, id: OfId) -> Item | None:  # noqa: A002
        """Read an item."""
        return _one("Item", id)

    @strawberry.field(description="An inventory level by its id.")
    def inventory_level(self, id: OfId) -> InventoryLevel | None:  # noqa: A002
        """Read an inventory level."""
        return _one("InventoryLevel", id)

    connections: ConnectedSystemConnection = list_field(
        "ConnectedSystem", ConnectedSystemConnection, "Connections of the organization."
    )
    sync_runs: SyncRunConnection = list_field("SyncRun", SyncRunConnection, "Sync runs.", of_connection=True)
    write_operations: WriteOperationConnection = list_field(
        "WriteOperation", WriteOperationConnection, "Write operations.", of_connection=True
    )
    purchase_orders: PurchaseOrderConnection = list_field(
        "PurchaseOrder", PurchaseOrderConnection, "Purchase orders.", of_connection=True
    )
    work_orders: WorkOrderConnection = list_field("WorkOrder", WorkOrderConnection, "Work orders.", of_connection=True)
    vendors: VendorConnection = list_field("Vendor", VendorConnection, "Vendors.", of_connection=True)
    items: ItemConnection = list_field("Item", ItemConnection, "Items.", of_connection=True)
    inventory_levels: InventoryLevelConnection = list_field(
        "InventoryLevel", InventoryLevelConnection, "Inventory levels.", of_connection=True
    )


async def _node(info: ApiInfo, text: str) -> Any:
    type_name, key = decode_id(text)
    if type_name == "Organization":
        own = await _organization(info)
        return own if own.id == text else None
    if type_name not in _READABLE:
        raise InvalidId(f"{text!r} names a {type_name}, which cannot be read by id.")
    return Read(type_name, one=key)


_READABLE = {
    of.__name__
    for of in (
        ConnectedSystem,
        SyncRun,
        WriteOperation,
        Issue,
        ConnectionError,
        PurchaseOrder,
        WorkOrder,
        Vendor,
        Item,
        InventoryLevel,
    )
}
