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
        "location_source_id",
        "site",
        "scheduled_start_at",
        "scheduled_end_at",
        "due_at",
        "assignee",
        "custom_fields",
    }
)

_TITLE: Final = {"title": 40}
_TEXTS: Final = {"lines.description": 40, "lines.vendor_item_code": 35}

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
        max_length=_TEXTS,
        reference_field=orders.REFERENCE,
        look='Search SAP\'s purchase orders for the reference in "Your Reference".',
    ),
    (Entity.PURCHASE_ORDER, Operation.UPDATE): WriteSpec(
        writable=_LINE | {"vendor_reference", "required_date", "payment_terms", "notes", "custom_fields", "lines"},
        max_length=_TEXTS,
        look="Open the order in SAP and compare it with what was asked.",
    ),
    (Entity.PURCHASE_ORDER, Operation.CANCEL): WriteSpec(look="Open the order in SAP: are all its items deleted?"),
    (Entity.WORK_ORDER, Operation.CREATE): WriteSpec(
        required=frozenset({"title"}),
        writable=_WORK | {"native_type", "tasks"},
        max_length=_TITLE,
        # None of a maintenance order's texts is free for a reference of ours: each means something to its planners.
        look="List SAP's maintenance orders of the connection's user by their creation: is one with this title there?",
    ),
    (Entity.WORK_ORDER, Operation.UPDATE): WriteSpec(
        # Type and planning plant cannot change (sap:updatable="false"); the maintenance plant comes from the asset.
        writable=_WORK - {"site"},
        transitions=work.ENDS,
        max_length=_TITLE,
        look="Open the maintenance order in SAP and compare it with what was asked.",
    ),
    (Entity.VENDOR, Operation.CREATE): WriteSpec(
        required=frozenset({"name", "addresses"}),
        writable=frozenset({"name", "tax_id", "email", "phone", "addresses", "currency", "payment_terms"}),
        max_length={"name": 160, "tax_id": 20},
        reference_field=vendors.REFERENCE,
        look="Search SAP's business partners for the reference in their number in the external system.",
    ),
    (Entity.VENDOR, Operation.UPDATE): WriteSpec(
        writable=frozenset({"name", "currency", "payment_terms", "active", "blocked_for_purchasing"}),
        max_length={"name": 160},
        look="Open the supplier in SAP and compare it with what was asked.",
    ),
    (Entity.INVENTORY_LEVEL, Operation.ADJUST): WriteSpec(
        required=frozenset({"item_source_id"}),
        writable=frozenset({"item_source_id", "location", "lot", "quantity", "delta", "unit", "reason"}),
        max_length={"lot": 10, "reason": 50},
        reference_field=stock.REFERENCE,
        look="Search SAP's material documents for the reference.",
    ),
}
