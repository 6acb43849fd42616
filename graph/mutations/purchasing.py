"""Writing purchase orders."""

from decimal import Decimal
from typing import Annotated, Any

import strawberry

from db.models.purchasing.purchase_order import PurchaseOrderTransition
from db.types import Entity, Operation
from graph.context import ApiInfo
from graph.entity import enumeration
from graph.errors import bad_input
from graph.inputs import GIVEN, ReferenceInput, given, without_nulls, write_input
from graph.mutations.writing import MAX_LINES, CreateInput, RecordInput, payload, performed, told
from graph.types.purchasing import PurchaseOrder
from jobs.write import Outcome

_ORDER = Entity.PURCHASE_ORDER
_TRANSITION: Any = enumeration(PurchaseOrderTransition)


@write_input(_ORDER, Operation.CREATE, line=True)
class PurchaseOrderLineCreate:
    """One line of a new order."""

    quantity: Decimal = strawberry.field(description="How much is ordered.")


@write_input(_ORDER, Operation.UPDATE, line=True)
class PurchaseOrderLineChange:
    """A change of one line; what is left out stays, null clears."""

    source_line_id: str = strawberry.field(description="The source's own key of the line, as `sourceLineId` tells it.")


@write_input(_ORDER, Operation.CREATE)
class PurchaseOrderCreate:
    """A new order. The same document makes an order in every system that can take its fields."""

    vendor: ReferenceInput = strawberry.field(description="Who it is placed with.")
    lines: list[PurchaseOrderLineCreate] = strawberry.field(description="What is ordered, 1 to 500 lines.")


@write_input(_ORDER, Operation.UPDATE)
class PurchaseOrderChange:
    """A change of an order; what is left out stays, null clears."""

    status: _TRANSITION | None = strawberry.field(default=strawberry.UNSET, description="A step to take after it.")
    add_lines: list[PurchaseOrderLineCreate] | None = strawberry.field(
        default=strawberry.UNSET, description="Lines to add, at most 500."
    )
    change_lines: list[PurchaseOrderLineChange] | None = strawberry.field(
        default=strawberry.UNSET, description="Lines to change, at most 500."
    )
    remove_lines: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Lines to remove, by `sourceLineId`, at most 500."
    )


@strawberry.input(description="A new order for one connection.")
class CreatePurchaseOrderInput(CreateInput):
    """A new order for one connection."""

    purchase_order: PurchaseOrderCreate = strawberry.field(description="The order.")


@strawberry.input(description="A change of an order.")
class UpdatePurchaseOrderInput(RecordInput):
    """A change of an order."""

    changes: PurchaseOrderChange = strawberry.field(description="What to change.")


@strawberry.input(description="An order to cancel.")
class CancelPurchaseOrderInput(RecordInput):
    """An order to cancel."""


@strawberry.input(description="An order to delete.")
class DeletePurchaseOrderInput(RecordInput):
    """An order to delete."""


PurchaseOrderWritePayload: Any = payload("PurchaseOrder", "purchase_order", PurchaseOrder)


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
        values = without_nulls(given(input.purchase_order))
        if not 1 <= len(values["lines"]) <= MAX_LINES:
            raise bad_input(f"An order has 1 to {MAX_LINES} lines.")
        values["lines"] = [without_nulls(line) for line in values["lines"]]
        return _told(await performed(info, input, _ORDER, Operation.CREATE, root="purchaseOrder", values=values))

    @strawberry.mutation(description="Change a purchase order in the connected system, and take it a step further.")
    async def update_purchase_order(
        self,
        info: ApiInfo,
        input: Annotated[UpdatePurchaseOrderInput, GIVEN],  # noqa: A002
    ) -> PurchaseOrderWritePayload:
        """Change an order."""
        values = given(input.changes)
        transition = values.pop("status", None)
        lines = {name: values.pop(name, None) or [] for name in ("add_lines", "change_lines", "remove_lines")}
        if any(len(rows) > MAX_LINES for rows in lines.values()):
            raise bad_input(f"A change has at most {MAX_LINES} lines of each kind.")
        lines["add_lines"] = [without_nulls(line) for line in lines["add_lines"]]
        more = {"transition": transition, **lines}
        return _told(await performed(info, input, _ORDER, Operation.UPDATE, root="changes", values=values, **more))

    @strawberry.mutation(description="Cancel a purchase order in the connected system.")
    async def cancel_purchase_order(
        self,
        info: ApiInfo,
        input: Annotated[CancelPurchaseOrderInput, GIVEN],  # noqa: A002
    ) -> PurchaseOrderWritePayload:
        """Cancel an order."""
        return _told(await performed(info, input, _ORDER, Operation.CANCEL))

    @strawberry.mutation(description="Delete a purchase order in the connected system, where that allows it.")
    async def delete_purchase_order(
        self,
        info: ApiInfo,
        input: Annotated[DeletePurchaseOrderInput, GIVEN],  # noqa: A002
    ) -> PurchaseOrderWritePayload:
        """Delete an order."""
        return _told(await performed(info, input, _ORDER, Operation.DELETE))


def _told(outcome: Outcome) -> Any:
    return told(PurchaseOrderWritePayload, "purchase_order", "PurchaseOrder", outcome)
