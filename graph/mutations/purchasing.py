"""Writing purchase orders."""

from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from db.models.organization import TokenScope
from db.models.purchasing.purchase_order import PurchaseOrderFields, PurchaseOrderLineFields
from db.types import Entity, Operation, encode_id
from graph.context import ApiInfo, Read
from graph.errors import bad_input
from graph.inputs import (
    GIVEN,
    AddressInput,
    ReferenceInput,
    UserError,
    given,
    json_object,
    record_input,
    user_error,
    without_nulls,
)
from graph.mutations.connections import connection_of
from graph.types.purchasing import PurchaseOrder
from graph.types.writing import WriteOperation
from jobs.write import Outcome, WriteRequest

MAX_LINES = 500


@record_input(PurchaseOrderLineFields, "description", "unit", "unit_price", "required_date", "custom_fields")
class PurchaseOrderLineCreate:
    """One line of a new order."""

    quantity: Decimal = strawberry.field(description="How much is ordered.")
    item: ReferenceInput | None = strawberry.field(default=strawberry.UNSET, description="What is ordered.")
    location: ReferenceInput | None = strawberry.field(default=strawberry.UNSET, description="Where it goes.")


@record_input(PurchaseOrderFields, "currency", "order_date", "required_date", "notes", "custom_fields")
class PurchaseOrderCreate:
    """A new order. The same document makes an order in every system that can take its fields."""

    vendor: ReferenceInput = strawberry.field(description="Who it is placed with.")
    lines: list[PurchaseOrderLineCreate] = strawberry.field(description="What is ordered, 1 to 500 lines.")
    payment_terms: ReferenceInput | None = strawberry.field(
        default=strawberry.UNSET, description="When invoices are due."
    )
    ship_to: AddressInput | None = strawberry.field(default=strawberry.UNSET, description="Where the goods go.")


@strawberry.input(description="A new order for one connection.")
class CreatePurchaseOrderInput:
    """A new order for one connection."""

    purchase_order: PurchaseOrderCreate = strawberry.field(description="The order.")
    connection_id: strawberry.ID | None = strawberry.field(
        default=None, description="Where to make it; a connection token implies it."
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description="At most 255 characters. The same key and input make one order, however often sent."
    )
    source_fields: JSON | None = strawberry.field(
        default=None, description="Values for the source's own field names, beyond the model."
    )


@strawberry.type(description="What became of a write.")
class PurchaseOrderWritePayload:
    """What became of a write."""

    operation: WriteOperation | None = strawberry.field(default=None, description="The write's own record.")
    purchase_order: PurchaseOrder | None = strawberry.field(
        default=None, description="The order as the source now has it."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was refused.")


@strawberry.type
class PurchasingMutations:
    """Mutations of purchase orders."""

    @strawberry.mutation(description="Make a purchase order in the connected system.")
    async def create_purchase_order(
        self,
        info: ApiInfo,
        input: Annotated[CreatePurchaseOrderInput, GIVEN],  # noqa: A002
    ) -> PurchaseOrderWritePayload:
        """Make an order."""
        context = info.context
        context.who.require(TokenScope.WRITE)
        lines = input.purchase_order.lines
        if not 1 <= len(lines) <= MAX_LINES:
            raise bad_input(f"An order has 1 to {MAX_LINES} lines.")
        if input.idempotency_key is not None and not 1 <= len(input.idempotency_key) <= 255:
            raise bad_input("idempotencyKey has 1 to 255 characters.")
        values = without_nulls(given(input.purchase_order))
        values["lines"] = [without_nulls(line) for line in values["lines"]]
        request = WriteRequest(
            connection_id=connection_of(context, input.connection_id),
            entity=Entity.PURCHASE_ORDER,
            operation=Operation.CREATE,
            values=values,
            root="purchaseOrder",
            idempotency_key=input.idempotency_key,
            source_fields=json_object(input.source_fields, "sourceFields"),
            actor=encode_id("ApiKey", context.who.token_id),
            request_id=context.request_id,
        )
        return _payload(await context.services.write.perform(context.who.scope, request))


def _payload(outcome: Outcome) -> PurchaseOrderWritePayload:
    operation: Any = Read("WriteOperation", one=outcome.operation_id) if outcome.operation_id else None
    record: Any = Read("PurchaseOrder", one=outcome.record_id) if outcome.record_id else None
    return PurchaseOrderWritePayload(
        operation=operation, purchase_order=record, user_errors=[user_error(each) for each in outcome.problems]
    )
