"""Column constructors: type, description, limits and filterability said in one line."""

from datetime import date, datetime
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from sqlalchemy import ARRAY, BigInteger, Computed, Date, DateTime, Integer, LargeBinary, Numeric, Text
from sqlalchemy.dialects.postgresql import JSON, JSONB, UUID
from sqlmodel import Field

REQUIRED: Final[Any] = PydanticUndefined
CText: Final = Text(collation="C")
"""Text that sorts by code point, so that prefixes are index ranges under every locale."""

_MOST_ORDINAL: Final = 9 * 10**18
_ORDINAL: Final = (
    "CASE WHEN {x} >= {most} / 10000 THEN {most} WHEN {x} <= -{most} / 10000 THEN -{most}"
    " ELSE floor({x} * 10000)::bigint END"
)
FilterKind = Literal["text", "enum", "decimal", "date", "instant", "boolean", "id", "integer"]
_PLAIN: Final[dict[type, FilterKind]] = {
    str: "text",
    Decimal: "decimal",
    date: "date",
    datetime: "instant",
    bool: "boolean",
    int: "integer",
}


def column(
    description: str,
    *,
    sa_type: Any,
    default: Any = None,
    filterable: bool = False,
    unit: str | None = None,
    public: bool = True,
    **more: Any,
) -> Any:
    """Declare a field.

    Args:
        description: One sentence for the API's documentation.
        sa_type: Its type in Postgres.
        default: What a missing value becomes; REQUIRED refuses it.
        filterable: Lists may be filtered and ordered by it (it then needs an index).
        unit: What the number counts, when it does.
        public: Callers of the API see it.
        more: Passed to sqlmodel.Field (max_length, primary_key, …).
    """
    extra = {"filterable": filterable, "public": public, **({"unit": unit} if unit else {})}
    if default is not REQUIRED and "default_factory" not in more:
        more["default"] = default
    return Field(description=description, sa_type=sa_type, schema_extra={"json_schema_extra": extra}, **more)


def text(description: str, *, max_length: int = 255, default: Any = None, **more: Any) -> Any:
    """Text of at most `max_length` characters, in C collation."""
    return column(description, sa_type=CText, max_length=max_length, default=default, **more)


def choice(description: str, *, default: Any = REQUIRED, **more: Any) -> Any:
    """One value of a StrEnum, stored as text under a CHECK (an enum's operators are not leakproof)."""
    return column(description, sa_type=CText, default=default, **more)


def number(description: str, *, unit: str | None = None, **more: Any) -> Any:
    """An exact decimal, stored and told with the digits the source gave."""
    return column(description, sa_type=Numeric, unit=unit, **more)


def ordinal(of: str) -> Any:
    """The place of an amount among all amounts, as a whole number that an index can be searched by.

    Comparing numerics is not leakproof, so that row-level security keeps them out of an index. Amounts are told
    apart to four decimals, and all beyond 9 * 10^14 are alike: whoever searches compares exactly afterwards.
    """
    return column(
        f"The place of {of} among all amounts.",
        sa_type=BigInteger,
        sa_column_args=[Computed(ordinal_sql(of), persisted=True)],
        public=False,
    )


def ordinal_sql(amount: str) -> str:
    """Give the SQL of an amount's place among all amounts."""
    return _ORDINAL.format(x=amount, most=_MOST_ORDINAL)


def ordinal_of(amount: Decimal) -> int:
    """Give the place of an amount as `ordinal` stores it."""
    if abs(amount) >= _MOST_ORDINAL // 10_000:
        return _MOST_ORDINAL if amount > 0 else -_MOST_ORDINAL
    return int((amount * 10_000).to_integral_value(rounding=ROUND_FLOOR))


def integer(description: str, *, default: Any = REQUIRED, big: bool = False, **more: Any) -> Any:
    """A whole number, 32 bits or 64 where `big`."""
    return column(description, sa_type=BigInteger if big else Integer, default=default, **more)


def day(description: str, **more: Any) -> Any:
    """A calendar date without a zone."""
    return column(description, sa_type=Date, **more)


def instant(description: str, **more: Any) -> Any:
    """A point in time, UTC."""
    return column(description, sa_type=DateTime(timezone=True), **more)


def document(description: str, *, ordered: bool = False, **more: Any) -> Any:
    """A JSON value; `ordered` keeps the keys in the order they came."""
    return column(description, sa_type=JSON(none_as_null=True) if ordered else JSONB(none_as_null=True), **more)


def texts(description: str, **more: Any) -> Any:
    """A list of short texts."""
    return column(description, sa_type=ARRAY(Text), default_factory=list, **more)


def uuid(description: str, *, default: Any = REQUIRED, **more: Any) -> Any:
    """A UUID; version 7 where we make it."""
    return column(description, sa_type=UUID(as_uuid=True), default=default, **more)


def binary(description: str, **more: Any) -> Any:
    """Bytes that never leave the server."""
    return column(description, sa_type=LargeBinary, public=False, **more)


def plain_type(annotation: Any) -> Any:
    """Give the type of a field without its `| None`."""
    arguments = [a for a in get_args(annotation) if a is not type(None)]
    plain = arguments[0] if len(arguments) == 1 and type(None) in get_args(annotation) else annotation
    return get_args(plain)[0] if get_origin(plain) is Annotated else plain


def is_optional(annotation: Any) -> bool:
    """Tell whether None is a value of the field."""
    return type(None) in get_args(annotation)


def declared(info: FieldInfo, key: str) -> Any:
    """Read what `column` noted on a field: filterable, public or unit."""
    extra = info.json_schema_extra
    return extra.get(key) if isinstance(extra, dict) else None


def filter_kind(annotation: Any) -> FilterKind | None:
    """Tell how a field of this type is compared, or None where it cannot be."""
    plain = plain_type(annotation)
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        return "enum"
    return _PLAIN.get(plain)
