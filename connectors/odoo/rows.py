"""Rows as Odoo gives them, made plain: false is nothing unless it is a truth value; custom fields lie apart."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from connectors.base import JsonObject

CUSTOM: Final = "x_"
"""Under this name lie an item's custom fields, which all begin so."""
_CUSTOM_TYPES: Final = frozenset({
    "char", "text", "html", "integer", "float", "monetary", "boolean", "date", "datetime", "selection", "many2one",
})  # fmt: skip
Kinds = Mapping[str, JsonObject]


def wanted(candidates: Iterable[str], kinds: Kinds, *, custom: bool = True) -> list[str]:
    """Give the fields to ask for: of those we know the ones that there are, and the custom ones that can be shown."""
    own = [name for name in candidates if name in kinds]
    if custom:
        own += sorted(name for name, kind in kinds.items() if name.startswith(CUSTOM) and kind["type"] in _CUSTOM_TYPES)
    return own


def plain(row: Mapping[str, Any], kinds: Kinds) -> JsonObject:
    """Make a row plain."""
    made: JsonObject = {}
    custom: JsonObject = {}
    for name, value in row.items():
        told = None if value is False and name in kinds and kinds[name]["type"] != "boolean" else value
        if name.startswith(CUSTOM):
            custom[name] = told
        else:
            made[name] = told
    if custom:
        made[CUSTOM] = custom
    return made


def key_of(value: Any) -> int | None:
    """Give the key of a reference, which is `[key, name]`, or false."""
    return value[0] if isinstance(value, list) and value else None
