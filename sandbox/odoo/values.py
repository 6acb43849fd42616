"""Values on their way in: checked and brought to the form in which they are stored, rounded without a word."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.odoo import domain
from sandbox.odoo.env import Env
from sandbox.odoo.errors import bad_value, dangling, required, validation
from sandbox.odoo.schema.model import Field, Model
from sandbox.odoo.store import Row

_HAIR: Final = 1e-7
_PRICES: Final = frozenset({"price_unit", "standard_price", "price"})
_QUANTITIES: Final = frozenset({"product_qty", "quantity", "inventory_quantity", "qty_received"})
_LOG: Final = frozenset({"id", "create_uid", "create_date", "write_uid", "write_date", "__last_update"})
_MONEY: Final = frozenset({"float", "monetary"})


def rounded(value: float, digits: int) -> float:
    """Round half up, away from zero, as Odoo's float_round does; a hair below the half counts as the half."""
    scale = 10**digits
    whole = math.floor(abs(value) * scale + 0.5 + _HAIR)
    return math.copysign(whole / scale, value) if whole else 0.0


def cleaned(env: Env, model: Model, values: object) -> Row:
    """Read the values of a create or write.

    Raises:
        OdooError: An unknown field (ValueError), a reference to nothing or a value that is no choice.
    """
    if not isinstance(values, dict):
        raise bad_value(f"dictionary update sequence expected, got {values!r}")
    known = model.fields
    for name in values:
        if name not in known:
            raise bad_value(f"Invalid field {name!r} on model {model.name!r}")
    return {
        name: _stored(env, model, known[name], value)
        for name, value in values.items()
        if name not in _LOG and known[name].stored
    }


def need(model: Model, row: Row) -> None:
    """Check that nothing mandatory is missing.

    Raises:
        OdooError: ValidationError that names the first missing field.
    """
    for one in model.fields.values():
        if one.required and row.get(one.name) in {None, ""} and one.kind not in _MONEY and one.kind != "boolean":
            raise required(model.name, model.label, one.name, one.label)


def _stored(env: Env, model: Model, one: Field, value: Any) -> Any:
    if one.many:
        return value
    if value is False or value is None:
        return False if one.kind == "boolean" else None if one.kind not in _MONEY else 0.0
    if one.kind == "many2one":
        return _reference(env, model, one, value)
    if one.kind == "selection" and str(value) not in {key for key, _ in one.selection}:
        raise bad_value(f"Wrong value for {model.name}.{one.name}: {value!r}")
    if one.kind in _MONEY:
        return _number(env, one, value)
    return _READ[one.kind](value)


def _html(value: Any) -> str:
    text = str(value)
    return text if text.startswith("<") else f"<p>{text}</p>"


_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    "selection": str,
    "char": str,
    "text": str,
    "integer": int,
    "boolean": bool,
    "datetime": domain.instant,
    "date": lambda value: domain.instant(value).date().isoformat(),
    "html": _html,
    "json": lambda value: value,
}


def _reference(env: Env, model: Model, one: Field, value: Any) -> int:
    if not isinstance(value, int):
        raise validation(f"Wrong value for {model.name}.{one.name}: {value!r}")
    if value not in env.table(one.relation):
        raise dangling(model.name, model.label, one.name)
    return value


def _number(env: Env, one: Field, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise bad_value(f"could not convert string to float: {value!r}") from error
    options = env.system.options
    if one.name in _PRICES:
        return rounded(number, options.price_digits)
    if one.name in _QUANTITIES:
        return rounded(number, options.quantity_digits)
    return rounded(number, 2) if one.kind == "monetary" else number
