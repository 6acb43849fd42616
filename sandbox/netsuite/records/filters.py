"""The `q` of a collection: conditions on fields, AND, OR, parentheses.

Source: NetSuite help, "Record Collection Filtering". Dates are in the account's display format, not in ISO.
"""

import re
from datetime import UTC, datetime
from typing import Any, Final

from sandbox.netsuite.errors import RestError
from sandbox.netsuite.records.specs import Field, Spec
from sandbox.netsuite.system import NetSuite

_TOKEN: Final = re.compile(r'\s*(?:(\(|\)|,|\[|\])|"((?:[^"\\]|\\.)*)"|([^\s()\[\],"]+))')
_TEXT: Final = {"IS": "{} = ?", "CONTAIN": "{} LIKE '%' || ? || '%'", "START_WITH": "{} LIKE ? || '%'"}
_NUMBER: Final = {
    "EQUAL": "{} = ?",
    "GREATER": "{} > ?",
    "GREATER_OR_EQUAL": "{} >= ?",
    "LESS": "{} < ?",
    "LESS_OR_EQUAL": "{} <= ?",
    "IS": "{} = ?",
}
_DATE: Final = {
    "ON": "{} = ?",
    "AFTER": "{} > ?",
    "BEFORE": "{} < ?",
    "ON_OR_AFTER": "{} >= ?",
    "ON_OR_BEFORE": "{} <= ?",
}


def condition(q: str, spec: Spec, system: NetSuite) -> tuple[str, list[Any]]:
    """Give the condition of a `q` on a record's table, and its values.

    Raises:
        RestError: 400: it cannot be read, names a field that there is not, or a date in another format.
    """
    parser = _Parser(q, spec, system)
    text = parser.either()
    if parser.left:
        raise _bad(f"Unexpected {parser.left[0]!r}.")
    return text, parser.values


class _Parser:
    def __init__(self, q: str, spec: Spec, system: NetSuite) -> None:
        self.left = [match.group(1) or match.group(3) or f'"{match.group(2)}' for match in _TOKEN.finditer(q)]
        self.values: list[Any] = []
        self._spec, self._system = spec, system

    def either(self) -> str:
        """Read conditions joined by OR."""
        parts = [self._both()]
        while self.left and self.left[0].upper() == "OR":
            self.left.pop(0)
            parts.append(self._both())
        return f"({' OR '.join(parts)})"

    def _both(self) -> str:
        parts = [self._one()]
        while self.left and self.left[0].upper() == "AND":
            self.left.pop(0)
            parts.append(self._one())
        return " AND ".join(parts)

    def _one(self) -> str:
        name = self._next()
        if name == "(":
            inner = self.either()
            if self._next() != ")":
                raise _bad("A parenthesis is not closed.")
            return inner
        field = self._spec.by_name.get(name)
        if field is None:
            raise _bad(f"Field {name!r} is unknown or cannot be filtered by.")
        operator = self._next().upper()
        column = f'"{field.column}"'
        negated = operator.endswith("_NOT")
        operator = operator.removesuffix("_NOT")
        if operator == "EMPTY":
            text = f"{column} IS NULL"
        elif operator == "ANY_OF":
            listed = self._list(field)
            self.values += listed
            text = f"{column} IN ({', '.join('?' * len(listed))})"
        else:
            known = _DATE if field.kind in {"date", "stamp"} else _TEXT if field.kind == "text" else _NUMBER
            if operator not in known:
                raise _bad(f"Operator {operator!r} is not supported for the field {name!r}.")
            self.values.append(self._value(field, self._next()))
            text = known[operator].format(column)
        return f"NOT ({text})" if negated else text

    def _list(self, field: Field) -> list[Any]:
        if self._next() != "[":
            raise _bad("ANY_OF takes a list in brackets.")
        found = []
        while (part := self._next()) != "]":
            if part != ",":
                found.append(self._value(field, part))
        return found

    def _value(self, field: Field, token: str) -> Any:
        text = token.removeprefix('"')
        if field.kind in {"date", "stamp"}:
            return self._date(field, text)
        if field.kind in {"id", "number", "integer", "ref"}:
            if not re.fullmatch(r"-?\d+(\.\d+)?", text):
                raise _bad(f"Invalid value {text!r}.")
            return float(text)
        return text

    def _date(self, field: Field, text: str) -> Any:
        form = {"M/D/YYYY": "%m/%d/%Y", "D/M/YYYY": "%d/%m/%Y", "YYYY-MM-DD": "%Y-%m-%d"}
        day, _, clock = text.partition(" ")
        try:
            read = datetime.strptime(day, form[self._system.options.date_format])  # noqa: DTZ007  (the account's day)
            if clock:
                at = datetime.strptime(clock.upper(), "%I:%M %p" if clock[-1:].upper() == "M" else "%H:%M:%S")  # noqa: DTZ007
                read = read.replace(hour=at.hour, minute=at.minute, second=at.second)
        except ValueError as error:
            raise _bad(f"Invalid date value {text!r} (must be {self._system.options.date_format}).") from error
        if field.kind == "date":
            return f"{read:%Y-%m-%d} 00:00:00".encode()
        return f"{read.replace(tzinfo=self._system.zone).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    def _next(self) -> str:
        if not self.left:
            raise _bad("The expression ends too early.")
        return self.left.pop(0)


def _bad(text: str) -> RestError:
    return RestError(
        400, "INVALID_PARAMETER", f"Invalid query parameter value. {text}", where=("o:errorQueryParam", "q")
    )
