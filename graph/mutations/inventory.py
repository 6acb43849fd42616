"""Adjusting stock."""

from typing import Annotated, Any

import strawberry

from db.models.inputs import INPUTS
from db.types import Entity, Operation
from graph.context import ApiInfo
from graph.inputs import GIVEN, ReferenceInput, given, without_nulls, write_input
from graph.mutations.writing import CreateInput, payload, performed, told
from graph.types.inventory import InventoryLevel

_LEVEL = Entity.INVENTORY_LEVEL
_NAMES = INPUTS[_LEVEL, Operation.ADJUST].fields


@write_input(_LEVEL, Operation.ADJUST)
class AdjustInventoryInput(CreateInput):
    """A correction of stock: what should be there (quantity), or what to add or take away (delta)."""

    item: ReferenceInput = strawberry.field(description="What lies there.")


InventoryLevelWritePayload: Any = payload("InventoryLevel", "inventory_level", InventoryLevel)


@strawberry.type
class InventoryMutations:
    """Mutations of stock."""

    @strawberry.mutation(
        description="Correct the stock of an item at a place. Where the source takes movements only, the quantity is"
        " read first and the difference is posted; a movement between the two is not seen, and the operation's answer"
        " tells the quantity that it started from."
    )
    async def adjust_inventory(
        self,
        info: ApiInfo,
        input: Annotated[AdjustInventoryInput, GIVEN],  # noqa: A002
    ) -> InventoryLevelWritePayload:
        """Adjust stock."""
        asked = given(input)
        values = without_nulls({name: asked[name] for name in _NAMES if name in asked})
        outcome = await performed(info, input, _LEVEL, Operation.ADJUST, values=values)
        return told(InventoryLevelWritePayload, "inventory_level", "InventoryLevel", outcome)
