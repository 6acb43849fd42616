"""Queries: who am I, what can be connected, what is connected, and its records."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

import strawberry

from db.models.organization import TokenScope
from db.shapes import SHAPES
from db.types import ErrorCode, InvalidId, decode_id
from graph.context import ApiInfo, Batch, Context, Read
from graph.errors import ApiError
from graph.lists import argued, list_field
from graph.queries.changes import ChangeQueries
from graph.queries.issues import IssueQueries
from graph.queries.summaries import SummaryQueries
from graph.queries.versions import VersionQueries
from graph.queries.webhooks import WebhookQueries
from graph.selection import instant
from graph.types.access import ApiKey, ApiKeyConnection, CreditEntry
from graph.types.audit import AuditEntryConnection
from graph.types.inventory import InventoryLevel, InventoryLevelConnection, Location, LocationConnection
from graph.types.issues import ConnectionError, Issue  # noqa: A004  (the name in the API)
from graph.types.items import Item, ItemConnection
from graph.types.maintenance import Asset, AssetConnection, WorkOrder, WorkOrderConnection
from graph.types.node import Node
from graph.types.organization import Organization, Viewer, organization_of, viewer_of
from graph.types.parties import Vendor, VendorConnection
from graph.types.purchasing import PurchaseOrder, PurchaseOrderConnection
from graph.types.requests import RequestLogConnection
from graph.types.sync import SyncRun, SyncRunConnection
from graph.types.systems import ConnectedSystem, ConnectedSystemConnection, System
from graph.types.webhooks import WebhookDelivery, WebhookEndpoint
from graph.types.writing import WriteOperation, WriteOperationConnection

AS_OF_ONE: Final = (
    "As of this instant: its own fields and lines as they were then, relations as they are now; null where it was not"
    " known yet."
)


def _one(type_name: str, returns: Any, description: str) -> Any:
    """Make a field that is one object by its id; a record, as of an instant where one is given."""

    def resolve(_: Context, given: Mapping[str, Any]) -> Read:
        key, at = decode_id(given["id"], type_name=type_name)[1], given.get("asOf")
        return Read(type_name, one=key, as_of=None if at is None else instant(at))

    arguments: dict[str, tuple[Any, str]] = {"id": (strawberry.ID, "Its id.")}
    if SHAPES[type_name].entity is not None:
        arguments["as_of"] = (datetime | None, AS_OF_ONE)
    return argued(resolve, arguments, returns | None, description, required={"id"})


OfId = Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
Ids = Annotated[list[strawberry.ID], strawberry.argument(description="Their ids, at most 100.")]


@strawberry.type(description="Reads; each list and object is one SQL statement whatever is selected.")
class Query(IssueQueries, ChangeQueries, SummaryQueries, WebhookQueries, VersionQueries):
    """The root of reads."""

    @strawberry.field(description="Any object by its id; null where the token sees none.")
    async def node(self, info: ApiInfo, id: OfId) -> Node | None:  # noqa: A002
        """Read any object."""
        _allowed(info, {decode_id(id)[0]})
        own = await organization_of(info) if decode_id(id)[0] == "Organization" else None
        return _node(id, own=own)

    @strawberry.field(description="Objects by their ids, in the order asked; null where the token sees none.")
    async def nodes(self, info: ApiInfo, ids: Ids) -> list[Node | None]:
        """Read several objects."""
        if len(ids) > 100:
            raise ApiError(ErrorCode.BAD_USER_INPUT, "nodes takes at most 100 ids.")
        asked = [decode_id(each) for each in ids]
        _allowed(info, {name for name, _ in asked})
        batch = Batch({name: [key for of, key in asked if of == name] for name, _ in asked})
        own = await organization_of(info) if "Organization" in batch.keys else None
        return [_node(each, batch=batch, own=own) for each in ids]

    @strawberry.field(description="The token that asks.")
    def viewer(self, info: ApiInfo) -> Viewer:
        """Tell who asks."""
        return viewer_of(info)

    @strawberry.field(description="The organization of the token.")
    async def organization(self, info: ApiInfo) -> Organization:
        """Read the organization."""
        return await organization_of(info)

    @strawberry.field(description="Systems that can be connected.")
    def systems(self) -> list[System]:
        """Read the catalogue."""
        everything: Any = Read("System")
        return everything

    connection = _one("ConnectedSystem", ConnectedSystem, "A connection by its id.")
    sync_run = _one("SyncRun", SyncRun, "A sync run by its id.")
    write_operation = _one("WriteOperation", WriteOperation, "A write operation by its id.")
    purchase_order = _one("PurchaseOrder", PurchaseOrder, "A purchase order by its id.")
    work_order = _one("WorkOrder", WorkOrder, "A work order by its id.")
    vendor = _one("Vendor", Vendor, "A vendor by its id.")
    item = _one("Item", Item, "An item by its id.")
    inventory_level = _one("InventoryLevel", InventoryLevel, "An inventory level by its id.")
    asset = _one("Asset", Asset, "An asset by its id.")
    location = _one("Location", Location, "A location by its id.")
    api_keys: ApiKeyConnection = list_field(
        "ApiKey",
        ApiKeyConnection,
        "Bearer tokens that the token sees: keys of the organization and tokens of connections.",
    )
    connections: ConnectedSystemConnection = list_field(
        "ConnectedSystem", ConnectedSystemConnection, "Connections of the organization."
    )
    sync_runs: SyncRunConnection = list_field("SyncRun", SyncRunConnection, "Sync runs.", of_connection=True)
    write_operations: WriteOperationConnection = list_field(
        "WriteOperation", WriteOperationConnection, "Write operations.", of_connection=True
    )
    request_log: RequestLogConnection = list_field(
        "RequestLog",
        RequestLogConnection,
        "Requests of the organization's tokens; for organization keys with the scope ADMIN.",
        of_connection=True,
        only=TokenScope.ADMIN,
    )
    audit_log: AuditEntryConnection = list_field(
        "AuditEntry",
        AuditEntryConnection,
        "Changes of configuration: who made them, and what they changed; for organization keys with the scope ADMIN.",
        of_connection=True,
        only=TokenScope.ADMIN,
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
    assets: AssetConnection = list_field("Asset", AssetConnection, "Assets.", of_connection=True)
    locations: LocationConnection = list_field("Location", LocationConnection, "Locations.", of_connection=True)


def _allowed(info: ApiInfo, names: set[str]) -> None:
    """Refuse a connection's token what only the organization manages."""
    if names & _MANAGED:
        info.context.who.require_organization(TokenScope.READ)


def _node(text: str, *, batch: Batch | None = None, own: Organization | None) -> Any:
    type_name, key = decode_id(text)
    if type_name == "Organization":
        return own if own is not None and own.id == text else None
    if type_name not in _READABLE:
        raise InvalidId(f"{text!r} names a {type_name}, which cannot be read by id.")
    return Read(type_name, one=key, batch=batch)


_READABLE = {
    of.__name__
    for of in (
        ApiKey,
        CreditEntry,
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
        Asset,
        Location,
        WebhookEndpoint,
        WebhookDelivery,
    )
}
_MANAGED = {WebhookEndpoint.__name__, WebhookDelivery.__name__}
