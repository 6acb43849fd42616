"""Which fields Odoo itself has, by version: published.json, which says where it comes from."""

from collections.abc import Mapping
from typing import Final

from sandbox.kit.published import beside
from sandbox.odoo.schema.model import VERSIONS, models_of

_OLDEST: Final = 16
"""Of this version, orders alone are known."""
_LINES, CUSTOM = "lines", "x_"
_REACHED: Final = {_LINES: "purchase.order.line", "warehouse": "stock.warehouse"}
"""What no reference leads to, and items hold: a name → its model."""
_BESIDE: Final = {"maintenance.stage": {"first"}}
"""What whoever reads lays beside a model's own fields: whether a stage comes first."""


def fields(model: str, version: int) -> Mapping[str, str] | None:
    """Give a model's fields in a version, with their types; None where that is not known."""
    if version == _OLDEST:
        told: Mapping[str, str] | None = beside(__file__)["16.0"] if model == "purchase.order" else None
        return told
    found = {}
    for name, text in beside(__file__)["models"].get(model, {}).items():
        for one in text.split("; "):
            kind, _, versions = one.partition(" ")
            first, _, last = (versions or "17-19").partition("-")
            if int(first) <= version <= int(last or first):
                found[name] = kind
    return found


def names(model: str, path: tuple[str, ...]) -> set[str] | None:
    """Give the names at a place of an item, of all versions: mappings look for old and new. None among custom ones."""
    for step in path:
        if step == CUSTOM:
            return None
        name = step.rstrip(".")
        model = _REACHED.get(name) or next(
            field.relation
            for version in VERSIONS
            if (field := models_of(version)[model].fields.get(name) if model in models_of(version) else None)
        )
    told = beside(__file__)
    own = set(told["models"][model]) | (set(told["16.0"]) if model == "purchase.order" else set())
    return own | {CUSTOM, *_REACHED} | _BESIDE.get(model, set())
