"""Finding the records that people mean by a code or a name."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.base import Referable
from connectors.errors import BadResponse, PermissionRefused
from connectors.odoo.client import Client

# Tried in order; the first that finds anything decides, so that a code beats a like-sounding name.
LOOKUPS: Final[Mapping[Referable, tuple[str, tuple[str, ...]]]] = {
    "vendor": ("res.partner", ("ref", "name")),
    "item": ("product.product", ("default_code", "barcode")),
    "payment_terms": ("account.payment.term", ("name",)),
    "location": ("stock.location", ("complete_name", "barcode", "name")),
    "work_location": ("stock.location", ("complete_name", "barcode", "name")),
    "asset": ("maintenance.equipment", ("serial_no", "name")),
}
_ENOUGH: Final = 10


async def resolve(client: Client, kind: Referable, code: str) -> list[str]:
    """Give the keys of the active records called exactly so: 0, 1 or up to 10; a warehouse stands for its stock."""
    model, fields = LOOKUPS[kind]
    found = await find_exact(client, model, fields, code)
    if not found and kind == "location":
        try:
            rows = await client.find("stock.warehouse", [["code", "=", code]], ["lot_stock_id"], limit=_ENOUGH)
        except (PermissionRefused, BadResponse):
            rows = []
        found = [row["lot_stock_id"][0] for row in rows if row["lot_stock_id"]]
    return [str(key) for key in found]


async def find_exact(
    client: Client, model: str, fields: Sequence[str], code: str, *, domain: Sequence[Any] = ()
) -> list[int]:
    """Give the ids of active records whose first matching field of `fields` equals `code`."""
    known = await client.fields(model)
    for field in fields if code else ():
        if field in known:
            rows = await client.find(model, [[field, "=", code], *domain], ["id"], limit=_ENOUGH)
            if rows:
                return [row["id"] for row in rows]
    return []
