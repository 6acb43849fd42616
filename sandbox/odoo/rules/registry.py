"""Rules, buttons and computed fields by model."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from sandbox.odoo.env import Computed, Env
from sandbox.odoo.rules import others
from sandbox.odoo.rules.lines import LineRules
from sandbox.odoo.rules.orders import BUTTONS, OrderRules
from sandbox.odoo.rules.plain import Plain
from sandbox.odoo.rules.stock import QUANT_METHODS, QuantRules
from sandbox.odoo.store import Row


class Rules(Protocol):
    """What a model does beyond storing."""

    def defaults(self, env: Env, values: Row) -> Row:
        """Give what a new record has where nothing is said."""
        ...

    def create(self, env: Env, values: Row) -> int:
        """Make a record."""
        ...

    def write(self, env: Env, number: int, values: Row) -> None:
        """Change a record."""
        ...

    def unlink(self, env: Env, number: int) -> None:
        """Refuse to delete a record, or not; who calls it deletes."""
        ...


_PRODUCTS: Final = Plain("product.product", defaults=others.product_defaults, check=others.check_product)
RULES: Final[Mapping[str, Rules]] = {
    "purchase.order": OrderRules(),
    "purchase.order.line": LineRules(),
    "stock.quant": QuantRules(),
    "product.product": _PRODUCTS,
    "product.template": _PRODUCTS,
    "res.partner": Plain(
        "res.partner",
        defaults=others.partner_defaults,
        check=others.check_partner,
        may_go=others.partner_may_go,
    ),
    "maintenance.equipment": Plain(
        "maintenance.equipment", defaults=others.equipment_defaults, check=others.check_equipment
    ),
    "maintenance.request": Plain("maintenance.request", defaults=others.request_defaults, check=others.check_request),
}
METHODS: Final[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
    "purchase.order": BUTTONS,
    "stock.quant": QUANT_METHODS,
    "maintenance.request": others.REQUEST_METHODS,
}


def _stage_done(env: Env, row: Row) -> bool:
    stage = env.system.tables["maintenance.stage"].get(row.get("stage_id") or 0)
    return bool(stage and stage["done"])


def _order_value(name: str) -> Computed:
    return lambda env, row: env.system.tables["purchase.order"][row["order_id"]].get(name)


def _on_hand(env: Env, row: Row) -> float:
    quants = env.system.tables["stock.quant"]
    rows = (quants[number] for number in quants.ids())
    total: float = sum(quant["quantity"] for quant in rows if quant["product_id"] == row["id"])
    return total


COMPUTED: Final[Mapping[tuple[str, str], Computed]] = {
    ("purchase.order", "order_line"): lambda env, row: [line["id"] for line in env.system.lines(row["id"])],
    ("purchase.order.line", "state"): _order_value("state"),
    ("purchase.order.line", "partner_id"): _order_value("partner_id"),
    ("purchase.order.line", "currency_id"): _order_value("currency_id"),
    ("res.partner", "company_type"): lambda _, row: "company" if row.get("is_company") else "person",
    ("res.partner", "complete_name"): lambda _, row: row.get("name"),
    ("product.template", "product_variant_ids"): lambda _, row: [row["id"]],
    ("product.template", "product_variant_id"): lambda _, row: row["id"],
    ("product.product", "qty_available"): _on_hand,
    ("stock.quant", "available_quantity"): lambda _, row: row["quantity"] - row["reserved_quantity"],
    ("stock.quant", "inventory_quantity_auto_apply"): lambda _, row: row["quantity"],
    ("stock.quant", "product_uom_id"): lambda env, row: env.table("product.product")[row["product_id"]]["uom_id"],
    ("maintenance.request", "done"): _stage_done,
    ("ir.model.data", "complete_name"): lambda _, row: f"{row['module']}.{row['name']}",
}
