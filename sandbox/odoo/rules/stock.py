"""Stock: quants are counted and the count applied; nobody writes what is on hand."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.odoo.env import Env
from sandbox.odoo.errors import no_access, user_error
from sandbox.odoo.store import Row
from sandbox.odoo.values import need

MODEL: Final = "stock.quant"
_COUNTED: Final = frozenset({
    "product_id", "location_id", "lot_id", "owner_id", "inventory_quantity", "inventory_quantity_set",
    "inventory_date", "user_id",
})  # fmt: skip


class QuantRules:
    """Rules of `stock.quant`."""

    def defaults(self, env: Env, _values: Row) -> Row:
        """Give what a new quant has where nothing is said."""
        return {
            "quantity": 0.0,
            "reserved_quantity": 0.0,
            "inventory_quantity": 0.0,
            "inventory_quantity_set": False,
            "inventory_diff_quantity": 0.0,
            "company_id": 1,
            "in_date": env.now.replace(microsecond=0),
        }

    def create(self, env: Env, values: Row) -> int:
        """Count a product at a place: of the quant that is there in inventory mode, else of one more."""
        _manager(env, "create")
        counting = bool(env.context.get("inventory_mode"))
        if counting and values.keys() - _COUNTED:
            raise user_error("Quant's creation is restricted, you can't do this operation.")
        same = _like(env, values) if counting else None
        if same is not None:
            self.write(env, same, values)
            return same
        row = _difference({**self.defaults(env, values), **values}, values)
        need(env.model(MODEL), row)
        made: int = env.system.add(MODEL, row, stamp=env.now, uid=env.user.uid)["id"]
        return made

    def write(self, env: Env, number: int, values: Row) -> None:
        """Count a quant."""
        _manager(env, "write")
        if env.context.get("inventory_mode") and values.keys() - _COUNTED:
            raise user_error("Quant's editing is restricted, you can't do this operation.")
        row = _difference({**env.system.tables[MODEL][number], **values}, values)
        env.system.change(MODEL, number, row, stamp=env.now, uid=env.user.uid)

    def unlink(self, env: Env, _number: int) -> None:
        """Refuse to delete a quant where the user may not."""
        _manager(env, "unlink")


def action_apply_inventory(env: Env, ids: list[int]) -> None:
    """Apply what was counted: the quant takes the quantity, and goes where it is nothing."""
    _manager(env, "write")
    for number in env.existing(MODEL, ids):
        quant = env.system.tables[MODEL][number]
        if not quant["inventory_quantity_set"]:
            continue
        applied = {
            "quantity": quant["inventory_quantity"],
            "inventory_quantity": 0.0,
            "inventory_quantity_set": False,
            "inventory_diff_quantity": 0.0,
        }
        env.system.change(MODEL, number, applied, stamp=env.now, uid=env.user.uid)
        if not applied["quantity"] and not quant["reserved_quantity"]:
            env.system.remove(MODEL, number)


QUANT_METHODS: Final[Mapping[str, Callable[..., Any]]] = {"action_apply_inventory": action_apply_inventory}


def _manager(env: Env, operation: str) -> None:
    if not env.user.stock_manager:
        raise no_access(MODEL, "Quants", operation)


def _difference(row: Row, values: Row) -> Row:
    if "inventory_quantity" not in values:
        return row
    counted = row["inventory_quantity"]
    return row | {"inventory_quantity_set": True, "inventory_diff_quantity": counted - row["quantity"]}


def _like(env: Env, values: Row) -> int | None:
    """Find the quant of the same product, place, lot and owner."""
    table = env.system.tables[MODEL]
    same = ("product_id", "location_id", "lot_id", "owner_id")
    return next(
        (n for n in table.ids() if all(table[n].get(name) == values.get(name) for name in same)),
        None,
    )
