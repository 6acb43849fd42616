"""What the API takes of each entity in each write: names of fields, declared once.

The graph's inputs, the capabilities of connections and the checks before a write are made of it; a connector says
which of them its system takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from db.models.base import Fields
from db.models.inventory.inventory_level import InventoryAdjustment
from db.models.maintenance.work_order import WorkOrderWrite
from db.models.parties.vendor import VendorFields
from db.models.purchasing.purchase_order import PurchaseOrderFields, PurchaseOrderLineFields
from db.types import Entity, Operation


@dataclass(frozen=True, slots=True)
class Input:
    """The fields of one write.

    Attributes:
        record: The class that validates them.
        fields: Their names; those of `REFERENCES` name other records.
        line: The class that validates a line; None where there are no lines.
        lines: The names of a line's fields.
    """

    record: type[Fields]
    fields: tuple[str, ...] = ()
    line: type[Fields] | None = None
    lines: tuple[str, ...] = ()


REFERENCES: Final[Mapping[str, str]] = {
    "vendor": "Who it is placed with.",
    "item": "What it is about: a material, product or service.",
    "payment_terms": "When invoices are due.",
    "location": "Where it goes, lies or is done.",
    "asset": "The equipment that is worked on.",
}
"""Field that names another record → what it says of it."""

_HEADER: Final = ("required_date", "payment_terms", "ship_to", "vendor_reference", "notes", "custom_fields")
_LINE: Final = (
    *("item", "vendor_item_code", "description", "quantity", "unit", "unit_price", "tax_code", "required_date"),
    *("location", "account_assignment", "custom_fields"),
)
_WORK: Final = (
    *("title", "description", "priority", "asset", "location", "scheduled_start_at", "scheduled_end_at", "due_at"),
    *("assignee", "quantity", "unit", "custom_fields"),
)
_VENDOR: Final = ("name", "number", "email", "phone", "currency", "payment_terms")

INPUTS: Final[Mapping[tuple[Entity, Operation], Input]] = {
    (Entity.PURCHASE_ORDER, Operation.CREATE): Input(
        PurchaseOrderFields, ("vendor", "currency", "order_date", *_HEADER), PurchaseOrderLineFields, _LINE
    ),
    (Entity.PURCHASE_ORDER, Operation.UPDATE): Input(
        PurchaseOrderFields, ("order_date", *_HEADER), PurchaseOrderLineFields, _LINE
    ),
    (Entity.PURCHASE_ORDER, Operation.CANCEL): Input(PurchaseOrderFields),
    (Entity.PURCHASE_ORDER, Operation.DELETE): Input(PurchaseOrderFields),
    (Entity.WORK_ORDER, Operation.CREATE): Input(WorkOrderWrite, ("native_type", "site", "item", *_WORK, "tasks")),
    (Entity.WORK_ORDER, Operation.UPDATE): Input(WorkOrderWrite, _WORK),
    (Entity.VENDOR, Operation.CREATE): Input(VendorFields, (*_VENDOR, "tax_id", "addresses")),
    (Entity.VENDOR, Operation.UPDATE): Input(VendorFields, (*_VENDOR, "active", "blocked_for_purchasing")),
    (Entity.INVENTORY_LEVEL, Operation.ADJUST): Input(
        InventoryAdjustment, ("item", "location", "lot", "quantity", "delta", "unit", "reason")
    ),
}
