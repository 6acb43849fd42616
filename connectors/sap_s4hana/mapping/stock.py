"""Inventory levels: A_MatlStkInAcctMod, one row for each material, place, batch, owner and stock type."""

from typing import Any, Final

from connectors.mapping import EntityMapping, To, unit
from connectors.sap_s4hana import values as v
from connectors.sap_s4hana.status import stock_class
from db.models.inventory.inventory_level import InventoryLevelFields


def native_class(stock_type: Any, special: Any) -> str | None:
    """Join stock type and special stock indicator, e.g. `01/E`."""
    return "/".join(filter(None, (v.text(stock_type), v.text(special)))) or None


def owners(*told: Any) -> dict[str, Any]:
    """Tell whose special stock it is."""
    return {name: value for name, value in zip(_OWNERS, told, strict=True) if value and value.strip("0")}


_OWNERS: Final = (
    "InventorySpecialStockType",
    "Supplier",
    "Customer",
    "WBSElementExternalID",
    "SDDocument",
    "SDDocumentItem",
)

INVENTORY_LEVEL: Final = EntityMapping(
    InventoryLevelFields,
    (
        To("item_source_id", "Material", v.text),
        To("item_code", "Material", v.text),
        To("site", "Plant", v.text),
        To("location", ("Plant", "StorageLocation"), v.place),
        To("lot", "Batch", v.text),
        To("stock_class", "InventoryStockType", stock_class),
        To("native_stock_class", ("InventoryStockType", "InventorySpecialStockType"), native_class),
        To("on_hand", "MatlWrhsStkQtyInMatlBaseUnit", v.exact),
        To("unit", "MaterialBaseUnit", unit),
        To("native_unit", "MaterialBaseUnit", v.text),
        To("custom_fields", _OWNERS, owners),
    ),
    # A_MatlStkInAcctMod tells how much lies there, and nothing of plans (its metadata).
    absent=frozenset({"bin", "reserved", "available", "on_order", "as_of"}),
)
