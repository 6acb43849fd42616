"""What can be written to Tryton, and where each change is carried out."""

from collections.abc import Mapping
from typing import Final

from connectors.base import Change, WriteSpec, Written
from connectors.errors import Unsupported
from connectors.tryton import orders, vendors
from connectors.tryton.client import Client
from connectors.tryton.journal import Journal
from db.types import Entity, Operation

_LINE: Final = ("description", "quantity", "unit", "unit_price", "required_date")
_NEW_LINE: Final = ("item_source_id", *_LINE, "location")
_HEADER: Final = ("order_date", "required_date", "payment_terms", "ship_to", "vendor_reference", "notes")
_VENDOR: Final = ("name", "number", "email", "phone", "currency", "payment_terms")

WRITES: Final[Mapping[tuple[Entity, Operation], WriteSpec]] = {
    (Entity.PURCHASE_ORDER, Operation.CREATE): WriteSpec(
        required=frozenset({"vendor_source_id", "lines.quantity"}),
        writable=frozenset(
            {"vendor_source_id", "currency", *_HEADER, "lines", *(f"lines.{field}" for field in _NEW_LINE)}
        ),
        reference_field=orders.REFERENCE_FIELD,
    ),
    (Entity.PURCHASE_ORDER, Operation.UPDATE): WriteSpec(
        writable=frozenset({*_HEADER, "lines", *(f"lines.{field}" for field in _NEW_LINE)}),
        transitions=frozenset({"SUBMIT", "APPROVE"}),
    ),
    (Entity.PURCHASE_ORDER, Operation.CANCEL): WriteSpec(),
    (Entity.PURCHASE_ORDER, Operation.DELETE): WriteSpec(),
    # A party has no free field that would keep our reference.
    (Entity.VENDOR, Operation.CREATE): WriteSpec(
        required=frozenset({"name"}), writable=frozenset({*_VENDOR, "addresses"})
    ),
    (Entity.VENDOR, Operation.UPDATE): WriteSpec(writable=frozenset({*_VENDOR, "active"})),
}


async def write(
    client: Client, change: Change, *, units: Mapping[str, str], warehouse: str | None, first_address: bool
) -> Written:
    """Carry a change to Tryton.

    Raises:
        WriteRejected: Tryton, or Tryton's own rules for people, refuse it; nothing was changed, except where the
            refusal is of a step after other changes, which `source_message` or the message then says.
        VersionConflict: It changed meanwhile. OutcomeUnknown, SourceUnavailable: see Journal.outcome.
    """
    journal = Journal(client)
    async with journal.outcome():
        match change.entity, change.operation:
            case Entity.PURCHASE_ORDER, Operation.CREATE:
                return await orders.create(
                    journal, change, units=units, warehouse=warehouse, first_address=first_address
                )
            case Entity.PURCHASE_ORDER, Operation.UPDATE:
                return await orders.update(journal, change, units=units)
            case Entity.PURCHASE_ORDER, Operation.CANCEL:
                return await orders.cancel(journal, change)
            case Entity.PURCHASE_ORDER, Operation.DELETE:
                return await orders.delete(journal, change)
            case Entity.VENDOR, Operation.CREATE:
                return await vendors.create(journal, change)
            case Entity.VENDOR, Operation.UPDATE:
                return await vendors.update(journal, change)
    raise Unsupported(f"Tryton's {change.entity} has no {change.operation}.")
