"""Which columns NetSuite's tables have, as far as anybody tells: published.json, which says where each comes from."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from sandbox.kit.published import beside

_ADDRESS: Final = "entityaddress"
_BOOK: Final = frozenset({"entity", "internalid", "defaultbilling"})
_TABLES: Final = {
    "PURCHASE_ORDER": "transaction",
    "VENDOR": "vendor",
    "ITEM": "item",
    "LOCATION": "location",
    "INVENTORY_LEVEL": "inventoryitemlocations",
}
_LINES, CUSTOM = "lines", "custom"
_BESIDE: Final[Mapping[str, frozenset[str]]] = {
    "PURCHASE_ORDER": frozenset({_LINES, "currency_symbol"}),
    "VENDOR": frozenset({"addresses", "currency_symbol"}),
    "INVENTORY_LEVEL": frozenset({"stockunit_name"}),
}
"""What items hold that is read from other tables."""


@cache
def columns(table: str) -> frozenset[str]:
    """Give the columns that are told of a table somewhere; none of a table that nobody tells of."""
    told = beside(__file__)
    return frozenset(told["copied"].get(table, ())) | frozenset(told["seen"].get(table, ()))


@cache
def unheld(table: str) -> frozenset[str]:
    """Give the columns that are simulated, and told of nowhere."""
    return frozenset(beside(__file__)["unheld"].get(table, ()))


def names(entity: str, path: tuple[str, ...]) -> set[str] | None:
    """Give the names at a place of an entity's items: columns, the texts of references, and what lies beside them."""
    if path and path[-1] == CUSTOM:
        return None
    if path and path[0] != _LINES:
        return {*columns(_ADDRESS), *_BOOK}
    table = "transactionline" if path else _TABLES[entity]
    own = columns(table) | unheld(table)
    texts = {f"{name}_name" for name in own} | {f"{name}_" for name in own if name.endswith("address")}
    return {*own, *texts, CUSTOM, *(() if path else _BESIDE.get(entity, ()))}
