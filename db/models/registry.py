"""Every entity and every readable type, declared once: one line each."""

from dataclasses import dataclass
from typing import Final

from sqlmodel import SQLModel

from db.models.audit import AuditEntry
from db.models.base import Computed, EntityRow, Fields, Many, One
from db.models.capability import Capability
from db.models.connection import ConnectedEntity, ConnectedSystem, System
from db.models.event import Event
from db.models.health import ConnectionError, ConnectionHealth, Issue  # noqa: A004  (the name in the API)
from db.models.history import RecordVersion
from db.models.inventory.inventory_level import InventoryLevel, InventoryLevelFields
from db.models.inventory.location import Location, LocationFields
from db.models.items.item import Item, ItemFields
from db.models.maintenance.asset import Asset, AssetFields
from db.models.maintenance.work_order import WorkOrder, WorkOrderFields
from db.models.organization import ApiKey, CreditEntry
from db.models.parties.vendor import Vendor, VendorFields
from db.models.purchasing.purchase_order import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderLineFields,
    PurchaseOrderRecord,
)
from db.models.records import beside, record_id, versions
from db.models.request import RequestLog
from db.models.sync import QuarantinedItem, RawItem, SyncRun
from db.models.webhook import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from db.models.write import WriteOperation
from db.types import Entity


@dataclass(frozen=True, slots=True)
class Child:
    """Rows that live and die with a record.

    Attributes:
        name: The record's field that holds them.
        table: Where they are stored.
        fields: What validates one.
        parent_key: Their column that holds the record's id.
        key: Their field that tells them apart within a record, from version to version.
    """

    name: str
    table: type[SQLModel]
    fields: type[Fields]
    parent_key: str
    key: str


@dataclass(frozen=True, slots=True)
class EntitySpec:
    """One kind of record.

    Attributes:
        entity: Its name in the API's enum.
        record: The class that validates a whole record.
        table: Where it is stored; its class name is the API's type.
        children: Rows stored beside it.
    """

    entity: Entity
    record: type[Fields]
    table: type[EntityRow]
    children: tuple[Child, ...] = ()

    @property
    def type_name(self) -> str:
        """The API's type, e.g. `PurchaseOrder`."""
        return self.table.__name__

    @property
    def event_prefix(self) -> str:
        """Begins its event types, e.g. `purchase_order`."""
        return str(self.table.__tablename__)


ENTITIES: Final = (
    EntitySpec(
        Entity.PURCHASE_ORDER,
        PurchaseOrderRecord,
        PurchaseOrder,
        (Child("lines", PurchaseOrderLine, PurchaseOrderLineFields, "purchase_order_id", "source_line_id"),),
    ),
    EntitySpec(Entity.WORK_ORDER, WorkOrderFields, WorkOrder),
    EntitySpec(Entity.VENDOR, VendorFields, Vendor),
    EntitySpec(Entity.ITEM, ItemFields, Item),
    EntitySpec(Entity.INVENTORY_LEVEL, InventoryLevelFields, InventoryLevel),
    EntitySpec(Entity.ASSET, AssetFields, Asset),
    EntitySpec(Entity.LOCATION, LocationFields, Location),
)
SPECS: Final = {spec.entity: spec for spec in ENTITIES}
SPECS_BY_TYPE: Final = {spec.type_name: spec for spec in ENTITIES}

for _spec in ENTITIES:
    _spec.table.relations["raw_item"] = One(
        "RawItem", {"connection_id": "connection_id", "source_id": "source_id"}, only={"entity": _spec.entity.value}
    )
    _spec.table.relations["history"] = Many(
        "RecordVersion",
        {"connection_id": "connection_id", "record_id": "id"},
        paged=True,
        order=("-version",),
        only={"entity": _spec.entity.value},
    )
    _spec.table.computed = beside(_spec.table, _spec.entity, {each.type_name: each.entity for each in ENTITIES})
ConnectedEntity.computed["record_count"] = Computed(
    int,
    "Records stored and not deleted; counted only when selected.",
    "CASE {row}.entity "
    + " ".join(
        f"WHEN '{spec.entity}' THEN (SELECT count(*) FROM {spec.table.__tablename__} counted"
        " WHERE counted.connection_id = {row}.connection_id AND counted.deleted_at IS NULL)"
        for spec in ENTITIES
    )
    + " ELSE 0 END",
    nullable=False,
)

RecordVersion.source = versions({spec.event_prefix: spec.entity for spec in ENTITIES})
for _of, _nullable in ((RecordVersion, False), (Event, True)):
    _of.computed["record_id"] = record_id({spec.type_name: spec.entity for spec in ENTITIES}, nullable=_nullable)

READABLE: Final[tuple[type[SQLModel], ...]] = (
    System,
    ConnectedSystem,
    ConnectedEntity,
    ConnectionHealth,
    Capability,
    SyncRun,
    RawItem,
    QuarantinedItem,
    Issue,
    ConnectionError,
    WriteOperation,
    ApiKey,
    CreditEntry,
    RequestLog,
    AuditEntry,
    RecordVersion,
    Event,
    WebhookEndpoint,
    WebhookDelivery,
    WebhookAttempt,
    *(spec.table for spec in ENTITIES),
    *(child.table for spec in ENTITIES for child in spec.children),
)
"""Types that one SQL statement can reach."""
