"""Typed ids, error codes and the small vocabularies that every layer shares."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
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
    """What is bought from a vendor."""
    WORK_ORDER = "WORK_ORDER"
    """Work to be done on an asset or at a place, or a production."""
    VENDOR = "VENDOR"
    """Who goods and services are bought from."""
    ITEM = "ITEM"
    """A material, product or service that is bought, kept or used."""
    INVENTORY_LEVEL = "INVENTORY_LEVEL"
    """How much of an item is at one place."""
    ASSET = "ASSET"
    """A machine, vehicle, building or part of one that is maintained."""
    LOCATION = "LOCATION"
    """A place where stock or assets are."""


class Operation(StrEnum):
    """What a caller may do to an entity."""

    READ = "READ"
    """Read it by syncs."""
    CREATE = "CREATE"
    """Make a new one."""
    UPDATE = "UPDATE"
    """Change one."""
    CANCEL = "CANCEL"
    """Cancel one, so that it stays and has no effect."""
    DELETE = "DELETE"
    """Remove one, where the source allows it."""
    ADJUST = "ADJUST"
    """Set or change how much is in stock."""


class Cause(StrEnum):
    """Why a record has a version."""

    SYNC = "SYNC"
    """A sync found it changed in the source."""
    WRITE = "WRITE"
    """A write through this API changed it."""
    MAPPING = "MAPPING"
    """The mapping of its fields was changed."""


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
    "WebhookAttempt": "att",
    "Workflow": "wf",
    "Export": "exp",
    "Request": "req",
    "RequestLog": "log",
    "AuditEntry": "aud",
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


def tell_instant(at: datetime) -> str:
    """Give an instant as it is told everywhere, in the form in which `db/told.py` has SQL tell it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


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
    """No token, or a dead one."""
    FORBIDDEN = "FORBIDDEN"
    """The token is live, but may not do this."""
    NOT_FOUND = "NOT_FOUND"
    """There is no such thing, or the token does not see it."""
    BAD_USER_INPUT = "BAD_USER_INPUT"
    """The document or its values are wrong."""
    UNSUPPORTED = "UNSUPPORTED"
    """The connected system cannot do this, or cannot take this field."""
    CONFLICT = "CONFLICT"
    """It changed meanwhile, or its state forbids this."""
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    """The idempotency key was used with another input."""
    REAUTHORIZATION_REQUIRED = "REAUTHORIZATION_REQUIRED"
    """The source refuses the credentials."""
    SOURCE_UNREACHABLE = "SOURCE_UNREACHABLE"
    """No answer came from the source."""
    SOURCE_RATE_LIMITED = "SOURCE_RATE_LIMITED"
    """The source asked us to slow down."""
    SOURCE_PERMISSION = "SOURCE_PERMISSION"
    """The credentials are right, but may not do this in the source."""
    SOURCE_REJECTED = "SOURCE_REJECTED"
    """The source refused the values."""
    SOURCE_ERROR = "SOURCE_ERROR"
    """The source failed."""
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    """A write left, and its answer was lost."""
    CREDITS_EXHAUSTED = "CREDITS_EXHAUSTED"
    """The organization's credits do not suffice."""
    RATE_LIMITED = "RATE_LIMITED"
    """The token has spent its points, or a socket carries too many operations."""
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    """The request is more than one may be."""
    SEQUENCE_EXPIRED = "SEQUENCE_EXPIRED"
    """The events asked for were deleted by retention."""
    UNAVAILABLE = "UNAVAILABLE"
    """Our own store is down."""
    INTERNAL = "INTERNAL"
    """Something failed on our side."""


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
