"""Typed ids, error codes and the small vocabularies that every layer shares."""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from asyncpg.pgproto.pgproto import UUID as DriverUUID  # noqa: N811  (it is the driver's own)
from pydantic import AfterValidator, BeforeValidator
from uuid_utils import uuid7
from uuid_utils.compat import uuid7 as plain_uuid7


class Entity(StrEnum):
    """A kind of record that connections hold."""

    PURCHASE_ORDER = "PURCHASE_ORDER"
    WORK_ORDER = "WORK_ORDER"
    VENDOR = "VENDOR"
    ITEM = "ITEM"
    INVENTORY_LEVEL = "INVENTORY_LEVEL"
    ASSET = "ASSET"
    LOCATION = "LOCATION"


class Operation(StrEnum):
    """What a caller may do to an entity."""

    READ = "READ"
    CREATE = "CREATE"
    UPDATE = "UPDATE"
    CANCEL = "CANCEL"
    DELETE = "DELETE"
    ADJUST = "ADJUST"


class Cause(StrEnum):
    """Why a record has a version."""

    SYNC = "SYNC"
    WRITE = "WRITE"
    MAPPING = "MAPPING"


PREFIXES: Final = {
    "Organization": "org",
    "ApiKey": "key",
    "CreditEntry": "crd",
    "ConnectedSystem": "conn",
    "ConnectSession": "ses",
    "SyncRun": "run",
    "PurchaseOrder": "po",
    "WorkOrder": "wo",
    "Vendor": "vend",
    "Item": "item",
    "InventoryLevel": "inv",
    "Asset": "asset",
    "Location": "loc",
    "WriteOperation": "op",
    "Issue": "iss",
    "ConnectionError": "err",
    "Event": "evt",
    "WebhookEndpoint": "whe",
    "WebhookDelivery": "dlv",
    "Workflow": "wf",
    "Export": "exp",
    "Request": "req",
    "RequestLog": "log",
}
"""The prefix of each type's public id: `po_` + 32 hex digits."""

_TYPES: Final = {prefix: name for name, prefix in PREFIXES.items()}
_ID = re.compile(r"([a-z]+)_([0-9a-f]{32})")


class InvalidId(ValueError):
    """The text is not an id of this API, or not of the kind asked for."""


def new_id() -> UUID:
    """Make an id that sorts by the time it was made (UUIDv7)."""
    return plain_uuid7()


def new_ids(count: int) -> list[UUID]:
    """Make many ids at once, as the driver holds them: a third of the time, and quicker to send."""
    return [DriverUUID(uuid7().bytes) for _ in range(count)]


def encode_id(type_name: str, value: UUID) -> str:
    """Give the public form of an id, e.g. `po_0193…`."""
    return f"{PREFIXES[type_name]}_{value.hex}"


def decode_id(text: str, *, type_name: str | None = None) -> tuple[str, UUID]:
    """Read a public id.

    Args:
        text: What a caller sent.
        type_name: The only type that is acceptable here; None takes any.

    Returns:
        The type's name and the stored UUID.

    Raises:
        InvalidId: The text is malformed, its prefix is unknown, or it names another type.
    """
    match = _ID.fullmatch(text)
    found = _TYPES.get(match[1]) if match else None
    if match is None or found is None:
        raise InvalidId(f"{text[:80]!r} is not an id of this API.")
    if type_name is not None and found != type_name:
        raise InvalidId(f"{text!r} is the id of a {found}; a {type_name} id begins with {PREFIXES[type_name]}_.")
    return found, UUID(hex=match[2])


class ErrorCode(StrEnum):
    """Every code that an answer may carry (docs/errors.md)."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    UNSUPPORTED = "UNSUPPORTED"
    CONFLICT = "CONFLICT"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    REAUTHORIZATION_REQUIRED = "REAUTHORIZATION_REQUIRED"
    SOURCE_UNREACHABLE = "SOURCE_UNREACHABLE"
    SOURCE_RATE_LIMITED = "SOURCE_RATE_LIMITED"
    SOURCE_PERMISSION = "SOURCE_PERMISSION"
    SOURCE_REJECTED = "SOURCE_REJECTED"
    SOURCE_ERROR = "SOURCE_ERROR"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    CREDITS_EXHAUSTED = "CREDITS_EXHAUSTED"
    RATE_LIMITED = "RATE_LIMITED"
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    SEQUENCE_EXPIRED = "SEQUENCE_EXPIRED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


RETRYABLE: Final = frozenset(
    {
        ErrorCode.SOURCE_UNREACHABLE,
        ErrorCode.SOURCE_RATE_LIMITED,
        ErrorCode.SOURCE_ERROR,
        ErrorCode.RATE_LIMITED,
        ErrorCode.UNAVAILABLE,
    }
)
"""Codes for which waiting and asking again may help."""


def _no_float(value: object) -> object:
    if isinstance(value, float):
        raise ValueError("a float is not exact; give a decimal or its text")  # noqa: TRY004  (pydantic wants ValueError)
    return value


def _of_this_world(value: Decimal) -> Decimal:
    if value.is_finite() and (value.adjusted() >= EXACT_DIGITS or value.as_tuple().exponent < -EXACT_DIGITS):  # type: ignore[operator]
        raise ValueError(f"a number of more than {EXACT_DIGITS} digits before or after the point is not kept")
    return value


EXACT_DIGITS: Final = 200
"""More than any source writes; Postgres itself gives up at 131,072 before and 16,383 after the point."""
Exact = Annotated[Decimal, BeforeValidator(_no_float), AfterValidator(_of_this_world)]
"""An amount of money or a quantity: exact, finite, never a float. Its currency or unit stands beside it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what a caller sent, or with what a source answered.

    Attributes:
        code: What kind of thing it is.
        message: One sentence for the caller, free of secrets and internals.
        path: Where in the caller's input, as GraphQL names; None when it has no one place.
        source_message: The source system's own words, when it spoke.
    """

    code: ErrorCode
    message: str
    path: tuple[str, ...] | None = None
    source_message: str | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """How a caller names something of a connection: exactly one of the three is given."""

    id: UUID | None = None
    source_id: str | None = None
    code: str | None = None
