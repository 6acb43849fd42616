"""What can be written to Odoo, and where each change is carried out."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from connectors.base import Change, WriteSpec, Written
from connectors.errors import Unsupported
from connectors.odoo.client import Client
from connectors.odoo.forms import OdooWriteDefaults
from connectors.odoo.units import unit_map
from connectors.odoo.write import orders, stock, vendors, work
from connectors.odoo.write.journal import Journal
from db.types import Entity, Operation

_HEADER: Final = frozenset({
    "order_date", "required_date", "payment_terms", "ship_to", "vendor_reference", "notes", "custom_fields",
})  # fmt: skip
_LINE: Final = frozenset(
    f"lines.{name}"
    for name in ("item_source_id", "description", "quantity", "unit", "unit_price", "required_date", "custom_fields")
)
_VENDOR: Final = frozenset({"name", "number", "tax_id", "email", "phone", "currency", "payment_terms"})
_WORK: Final = frozenset({
    "title", "description", "priority", "asset_source_id", "scheduled_start_at", "scheduled_end_at", "custom_fields",
})  # fmt: skip

WRITES: Final[Mapping[tuple[Entity, Operation], WriteSpec]] = {
    (Entity.PURCHASE_ORDER, Operation.CREATE): WriteSpec(
        required=frozenset({"vendor_source_id", "lines", "lines.item_source_id", "lines.quantity"}),
        writable=_HEADER | _LINE | {"vendor_source_id", "currency", "lines"},
        reference_field=orders.REFERENCE_FIELD,
        look='Search Odoo\'s purchase orders for the reference in "Source Document".',
    ),
    (Entity.PURCHASE_ORDER, Operation.UPDATE): WriteSpec(
        writable=_HEADER | _LINE | {"lines"},
        transitions={
            "APPROVE": frozenset({"APPROVED", "PENDING_APPROVAL", "PARTIALLY_RECEIVED", "RECEIVED", "CLOSED"})
        },
        look="Open the order in Odoo and compare it with what was asked.",
    ),
    (Entity.PURCHASE_ORDER, Operation.CANCEL): WriteSpec(look="Open the order in Odoo: is it cancelled?"),
    (Entity.PURCHASE_ORDER, Operation.DELETE): WriteSpec(look="Search Odoo's purchase orders for the number."),
    (Entity.WORK_ORDER, Operation.CREATE): WriteSpec(
        required=frozenset({"title"}),
        writable=_WORK | {"native_type"},
        reference_field=work.REFERENCE_FIELD,
        look="Search Odoo's maintenance requests for the reference in their notes.",
    ),
    (Entity.WORK_ORDER, Operation.UPDATE): WriteSpec(
        writable=_WORK,
        transitions={
            "START": frozenset({"IN_PROGRESS"}),
            "COMPLETE": frozenset({"COMPLETED"}),
            "CLOSE": frozenset({"COMPLETED"}),
            "REOPEN": frozenset({"APPROVED", "SCHEDULED"}),
            "CANCEL": frozenset({"CANCELLED"}),
        },
        look="Open the maintenance request in Odoo and compare it with what was asked.",
    ),
    (Entity.VENDOR, Operation.CREATE): WriteSpec(
        required=frozenset({"name"}),
        writable=_VENDOR | {"addresses"},
        reference_field=vendors.REFERENCE_FIELD,
        look="Search Odoo's contacts for the reference in their internal notes.",
    ),
    (Entity.VENDOR, Operation.UPDATE): WriteSpec(
        writable=(_VENDOR - {"tax_id"}) | {"active"},
        look="Open the contact in Odoo and compare it with what was asked.",
    ),
    # A count is a quantity on a stock row: there is no document that could keep our reference.
    (Entity.INVENTORY_LEVEL, Operation.ADJUST): WriteSpec(
        required=frozenset({"item_source_id", "location"}),
        writable=frozenset({"item_source_id", "location", "lot", "quantity", "delta", "unit"}),
        look="Look at the moves of the product in Odoo: is the adjustment there?",
    ),
}


async def write(journal: Journal, change: Change, defaults: OdooWriteDefaults) -> Written:
    """Carry a change to Odoo.

    Raises:
        WriteRejected: Odoo, or its rules for people, refuse it. VersionConflict: it changed meanwhile.
        OutcomeUnknown, SourceUnavailable: see Journal.outcome. Unsupported: Odoo has no such operation.
    """
    units = unit_map(defaults.unit_map)
    carry: Mapping[tuple[Entity, Operation], Callable[[], Awaitable[Written]]] = {
        (Entity.PURCHASE_ORDER, Operation.CREATE): lambda: orders.create(journal, change, defaults, units),
        (Entity.PURCHASE_ORDER, Operation.UPDATE): lambda: orders.update(journal, change, units),
        (Entity.PURCHASE_ORDER, Operation.CANCEL): lambda: orders.cancel(journal, change),
        (Entity.PURCHASE_ORDER, Operation.DELETE): lambda: orders.delete(journal, change),
        (Entity.WORK_ORDER, Operation.CREATE): lambda: work.create(journal, change, defaults),
        (Entity.WORK_ORDER, Operation.UPDATE): lambda: work.update(journal, change),
        (Entity.VENDOR, Operation.CREATE): lambda: vendors.create(journal, change),
        (Entity.VENDOR, Operation.UPDATE): lambda: vendors.update(journal, change),
        (Entity.INVENTORY_LEVEL, Operation.ADJUST): lambda: stock.adjust(journal, change, units),
    }
    asked = change.entity, change.operation
    spec = WRITES.get(asked)
    if spec is None or (change.transition and change.transition not in spec.transitions):
        raise Unsupported(f"Odoo cannot {change.transition or change.operation} a {change.entity}.")
    async with journal.outcome():
        return await carry[asked]()


async def find(client: Client, change: Change) -> list[str]:
    """Give the keys of the records that carry a change's reference."""
    look = {Entity.PURCHASE_ORDER: orders.find, Entity.VENDOR: vendors.find, Entity.WORK_ORDER: work.find}
    return [str(key) for key in await look[change.entity](client, change.reference)]
