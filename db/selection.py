"""What a caller selected, as plain data: hashable shape here, values in slots beside it.

A selection holds no value of the caller's: every value stands in a list of
slots. So two requests of one shape are equal, and the SQL made for the first
serves the second; two requests that differ in anything that changes the SQL
(fields, aliases, skipped parts, filter operators, sort keys, null positions in
a cursor) differ here too.
"""

from dataclasses import dataclass, field, fields
from typing import Any, Literal

Comparison = Literal["eq", "in", "gt", "gte", "lt", "lte", "prefix", "null", "has", "hasAny"]


@dataclass(frozen=True, slots=True)
class Hashed:
    """A shape whose hash is taken once: statements are found by it at each request."""

    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        """Take the hash."""
        values = (getattr(self, each.name) for each in fields(self) if each.compare)
        object.__setattr__(self, "_hash", hash((type(self), *values)))

    def __hash__(self) -> int:
        """Give the hash."""
        return self._hash


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column, or `__typename`, told under `key`."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Inside:
    """Fields of a JSON value, or of each in a list of them."""

    key: str
    name: str
    type_name: str
    fields: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class Related:
    """A relation told whole: one object, or all of a list."""

    key: str
    name: str
    selection: "Selection"


@dataclass(frozen=True, slots=True)
class RelatedPage:
    """A relation told as a Relay list."""

    key: str
    name: str
    page: "PageSelection"


@dataclass(frozen=True, slots=True)
class RelatedRecord:
    """A relation to one record of any kind: what is told of each kind."""

    key: str
    name: str
    selections: tuple["Selection", ...]


Part = Leaf | Inside | Related | RelatedPage | RelatedRecord


@dataclass(frozen=True, slots=True)
class Selection(Hashed):
    """The parts of one object, in the order they are told."""

    __hash__ = Hashed.__hash__

    type_name: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """One condition on a column; `slot` holds its value (for `null`, the SQL is `negated` or not)."""

    column: str
    op: Comparison
    slot: int | None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class AnyChild:
    """True when the related row, or one of them, fulfils the condition."""

    relation: str
    condition: "Condition"


@dataclass(frozen=True, slots=True)
class CustomField:
    """Conditions on one custom field's value as text; `absent` asks for records without it.

    Attributes:
        column: The JSON object that holds it, where it is not a record's custom fields.
    """

    name_slot: int
    compares: tuple[Compare, ...]
    absent: bool = False
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Combine:
    """Conditions joined by `and` or `or`; negated as a whole where asked."""

    op: Literal["and", "or"]
    parts: tuple["Condition", ...]
    negated: bool = False


Condition = Compare | AnyChild | CustomField | Combine


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort key of a list; nulls are last ascending and first descending."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Keyset:
    """Where a page begins: per sort key and for the tie-break a slot, or None for a null."""

    slots: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class PagePart:
    """One part of a Relay list: nodes, edges, pageInfo, totalCount, incomplete or `__typename`."""

    key: str
    name: str
    node: Selection | None = None
    parts: tuple["PagePart", ...] = ()


@dataclass(frozen=True, slots=True)
class PageSelection(Hashed):
    """A Relay list: what is told of it, which rows, in which order, from where.

    Attributes:
        gone_too: Records that are gone from the source are listed, too.
        named: The caller named the connection that it is held to: where there is none, there is no list.
        as_of_slot: Holds the instant as of which records are listed; None lists them as they are.
        numbered: A window of a sequence: its cursors are numbers.
    """

    __hash__ = Hashed.__hash__

    type_name: str
    parts: tuple[PagePart, ...]
    limit_slot: int
    backward: bool = False
    sorts: tuple[Sort, ...] = ()
    condition: Condition | None = None
    keyset: Keyset | None = None
    gone_too: bool = False
    named: bool = False
    as_of_slot: int | None = None
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class OneById(Hashed):
    """One object by the id in a slot; of a record, as of the instant in another, where there is one."""

    __hash__ = Hashed.__hash__

    selection: Selection
    id_slot: int
    as_of_slot: int | None = None


@dataclass(frozen=True, slots=True)
class All(Hashed):
    """A short list told whole, ordered by its key."""

    __hash__ = Hashed.__hash__

    selection: Selection


@dataclass(frozen=True, slots=True)
class SummaryOf(Hashed):
    """Records counted by groups: what is told of each, and which records they are of."""

    __hash__ = Hashed.__hash__

    type_name: str
    parts: tuple[Part, ...]
    groups: tuple[str, ...]
    condition: Condition | None = None
    named: bool = False


Root = OneById | PageSelection | All | SummaryOf
Slots = list[Any]
