"""What can be written to NetSuite: data, for capabilities and their checks."""

from collections.abc import Mapping
from typing import Final

from connectors.base import WriteSpec
from db.types import Entity, Operation

_EXTERNAL: Final = "externalId"
"""Unique by record type, and free for integrations: where our reference is kept."""
_LINE: Final = frozenset(
    f"lines.{name}"
    for name in (
        "item_source_id",
        "vendor_item_code",
        "description",
        "quantity",
        "unit",
        "unit_price",
        "required_date",
        "location",
        "custom_fields",
    )
)
_ORDER: Final = frozenset({
    "vendor_reference", "currency", "order_date", "required_date", "payment_terms", "notes", "custom_fields", "lines",
})  # fmt: skip
_VENDOR: Final = frozenset({"number", "name", "email", "phone", "currency", "payment_terms"})
_LENGTHS: Final = {"vendor_reference": 45, "notes": 999, "lines.description": 4000}
_VENDOR_LENGTHS: Final = {"number": 80, "name": 83, "email": 254, "phone": 32}

WRITES: Final[Mapping[tuple[Entity, Operation], WriteSpec]] = {
    (Entity.PURCHASE_ORDER, Operation.CREATE): WriteSpec(
        required=frozenset({"vendor_source_id", "lines", "lines.item_source_id", "lines.quantity"}),
        writable=_LINE | _ORDER | {"vendor_source_id"},
        max_length=_LENGTHS,
        reference_field=_EXTERNAL,
        look="Search NetSuite's purchase orders for the reference in their external id.",
    ),
    (Entity.PURCHASE_ORDER, Operation.UPDATE): WriteSpec(
        writable=_LINE | _ORDER,
        transitions={"CLOSE": frozenset({"CLOSED", "CANCELLED"})},
        max_length=_LENGTHS,
        look="Open the order in NetSuite and compare it with what was asked.",
    ),
    (Entity.PURCHASE_ORDER, Operation.CANCEL): WriteSpec(look="Open the order in NetSuite: are all its lines closed?"),
    (Entity.PURCHASE_ORDER, Operation.DELETE): WriteSpec(look="Look for the order in NetSuite: is it gone?"),
    (Entity.VENDOR, Operation.CREATE): WriteSpec(
        required=frozenset({"name"}),
        writable=_VENDOR,
        max_length=_VENDOR_LENGTHS,
        reference_field=_EXTERNAL,
        look="Search NetSuite's vendors for the reference in their external id.",
    ),
    (Entity.VENDOR, Operation.UPDATE): WriteSpec(
        writable=_VENDOR | {"active"},
        max_length=_VENDOR_LENGTHS,
        look="Open the vendor in NetSuite and compare it with what was asked.",
    ),
    (Entity.INVENTORY_LEVEL, Operation.ADJUST): WriteSpec(
        required=frozenset({"item_source_id"}),
        writable=frozenset({"item_source_id", "location", "quantity", "delta", "reason"}),
        reference_field=_EXTERNAL,
        look="Search NetSuite's inventory adjustments for the reference in their external id.",
    ),
}
