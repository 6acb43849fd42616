"""What all writes share: how they are asked for, and how their outcome is told."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from db.models.organization import TokenScope
from db.types import Entity, Operation, decode_id, encode_id
from graph.context import ApiInfo, Read
from graph.entity import made
from graph.errors import bad_input
from graph.inputs import UserError, json_object, user_error
from graph.mutations.connections import connection_of
from graph.types.writing import WriteOperation
from jobs.write import DryRun as Predicted
from jobs.write import Outcome, WriteRequest

MAX_LINES: Final = 500
_LONGEST_WAIT: Final = 120


@strawberry.input
class WriteInput:
    """How a write is to be done."""

    idempotency_key: str | None = strawberry.field(
        default=None,
        description="At most 255 characters, kept 7 days. The same key and input have one effect, however often sent;"
        " another input is IDEMPOTENCY_CONFLICT.",
    )
    dry_run: bool | None = strawberry.field(
        default=None, description="Tell what would be sent to the source and what it would change; send nothing."
    )
    async_: bool | None = strawberry.field(
        default=None, name="async", description="Answer at once with the operation; a worker performs it."
    )
    timeout_seconds: int | None = strawberry.field(
        default=None,
        description="How long to wait for the outcome, 1 to 120; 30 by default. Then the operation is answered as it"
        " is, and goes on.",
    )


@strawberry.input
class SourceWriteInput(WriteInput):
    """How a write is to be done, with fields beyond the model."""

    source_fields: JSON | None = strawberry.field(
        default=None, description="Values for the source's own field names, beyond the model and the write defaults."
    )


@strawberry.input
class CreateInput(SourceWriteInput):
    """Where to make something."""

    connection_id: strawberry.ID | None = strawberry.field(
        default=None, description="Where to make it; a connection token implies it."
    )


@strawberry.input
class RecordInput(SourceWriteInput):
    """Which record to change."""

    id: strawberry.ID = strawberry.field(description="The record.")
    expected_version: int | None = strawberry.field(
        default=None,
        description="The `version` that you saw. If the record, here or in the source, is another by now, nothing is"
        " sent, and CONFLICT comes with the present record.",
    )


@strawberry.type(description="One request that a write sends to the source.")
class SourceRequest:
    """One request that a write sends to the source."""

    method: str = strawberry.field(description="Its HTTP method.")
    url: str = strawberry.field(description="Its address.")
    body: str | None = strawberry.field(description="Its body, byte for byte.")


@strawberry.type(description="One field that a write would change.")
class PredictedChange:
    """One field that a write would change."""

    path: list[str] = strawberry.field(description="The field, from the record's top.")
    before: JSON | None = strawberry.field(description="Its value now.")
    after: JSON | None = strawberry.field(description="Its value afterwards.")


@strawberry.type(description="What a write would do; the source was only read.")
class DryRun:
    """What a write would do."""

    reference: str = strawberry.field(
        description="Our reference; the same input with the same idempotency key, sent today, carries the same."
    )
    requests: list[SourceRequest] = strawberry.field(description="What would be sent, in order.")
    changes: list[PredictedChange] = strawberry.field(description="What would change.")


def payload(type_name: str, field: str, node: Any) -> type:
    """Make the payload of an entity's writes: operation, the record, userErrors, dryRun."""
    name = f"{type_name}WritePayload"
    fields: dict[str, tuple[Any, str | None]] = {
        "operation": (WriteOperation | None, "The write's own record; null where nothing was begun."),
        field: (node | None, "The record as the source now has it."),
        "user_errors": (list[UserError], "Why it was refused, or that its outcome is unknown."),
        "dry_run": (DryRun | None, "What would be sent, where `dryRun` asked for it."),
    }
    return made(name, fields, "What became of a write.")


async def performed(
    info: ApiInfo,
    asked: WriteInput,
    entity: Entity,
    operation: Operation,
    *,
    root: str = "",
    values: Mapping[str, Any] | None = None,
    **more: Any,
) -> Outcome:
    """Carry a write out.

    Args:
        asked: The mutation's input.
        values: Fields in our names.
        more: Lines and transition of an update.

    Raises:
        ApiError: FORBIDDEN without the right to write; BAD_USER_INPUT for a key or a time out of bounds.
    """
    context = info.context
    context.who.require(TokenScope.WRITE)
    key, wait = asked.idempotency_key, asked.timeout_seconds
    if key is not None and not 1 <= len(key) <= 255:
        raise bad_input("idempotencyKey has 1 to 255 characters.")
    if wait is not None and not 1 <= wait <= _LONGEST_WAIT:
        raise bad_input(f"timeoutSeconds is 1 to {_LONGEST_WAIT}.")
    record = isinstance(asked, RecordInput)
    request = WriteRequest(
        entity=entity,
        operation=operation,
        values=values or {},
        root=root,
        connection_id=None if record else connection_of(context, getattr(asked, "connection_id", None)),
        record_id=_record(asked, entity) if record else None,
        expected_version=asked.expected_version if isinstance(asked, RecordInput) else None,
        idempotency_key=key,
        source_fields=json_object(getattr(asked, "source_fields", None), "sourceFields"),
        dry=bool(asked.dry_run),
        background=bool(asked.async_),
        timeout_s=wait,
        actor=encode_id("ApiKey", context.who.token_id),
        request_id=context.request_id,
        **more,
    )
    return await context.services.write.perform(context.who.scope, request)


def _record(asked: Any, entity: Entity) -> UUID:
    return decode_id(asked.id, type_name=_TYPES[entity])[1]


_TYPES: Final = {
    Entity.PURCHASE_ORDER: "PurchaseOrder",
    Entity.WORK_ORDER: "WorkOrder",
    Entity.VENDOR: "Vendor",
}


def told(of: Any, field: str, type_name: str, outcome: Outcome) -> Any:
    """Tell an outcome as an entity's payload."""
    operation: Any = Read("WriteOperation", one=outcome.operation_id) if outcome.operation_id else None
    record: Any = Read(type_name, one=outcome.record_id) if outcome.record_id else None
    return of(
        operation=operation,
        user_errors=[user_error(each) for each in outcome.problems],
        dry_run=_dry(outcome.dry_run) if outcome.dry_run else None,
        **{field: record},
    )


def _dry(run: Predicted) -> DryRun:
    return DryRun(
        reference=run.reference,
        requests=[SourceRequest(method=r["method"], url=r["url"], body=r.get("body")) for r in run.requests],
        changes=[PredictedChange(path=list(c.path), before=c.before, after=c.after) for c in run.changes],
    )
