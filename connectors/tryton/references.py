"""Finding the records that people mean by a code or a name."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.base import Referable
from connectors.tryton.client import Client

# Tried in order; the first that finds anything decides, so that a code beats a like-sounding name.
LOOKUPS: Final[Mapping[Referable, tuple[str, tuple[str, ...]]]] = {
    "vendor": ("party.party", ("code", "name")),
    "item": ("product.product", ("code",)),
    "payment_terms": ("account.invoice.payment_term", ("name",)),
    "location": ("stock.location", ("code", "name")),
    "work_location": ("stock.location", ("code", "name")),
}
_ENOUGH: Final = 10


async def resolve(client: Client, kind: Referable, code: str) -> list[str]:
    """Give the keys of the active records called exactly so: 0, 1 or up to 10."""
    if kind not in LOOKUPS:
        return []  # equipment: no module of Tryton's own keeps any
    model, fields = LOOKUPS[kind]
    return [str(found) for found in await find_exact(client, model, fields, code)]


async def find_exact(
    client: Client, model: str, fields: Sequence[str], code: str, *, domain: Sequence[Any] = ()
) -> list[int]:
    """Give the ids of active records whose first matching field of `fields` equals `code`."""
    for field in fields if code else ():
        rows = await client.find(model, [[field, "=", code], *domain], ["id"], limit=_ENOUGH)
        if rows:
            return [row["id"] for row in rows]
    return []
