"""What can be written to Tryton, and where each change is carried out."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from connectors.base import Change, Wire, WriteSpec, Written
from connectors.errors import Unsupported
from connectors.tryton import orders, productions, stock, vendors
from connectors.tryton.client import Client
from connectors.tryton.journal import Journal
from db.types import Entity, Operation

_LINE: Final = ("description", "quantity", "unit", "unit_price", "required_date")
_NEW_LINE: Final = ("item_source_id", *_LINE, "location")
_HEADER: Final = ("order_date", "required_date", "payment_terms", "ship_to", "vendor_reference", "notes")
_VENDOR: Final = ("name", "number", "email", "phone", "currency", "payment_terms")
_WORK: Final = ("quantity", "unit", "scheduled_start_at", "scheduled_end_at")

WRITES: Final[Mapping[tuple[Entity, Operation], WriteSpec]] = {
    (Entity.PURCHASE_ORDER, Operation.CREATE): WriteSpec(
        required=frozenset({"vendor_source_id", "lines.quantity"}),
        writable=frozenset(
            {"vendor_source_id", "currency", *_HEADER, "lines", *(f"lines.{field}" for field in _NEW_LINE)}
        ),
        reference_field=orders.REFERENCE_FIELD,
        look="Search Tryton's purchases for the reference in their description.",
    ),
    (Entity.PURCHASE_ORDER, Operation.UPDATE): WriteSpec(
        writable=frozenset({*_HEADER, "lines", *(f"lines.{field}" for field in _NEW_LINE)}),
        transitions={
            "SUBMIT": frozenset({"PENDING_APPROVAL"}),
            "APPROVE": frozenset({"APPROVED", "PARTIALLY_RECEIVED", "RECEIVED", "CLOSED"}),
        },
        look="Open the purchase in Tryton and compare it with what was asked.",
    ),
    (Entity.PURCHASE_ORDER, Operation.CANCEL): WriteSpec(),
    (Entity.PURCHASE_ORDER, Operation.DELETE): WriteSpec(),
    (Entity.WORK_ORDER, Operation.CREATE): WriteSpec(
        required=frozenset({"item_source_id", "quantity"}),
        writable=frozenset({"item_source_id", "location", *_WORK}),
        reference_field=productions.REFERENCE_FIELD,
        look="Search Tryton's productions for the reference.",
    ),
    (Entity.WORK_ORDER, Operation.UPDATE): WriteSpec(
        writable=frozenset(_WORK),
        transitions={
            "RELEASE": frozenset({"WAITING"}),
            "READY": frozenset({"SCHEDULED"}),
            "START": frozenset({"IN_PROGRESS"}),
            "CLOSE": frozenset({"CLOSED"}),
            "CANCEL": frozenset({"CANCELLED"}),
        },
        look="Open the production in Tryton and compare it with what was asked.",
    ),
    # A party has no free field that would keep our reference.
    (Entity.VENDOR, Operation.CREATE): WriteSpec(
        required=frozenset({"name"}),
        writable=frozenset({*_VENDOR, "addresses"}),
        look="Search Tryton's parties for the name: if it is there, the vendor was made; if not, create it again.",
    ),
    (Entity.VENDOR, Operation.UPDATE): WriteSpec(
        writable=frozenset({*_VENDOR, "active"}), look="Open the party in Tryton and compare it with what was asked."
    ),
    (Entity.INVENTORY_LEVEL, Operation.ADJUST): WriteSpec(
        required=frozenset({"item_source_id", "location"}),
        writable=frozenset({"item_source_id", "location", "quantity", "delta", "unit"}),
        reference_field=stock.REFERENCE_FIELD,
        look="Search Tryton's inventories for the number.",
    ),
}


async def write(
    client: Client,
    change: Change,
    *,
    units: Mapping[str, str],
    warehouse: str | None,
    first_address: bool,
    wire: Wire,
) -> Written:
    """Carry a change to Tryton.

    Raises:
        WriteRejected: Tryton, or Tryton's own rules for people, refuse it; nothing was changed, except where the
            refusal is of a step after other changes, which `source_message` or the message then says.
        VersionConflict: It changed meanwhile. OutcomeUnknown, SourceUnavailable: see Journal.outcome.
    """
    journal = Journal(client, wire)
    carry: Mapping[tuple[Entity, Operation], Callable[[], Awaitable[Written]]] = {
        (Entity.PURCHASE_ORDER, Operation.CREATE): lambda: orders.create(
            journal, change, units=units, warehouse=warehouse, first_address=first_address
        ),
        (Entity.PURCHASE_ORDER, Operation.UPDATE): lambda: orders.update(journal, change, units=units),
        (Entity.PURCHASE_ORDER, Operation.CANCEL): lambda: orders.cancel(journal, change),
        (Entity.PURCHASE_ORDER, Operation.DELETE): lambda: orders.delete(journal, change),
        (Entity.WORK_ORDER, Operation.CREATE): lambda: productions.create(
            journal, change, units=units, warehouse=warehouse
        ),
        (Entity.WORK_ORDER, Operation.UPDATE): lambda: productions.update(journal, change, units=units),
        (Entity.VENDOR, Operation.CREATE): lambda: vendors.create(journal, change),
        (Entity.VENDOR, Operation.UPDATE): lambda: vendors.update(journal, change),
        (Entity.INVENTORY_LEVEL, Operation.ADJUST): lambda: stock.adjust(journal, change, units=units),
    }
    asked = change.entity, change.operation
    if asked not in carry:
        raise Unsupported(f"Tryton's {change.entity} has no {change.operation}.")
    async with journal.outcome():
        return await carry[asked]()


async def find(client: Client, change: Change) -> list[str]:
    """Give the keys of the records that carry a change's reference."""
    if change.entity is Entity.INVENTORY_LEVEL:
        return await stock.find(client, change)
    look = productions.find if change.entity is Entity.WORK_ORDER else orders.find
    return [str(key) for key in await look(client, change.reference)]
