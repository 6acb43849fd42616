"""Odoo's domains: prefix notation read into a tree, compiled to a test of one row, and searched for bounds."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sandbox.odoo.errors import bad_value
from sandbox.odoo.schema.model import Field, Model
from sandbox.odoo.store import Row

Test = Callable[[Row], bool]
Value = Callable[[str, Row, Field], Any]
"""Gives a field of a row of a model, whether it is stored or computed."""
_OPERATORS: Final = frozenset({
    "=", "!=", "<", "<=", ">", ">=", "=?", "in", "not in", "like", "ilike", "not like", "not ilike", "=like", "=ilike",
    "child_of",
})  # fmt: skip
_TWO: Final = 2
_LEAF: Final = 3


@dataclass(frozen=True, slots=True)
class Leaf:
    """One condition."""

    path: str
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Node:
    """`&`, `|` or `!` of what stands below."""

    operator: str
    parts: tuple["Node | Leaf", ...]


Tree = Node | Leaf


def read(domain: object) -> Tree:
    """Read a domain.

    Raises:
        OdooError: ValueError, as Odoo raises it.
    """
    if not isinstance(domain, list):
        raise bad_value(f"Domain() invalid item in domain: {domain!r}")
    stack: list[Tree] = []
    for term in reversed(domain):
        if isinstance(term, str) and term in {"&", "|"}:
            if len(stack) < _TWO:
                raise bad_value(f"Domain is malformed: {domain!r}")
            stack.append(Node(str(term), (stack.pop(), stack.pop())))
        elif term == "!":
            stack.append(Node("!", (stack.pop(),)))
        elif isinstance(term, list) and len(term) == _LEAF and str(term[1]) in _OPERATORS:
            stack.append(Leaf(str(term[0]), str(term[1]), term[2]))
        else:
            raise bad_value(f"Invalid leaf {term!r} in domain {domain!r}")
    return Node("&", tuple(reversed(stack)))


def fields_of(tree: Tree) -> set[str]:
    """Give the first field of every condition."""
    if isinstance(tree, Leaf):
        return {tree.path.split(".")[0]}
    return set().union(*(fields_of(part) for part in tree.parts)) if tree.parts else set()


def paths_of(tree: Tree) -> set[str]:
    """Give the whole path of every condition."""
    if isinstance(tree, Leaf):
        return {tree.path}
    return set().union(*(paths_of(part) for part in tree.parts)) if tree.parts else set()


def lower(tree: Tree, name: str, read_value: Callable[[Any], Any]) -> Any:
    """Give a bound below which no row of the tree can be, by one field; None where there is none."""
    if isinstance(tree, Leaf):
        return read_value(tree.value) if tree.path == name and tree.operator in {"=", ">", ">="} else None
    bounds = [lower(part, name, read_value) for part in tree.parts]
    if tree.operator == "&":
        return max((bound for bound in bounds if bound is not None), default=None)
    if tree.operator == "|" and bounds and all(bound is not None for bound in bounds):
        return min(bounds)
    return None


def among(tree: Tree, name: str) -> list[Any] | None:
    """Give the only values that a field may have, where the tree says so at its top."""
    if isinstance(tree, Leaf):
        if tree.path == name and tree.operator == "=" and isinstance(tree.value, int):
            return [tree.value]
        return list(tree.value) if tree.path == name and tree.operator == "in" else None
    if tree.operator != "&":
        return None
    return next((found for part in tree.parts if (found := among(part, name)) is not None), None)


def instant(text: Any) -> datetime:
    """Read a datetime of a domain or of values: UTC, without saying so."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise bad_value(f"time data {text!r} does not match format '%Y-%m-%d %H:%M:%S'") from error
    return moment.replace(tzinfo=UTC)


class Compiler:
    """Compiles trees to tests.

    Args:
        models: All models.
        value: Gives a field of a row.
        find: Gives a row of a model by id.
        named: Gives the name by which people know a row of a model.
    """

    def __init__(
        self,
        models: Mapping[str, Model],
        value: Value,
        find: Callable[[str, int], Row | None],
        named: Callable[[str, int], str],
    ) -> None:
        self._models = models
        self._value = value
        self._find = find
        self._named = named

    def test(self, model: str, tree: Tree) -> Test:
        """Make the test of a tree.

        Raises:
            OdooError: ValueError: a field that the model does not have.
        """
        if isinstance(tree, Leaf):
            return self._leaf(model, tree, tree.path.split("."), str((tree.path, tree.operator, tree.value)))
        parts = [self.test(model, part) for part in tree.parts]
        if tree.operator == "!":
            return lambda row: not parts[0](row)
        if tree.operator == "|":
            return lambda row: parts[0](row) or parts[1](row)
        if len(parts) == 1:
            return parts[0]
        return lambda row: all(part(row) for part in parts)

    def _leaf(self, model: str, leaf: Leaf, path: Sequence[str], told: str) -> Test:
        field = self._models[model].fields.get(path[0])
        if field is None:
            raise bad_value(f"Invalid field {model}.{path[0]} in leaf {told}")
        if len(path) > 1:
            return self._through(model, field, self._leaf(field.relation, leaf, path[1:], told))
        one = self._compare(field, leaf)
        if field.stored and not field.many:
            name = field.name
            return lambda row: one(row.get(name))
        return lambda row: one(self._value(model, row, field))

    def _through(self, model: str, field: Field, inner: Test) -> Test:
        def test(row: Row) -> bool:
            value = self._value(model, row, field)
            ids = value if isinstance(value, list) else [value] if value else []
            return any((found := self._find(field.relation, number)) is not None and inner(found) for number in ids)

        return test

    def _compare(self, field: Field, leaf: Leaf) -> Callable[[Any], bool]:
        operator, given = leaf.operator, leaf.value
        if operator == "=?":
            if given is False or given is None:
                return lambda _: True
            operator = "="
        if field.kind == "many2one" and isinstance(given, str):
            return self._by_name(field, operator, given)
        if operator == "child_of":
            return self._below(field, given)
        if "like" in operator:
            return _like(operator, str(given))
        if operator in {"in", "not in"}:
            return _within(field, operator, given)
        wanted = instant(given) if field.kind == "datetime" and given else given
        return _ordered(field, operator, wanted)

    def _by_name(self, field: Field, operator: str, given: str) -> Callable[[Any], bool]:
        text = _like("ilike" if operator in {"=", "!="} else operator, given) if "like" in operator else None
        wanted = operator in {"=", "like", "ilike", "=like", "=ilike"}

        def test(value: Any) -> bool:
            name = self._named(field.relation, value) if value else ""
            return (text(name) if text is not None else name == given) if wanted else name != given

        return test

    def _below(self, field: Field, given: Any) -> Callable[[Any], bool]:
        tops = set(given if isinstance(given, list) else [given])
        model = field.relation or "stock.location"
        up = {"stock.location": "location_id", "res.partner": "parent_id"}.get(model, "parent_id")

        def test(value: Any) -> bool:
            seen = value
            while seen:
                if seen in tops:
                    return True
                row = self._find(model, seen)
                seen = row.get(up) if row else None
            return False

        return test


def _within(field: Field, operator: str, given: Any) -> Callable[[Any], bool]:
    values = given if isinstance(given, list) else [given]
    wanted = {instant(each) if field.kind == "datetime" and each else each or None for each in values}

    def found(value: Any) -> bool:
        return bool(wanted & set(value or ())) if field.many else (value or None) in wanted

    return found if operator == "in" else lambda value: not found(value)


def _ordered(field: Field, operator: str, wanted: Any) -> Callable[[Any], bool]:
    if operator in {"=", "!="}:
        same = _same(field, wanted)
        return same if operator == "=" else lambda value: not same(value)
    tests: dict[str, Callable[[Any], bool]] = {
        "<": lambda value: value is not None and value < wanted,
        "<=": lambda value: value is not None and value <= wanted,
        ">": lambda value: value is not None and value > wanted,
        ">=": lambda value: value is not None and value >= wanted,
    }
    return tests[operator]


def _same(field: Field, wanted: Any) -> Callable[[Any], bool]:
    if field.kind == "boolean":
        return lambda value: bool(value) is bool(wanted)
    if wanted is False or wanted is None:
        return lambda value: value is None or value is False or value == []
    if field.many:
        return lambda value: wanted in (value or ())
    return lambda value: value == wanted


def _like(operator: str, given: str) -> Callable[[Any], bool]:
    pattern = given if operator.startswith("=") else f"%{given}%"
    text = "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern)
    compiled = re.compile(text, re.DOTALL | (re.IGNORECASE if "ilike" in operator else 0))
    wanted = not operator.startswith("not")
    return lambda value: (compiled.fullmatch(str(value or "")) is not None) is wanted
