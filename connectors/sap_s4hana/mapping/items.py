"""Items: A_Product with its descriptions and valuations."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from connectors.mapping import EntityMapping, To, unit
from connectors.sap_s4hana import values as v
from db.models.items.item import ItemFields, ItemType

Rows = Sequence[v.Row] | None

TYPES: Final = {
    "ROH": ItemType.STOCK,
    "HALB": ItemType.STOCK,
    "FERT": ItemType.STOCK,
    "HAWA": ItemType.STOCK,
    "HIBE": ItemType.STOCK,
    "VERP": ItemType.STOCK,
    "ERSA": ItemType.STOCK,
    "NLAG": ItemType.NON_STOCK,
    "UNBW": ItemType.NON_STOCK,
    "DIEN": ItemType.SERVICE,
    "SERV": ItemType.SERVICE,
}
"""Product types of the standard system; a tenant's own types are UNKNOWN."""


def item_type(product_type: Any) -> ItemType:
    """Judge a product type."""
    return TYPES.get(product_type or "", ItemType.UNKNOWN)


def description(rows: Rows) -> str | None:
    """Give the English description, else the first."""
    told = [row for row in rows or () if row.get("ProductDescription")]
    chosen = next((row for row in told if row.get("Language") == "EN"), told[0] if told else None)
    return v.text(chosen["ProductDescription"]) if chosen else None


def _valuation(rows: Rows) -> v.Row | None:
    """Give the one valuation; costs of several plants are not one cost."""
    told = [row for row in rows or () if not row.get("IsMarkedForDeletion")]
    return told[0] if len(told) == 1 else None


def cost(rows: Rows) -> Decimal | None:
    """Give the standard price of one unit, or the moving average where the product is kept at that (control V)."""
    row = _valuation(rows)
    if row is None:
        return None
    moving = row.get("InventoryValuationProcedure") == "V"
    return v.unit_price(row.get("MovingAveragePrice" if moving else "StandardPrice"), row.get("PriceUnitQty"))


def cost_currency(rows: Rows) -> str | None:
    """Give the currency of that cost."""
    row = _valuation(rows)
    return v.text(row.get("Currency")) if row else None


def active(deleted: Any) -> bool:
    """Tell whether the product is not marked for deletion."""
    return not deleted


ITEM: Final = EntityMapping(
    ItemFields,
    (
        To("code", "Product", v.text),
        To("description", "to_Description", description),
        To("type", "ProductType", item_type),
        To("native_type", "ProductType", v.text),
        To("category", "ProductGroup", v.text),
        To("base_unit", "BaseUnit", unit),
        To("purchase_unit", "PurchaseOrderQuantityUnit", unit),
        To("gtin", "ProductStandardID", v.text),
        To("active", "IsMarkedForDeletion", active),
        To("standard_cost", "to_Valuation", cost),
        To("cost_currency", "to_Valuation", cost_currency),
        To("custom_fields", "YY1_", v.custom),
    ),
)
