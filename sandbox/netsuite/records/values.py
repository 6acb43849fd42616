"""Bodies of writes, read: names and values that the service knows, or a refusal that names the field."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from sandbox.netsuite.errors import RestError, invalid
from sandbox.netsuite.records.specs import ADDRESS, Field
from sandbox.netsuite.store import Row, Store

_VALIDATIONS: Final = frozenset({"error", "warning", "ignore"})


class Reader:
    """Reads one body.

    Attributes:
        warnings: Names that it does not know, where that is no refusal.
    """

    def __init__(self, store: Store, validation: str | None) -> None:
        self._store = store
        self._validation = (validation or "warning").lower()
        if self._validation not in _VALIDATIONS:
            name = "X-NetSuite-PropertyNameValidation"
            raise RestError(400, "INVALID_HEADER", f"Invalid value of {name}.", where=("o:errorHeader", name))
        self.warnings: list[str] = []

    def columns(
        self, fields: Sequence[Field], body: Mapping[str, Any], *, at: str = "", also: Sequence[str] = ()
    ) -> Row:
        """Give the columns that a body sets; None clears.

        Args:
            at: Path of the body, for refusals.
            also: Names that the caller reads itself.

        Raises:
            RestError: 400: a value cannot be read, or a name is unknown and names are checked.
        """
        known = {each.name: each for each in fields}
        found: Row = {}
        for name, value in body.items():
            path = f"{at}{name}"
            if name in also or name in {"links", "id", "refName"}:
                continue
            if name not in known:
                self._unknown(path)
            elif known[name].writable:
                found[known[name].column] = self._value(known[name], value, path)
        return found

    def lines(self, value: Any, path: str) -> list[Mapping[str, Any]]:
        """Read a sublist: an object with `items`."""
        items = value.get("items") if isinstance(value, Mapping) else None
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            raise invalid("A sublist is an object with items.", path)
        return items

    def address(self, value: Any, path: str) -> Row:
        """Read an address."""
        if not isinstance(value, Mapping):
            raise invalid("An address is an object.", path)
        return self.columns(ADDRESS, value, at=f"{path}.")

    def _unknown(self, path: str) -> None:
        if self._validation == "error":
            raise RestError(
                400,
                "INVALID_CONTENT",
                f"Unknown property name '{path}'. Provide a valid property name.",
                where=("o:errorPath", path),
            )
        self.warnings.append(path)

    def _value(self, each: Field, value: Any, path: str) -> Any:  # noqa: PLR0911  (one a kind)
        if value is None or value == "":
            return None
        match each.kind:
            case "ref":
                return self._reference(each, value, path)
            case "flag":
                if not isinstance(value, bool):
                    raise invalid(f"Invalid value for the field {path}: a boolean is expected.", path)
                return "T" if value else "F"
            case "number" | "integer":
                return _number(value, path)
            case "date":
                return _date(value, path)
            case "approval":
                return int(_number(value.get("id") if isinstance(value, Mapping) else value, path))
            case _:
                if isinstance(value, Mapping | list):
                    raise invalid(f"Invalid value for the field {path}: a text is expected.", path)
                return str(value)

    def _reference(self, each: Field, value: Any, path: str) -> Any:
        key, column = value, "id"
        if isinstance(value, Mapping):
            column = "id" if "id" in value else "externalid"
            key = value.get("id", value.get("externalId"))
        if not each.to:
            return str(key)
        if each.to == "unitstypeuom":
            column = "internalid"
        if column == "id" and not str(key).isdigit():
            raise invalid(f"Invalid Field Value {key} for the following field: {each.name}", path)
        found = self._store.value(
            f'SELECT {"id" if column != "internalid" else column} FROM "{each.to}" WHERE {column} = ?', (key,)
        )
        if found is None:
            raise invalid(f"Invalid Field Value {key} for the following field: {each.name}", path)
        return found


def _number(value: Any, path: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise invalid(f"Invalid value for the field {path}: a number is expected.", path) from error


def _date(value: Any, path: str) -> bytes:
    try:
        return f"{date.fromisoformat(str(value)[:10])} 00:00:00".encode()
    except ValueError as error:
        raise invalid(f"Invalid date value {value!r} (must be YYYY-MM-DD).", path) from error
