"""What can be written to S/4HANA: data, for capabilities and their checks."""

from collections.abc import Mapping
from typing import Final

from connectors.base import WriteSpec
from connectors.sap_s4hana.write import orders, stock, vendors, work
from db.types import Entity, Operation

_LINE: Final = frozenset(
    f"lines.{name}"
    for name in (
        "item_source_id",
        "vendor_item_code",
        "description",
        "quantity",
        "unit",
        "unit_price",
        "tax_code",
        "required_date",
        "location",
        "account_assignment",
        "custom_fields",
    )
)
_WORK: Final = frozenset(
    {
        "title",
        "priority",
        "asset_source_id",
        "asset_code",
        "location_source_id",
        "location_code",
        "site",
        "scheduled_start_at",
        "scheduled_end_at",
        "due_at",
        "assignee",
        "custom_fields",
    }
)

WRITES: Final[Mapping[tuple[Entity, Operation], WriteSpec]] = {
    (Entity.PURCHASE_ORDER, Operation.CREATE): WriteSpec(
        required=frozenset({"vendor_source_id", "lines", "lines.quantity"}),
        writable=_LINE
        | {
            "vendor_source_id",
            "vendor_reference",
            "currency",
            "order_date",
            "required_date",
            "payment_terms",
            "notes",
            "custom_fields",
            "lines",
        },
        reference_field=orders.REFERENCE,
    ),
    (Entity.PURCHASE_ORDER, Operation.UPDATE): WriteSpec(
        writable=_LINE | {"vendor_reference", "required_date", "payment_terms", "notes", "custom_fields", "lines"}
    ),
    (Entity.PURCHASE_ORDER, Operation.CANCEL): WriteSpec(),
    (Entity.WORK_ORDER, Operation.CREATE): WriteSpec(
        required=frozenset({"title"}), writable=_WORK | {"native_type", "tasks"}
    ),
    (Entity.WORK_ORDER, Operation.UPDATE): WriteSpec(
        # Type and planning plant cannot change (sap:updatable="false"); the maintenance plant comes from the asset.
        writable=_WORK - {"site"},
        transitions=frozenset(work.TRANSITIONS) - {"CANCEL"},
    ),
    (Entity.WORK_ORDER, Operation.CANCEL): WriteSpec(),
    (Entity.VENDOR, Operation.CREATE): WriteSpec(
        required=frozenset({"name", "addresses"}),
        writable=frozenset({"name", "tax_id", "email", "phone", "addresses", "currency", "payment_terms"}),
        reference_field=vendors.REFERENCE,
    ),
    (Entity.VENDOR, Operation.UPDATE): WriteSpec(
        writable=frozenset({"name", "currency", "payment_terms", "active", "blocked_for_purchasing"})
    ),
    (Entity.INVENTORY_LEVEL, Operation.ADJUST): WriteSpec(
        writable=frozenset({"item_source_id", "site", "location", "lot", "quantity", "delta", "unit", "reason"}),
        reference_field=stock.REFERENCE,
    ),
}
