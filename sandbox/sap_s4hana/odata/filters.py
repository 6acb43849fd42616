"""`$filter` of OData V2: a recursive descent parser that compiles an expression into a predicate over rows.

Grammar: or, and, not, eq ne gt ge lt le, parentheses, startswith, endswith, substringof, literals. Like the real
service it knows no arithmetic and no navigation paths. Besides the predicate it finds out which leading key values
can match at all, so that `PurchaseOrder eq '4500000001'` over a set of many items reads an index.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.sap_s4hana.edm import EntityType, Property
from sandbox.sap_s4hana.odata.errors import ODataError, bad_option
from sandbox.sap_s4hana.odata.literals import coerce_literal, literal_fits, parse_uri_literal
from sandbox.sap_s4hana.store import Row

Read = Callable[[Row], Any]
_TOKEN = re.compile(
    r"\s*(?:(?P<literal>(?:[A-Za-z]+)?'(?:[^']|'')*'|-?\d+(?:\.\d+)?[MmDdFfLl]?(?![\w.]))"
    r"|(?P<name>[A-Za-z_][\w/]*)|(?P<mark>[(),]))"
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "substringof": lambda needle, text: needle in text,
}


@dataclass(frozen=True, slots=True)
class Filter:
    """A compiled filter: `test` decides on a row, `keys` are the only first key parts that can pass (None: any)."""

    test: Callable[[Row], bool]
    keys: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class _Operand:
    """One side of a comparison: a property to be read, or a literal of some type."""

    position: int
    prop: Property | None = None
    kind: str = ""
    value: Any = None
    read: Read | None = None


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    kind: str
    position: int


def parse_filter(text: str, entity_type: EntityType) -> Filter:
    """Compile a `$filter` expression for one entity type.

    Raises:
        ODataError: 400: unknown or unfilterable property, literal of another type, wrong syntax.
    """
    parser = _Parser(_tokens(text), entity_type)
    compiled = parser.either()
    parser.end()
    return compiled


class _Parser:
    def __init__(self, tokens: list[_Token], entity_type: EntityType) -> None:
        self.tokens = tokens
        self.type = entity_type
        self.at = 0

    def either(self) -> Filter:
        left = self.both()
        while self._take("or"):
            right = self.both()
            keys = None if left.keys is None or right.keys is None else left.keys | right.keys
            left = Filter(_any(left.test, right.test), keys)
        return left

    def both(self) -> Filter:
        left = self.unary()
        while self._take("and"):
            right = self.unary()
            if left.keys is None or right.keys is None:
                keys = right.keys if left.keys is None else left.keys
            else:
                keys = left.keys & right.keys
            left = Filter(_all(left.test, right.test), keys)
        return left

    def unary(self) -> Filter:
        if self._take("not"):
            inner = self.unary().test
            return Filter(lambda row: not inner(row), None)
        if self._take("("):
            inside = self.either()
            self._need(")")
            return inside
        return self.comparison()

    def comparison(self) -> Filter:
        left = self.operand()
        token = self._peek()
        if token is None or token.text not in _COMPARE:
            if left.read is not None and left.kind == "Boolean":
                return Filter(lambda row, read=left.read: bool(read(row)), None)  # type: ignore[misc]
            raise _syntax(token.position if token else left.position)
        self.at += 1
        right = self.operand()
        return self._compare(token, left, right)

    def operand(self) -> _Operand:
        token = self._peek()
        if token is None:
            raise _syntax(self.tokens[-1].position if self.tokens else 0)
        self.at += 1
        if token.kind == "literal" or token.text in {"true", "false", "null"}:
            return _literal(token)
        if token.kind != "name":
            raise _syntax(token.position)
        following = self._peek()
        if following is not None and following.text == "(":
            return self._function(token)
        return self._property(token)

    def end(self) -> None:
        if self.at < len(self.tokens):
            raise _syntax(self.tokens[self.at].position)

    def _compare(self, token: _Token, left: _Operand, right: _Operand) -> Filter:
        if left.read is None and right.read is not None:
            swapped = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}.get(token.text, token.text)
            return self._compare(_Token(swapped, token.kind, token.position), right, left)
        if left.read is None:
            raise _syntax(left.position)
        compare, read = _COMPARE[token.text], left.read
        if right.read is not None:
            if left.kind != right.kind:
                raise _wrong_type(token)
            return Filter(_against(compare, read, right.read), None)
        value = self._constant(token, left, right)
        if value is None:
            return Filter(lambda row: compare(read(row) is None, True), None)
        keys = frozenset({value}) if token.text == "eq" and self._is_first_key(left.prop) else None
        return Filter(_with(compare, read, value), keys)

    def _constant(self, token: _Token, left: _Operand, right: _Operand) -> Any:
        if left.prop is None:
            if right.kind != left.kind:
                raise _wrong_type(token)
            return right.value
        if not literal_fits(right.kind, left.prop):
            raise _wrong_type(token)
        if right.kind == "Null" and token.text not in {"eq", "ne"}:
            raise _wrong_type(token)
        return coerce_literal(right.kind, right.value, left.prop)

    def _is_first_key(self, prop: Property | None) -> bool:
        return prop is not None and prop.name == self.type.key[0]

    def _function(self, token: _Token) -> _Operand:
        call = _FUNCTIONS.get(token.text)
        if call is None:
            raise bad_option(f"Invalid function '{token.text}' in system query option '$filter'")
        self._need("(")
        first = self.operand()
        self._need(",")
        second = self.operand()
        self._need(")")
        if first.kind != "String" or second.kind != "String":
            raise _wrong_type(token)
        one, two = _reader(first), _reader(second)
        return _Operand(token.position, kind="Boolean", read=lambda row: call(one(row), two(row)))

    def _property(self, token: _Token) -> _Operand:
        prop = self.type.properties.get(token.text)
        if prop is None:
            raise ODataError(
                400,
                "005056A509B11EE1B9A8FEC11C21D78E",
                f"No property '{token.text}' exists in type '{self.type.full_name}' at position '{token.position}'.",
            )
        if not prop.may("filterable"):
            raise bad_option(f"Property '{prop.name}' is not filterable")
        return _Operand(token.position, prop, prop.kind, read=operator.itemgetter(prop.name))

    def _peek(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _take(self, text: str) -> bool:
        token = self._peek()
        if token is None or token.text != text or token.kind == "literal":
            return False
        self.at += 1
        return True

    def _need(self, text: str) -> None:
        if not self._take(text):
            token = self._peek()
            raise _syntax(token.position if token else self.tokens[-1].position)


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _syntax(at)
        tokens.append(_Token(match[match.lastgroup], match.lastgroup, match.start(match.lastgroup)))
        at = match.end()
    if not tokens:
        raise _syntax(0)
    return tokens


def _literal(token: _Token) -> _Operand:
    try:
        kind, value = parse_uri_literal(token.text)
    except ValueError:
        raise _syntax(token.position) from None
    return _Operand(token.position, kind=kind, value=value)


def _reader(operand: _Operand) -> Read:
    return operand.read if operand.read is not None else (lambda _: operand.value)


def _any(one: Callable[[Row], bool], two: Callable[[Row], bool]) -> Callable[[Row], bool]:
    return lambda row: one(row) or two(row)


def _all(one: Callable[[Row], bool], two: Callable[[Row], bool]) -> Callable[[Row], bool]:
    return lambda row: one(row) and two(row)


def _with(compare: Callable[[Any, Any], bool], read: Read, value: Any) -> Callable[[Row], bool]:
    def test(row: Row) -> bool:
        mine = read(row)
        return compare is operator.ne if mine is None else compare(mine, value)

    return test


def _against(compare: Callable[[Any, Any], bool], read: Read, other: Read) -> Callable[[Row], bool]:
    def test(row: Row) -> bool:
        mine, yours = read(row), other(row)
        return False if mine is None or yours is None else compare(mine, yours)

    return test


def _syntax(position: int) -> ODataError:
    return bad_option(f"Invalid token detected at position {position} of system query option '$filter'")


def _wrong_type(token: _Token) -> ODataError:
    return ODataError(
        400,
        "005056A509B11EE1BB8AF4A65EC3CA20",
        f"Invalid parametertype used at function '{token.text}' (Position: {token.position})",
    )
