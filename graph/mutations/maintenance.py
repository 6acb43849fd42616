"""Writing work orders."""

from typing import Annotated, Any

import strawberry

from db.models.maintenance.work_order import WorkOrderTransition
from db.types import Entity, Operation
from graph.context import ApiInfo
from graph.entity import enumeration
from graph.inputs import GIVEN, given, without_nulls, write_input
from graph.mutations.writing import CreateInput, RecordInput, payload, performed, told
from graph.types.maintenance import WorkOrder
from jobs.write import Outcome

_WORK = Entity.WORK_ORDER
_TRANSITION: Any = enumeration(WorkOrderTransition)


@write_input(_WORK, Operation.CREATE)
class WorkOrderCreate:
    """A new work order: maintenance of an asset, or production of an item."""


@write_input(_WORK, Operation.UPDATE)
class WorkOrderChange:
    """A change of a work order; what is left out stays, null clears."""

    status: _TRANSITION | None = strawberry.field(default=strawberry.UNSET, description="A step to take after it.")


@strawberry.input(description="A new work order for one connection.")
class CreateWorkOrderInput(CreateInput):
    """A new work order for one connection."""

    work_order: WorkOrderCreate = strawberry.field(description="The work order.")


@strawberry.input(description="A change of a work order.")
class UpdateWorkOrderInput(RecordInput):
    """A change of a work order."""

    changes: WorkOrderChange = strawberry.field(description="What to change.")


WorkOrderWritePayload: Any = payload("WorkOrder", "work_order", WorkOrder)


@strawberry.type
class MaintenanceMutations:
    """Mutations of work orders."""

    @strawberry.mutation(description="Make a work order in the connected system.")
    async def create_work_order(
        self,
        info: ApiInfo,
        input: Annotated[CreateWorkOrderInput, GIVEN],  # noqa: A002
    ) -> WorkOrderWritePayload:
        """Make a work order."""
        values = without_nulls(given(input.work_order))
        return _told(await performed(info, input, _WORK, Operation.CREATE, root="workOrder", values=values))

    @strawberry.mutation(description="Change a work order in the connected system, and take it a step further.")
    async def update_work_order(
        self,
        info: ApiInfo,
        input: Annotated[UpdateWorkOrderInput, GIVEN],  # noqa: A002
    ) -> WorkOrderWritePayload:
        """Change a work order."""
        values = given(input.changes)
        step = values.pop("status", None)
        return _told(
            await performed(info, input, _WORK, Operation.UPDATE, root="changes", values=values, transition=step)
        )


def _told(outcome: Outcome) -> Any:
    return told(WorkOrderWritePayload, "work_order", "WorkOrder", outcome)
