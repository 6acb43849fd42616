"""From a caller's filter object to conditions: shape here, values in slots."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from strawberry.utils.str_converters import to_camel_case

from db.models.columns import ordinal_of
from db.models.custom import LONGEST_VALUE
from db.selection import AnyChild, Combine, Compare, Condition, CustomField
from db.shapes import SHAPES, Column, Shape
from db.types import InvalidId
from graph.errors import bad_input
from graph.values import end_of_prefix, of_filter, text

MAX_LISTED: Final = 100


@cache
def attributes(type_name: str) -> dict[str, str]:
    """Give GraphQL name → our name of a readable type's fields."""
    shape = SHAPES[type_name]
    return {to_camel_case(name): name for name in (*shape.columns, *shape.relations)}


class Filters:
    """Builds conditions; `slot` keeps a value and tells where."""

    def __init__(self, slot: Callable[[Any], int]) -> None:
        self._slot = slot

    def condition(self, shape: Shape, given: dict[str, Any]) -> Condition:
        """Give a filter object's condition; its fields are joined by `and`.

        Raises:
            ApiError: BAD_USER_INPUT where a value is none that the field can have.
        """
        parts: list[Condition] = []
        names = attributes(shape.type_name)
        for name, value in given.items():
            where = f"filter.{name}"
            _given(value, where)
            if name in {"and", "or"}:
                _capped(value, where)
                parts.append(Combine(name, tuple(self.condition(shape, part) for part in value)))  # type: ignore[arg-type]
            elif name == "not":
                parts.append(Combine("and", (self.condition(shape, value),), negated=True))
            elif name == "customFields":
                _capped(value, where)
                parts += [self._custom(each, where) for each in value]
            elif names[name] in shape.findable:
                parts += self._found(shape, names[name], value, where)
            elif names[name] in shape.relations:
                relation = names[name]
                target = SHAPES[shape.relations[relation].target]
                parts.append(AnyChild(relation, self.condition(target, value)))
            else:
                parts += self._compares(shape, names[name], value, where)
        return Combine("and", tuple(parts))

    def _compares(self, shape: Shape, name: str, given: dict[str, Any], told: str) -> list[Condition]:
        column = shape.columns[name]

        def fit(value: Any, where: str) -> Any:
            return _fit(value, shape, column, where)

        return [self._compare(name, op, value, f"{told}.{op}", fit, column=column) for op, value in given.items()]

    def _compare(
        self,
        name: str,
        op: str,
        value: Any,
        where: str,
        fit: Callable[[Any, str], Any],
        *,
        column: Column | None = None,
    ) -> Compare:
        _given(value, where)
        if op == "isNull":
            return Compare(name, "null", None, negated=not value)
        if op == "prefix":
            return self._prefix(name, fit(value, where))
        many = op in {"in", "hasAny"}
        if many:
            _capped(value, where)
        fitted: Any = [fit(each, where) for each in value] if many else fit(value, where)
        slot = self._slot(fitted)
        if column is not None and column.ordinal is not None:
            self._slot([ordinal_of(each) for each in fitted] if op == "in" else ordinal_of(fitted))
        return Compare(name, op, slot)  # type: ignore[arg-type]

    def _found(self, shape: Shape, name: str, given: Any, where: str) -> list[Condition]:
        """Give the conditions of a field that is found in a way of its own."""
        way = shape.findable[name]
        if way.kind == "keys":
            _capped(given, where)
            return [self._custom(each, where, column=name) for each in given]
        if way.kind == "labels":
            return [self._compare(name, op, value, f"{where}.{op}", _short) for op, value in given.items()]
        parts: list[Condition] = []
        for inside, compares in given.items():
            _given(compares, f"{where}.{inside}")
            parts += [
                self._compare(f"{name}.{inside}", op, value, f"{where}.{inside}.{op}", _text)
                for op, value in compares.items()
            ]
        return parts

    def _custom(self, given: dict[str, Any], where: str, *, column: str | None = None) -> CustomField:
        """Give the conditions on one custom field; without any, the field has a value."""
        name = self._slot(_short(given["name"], f"{where}.name"))
        conditions = {op: value for op, value in given.items() if op != "name"}
        absent = conditions.pop("isNull", False)
        _given(absent, f"{where}.isNull")
        if absent and conditions:
            raise bad_input(f"{where}.isNull true goes with no other condition.")
        compares = [self._compare("value", op, value, f"{where}.{op}", _short) for op, value in conditions.items()]
        return CustomField(name, tuple(compares), absent=absent, column=column)

    def _prefix(self, name: str, prefix: str) -> Compare:
        slot, end = self._slot(prefix), end_of_prefix(prefix)
        if end is None:
            return Compare(name, "gte", slot)
        self._slot(end)
        return Compare(name, "prefix", slot)


def _given(value: Any, where: str) -> None:
    if value is None:
        raise bad_input(f"{where} must not be null; leave it out, or use isNull.")


def _capped(values: list[Any], where: str) -> None:
    if len(values) > MAX_LISTED:
        raise bad_input(f"{where} takes at most {MAX_LISTED} values.")


def _text(value: str, where: str) -> str:
    try:
        return text(value)
    except ValueError as error:
        raise bad_input(f"{where} takes no such value: {error}.") from error


def _short(value: str, where: str) -> str:
    if len(value) > LONGEST_VALUE:
        raise bad_input(f"{where} takes at most {LONGEST_VALUE} characters.")
    return _text(value, where)


def _fit(value: Any, shape: Shape, column: Column, where: str) -> Any:
    try:
        return of_filter(value, column, type_name=shape.type_name)
    except InvalidId:
        raise
    except ValueError as error:
        raise bad_input(f"{where} takes no such value: {error}.") from error
