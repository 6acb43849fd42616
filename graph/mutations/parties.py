"""Writing vendors."""

from typing import Annotated, Any

import strawberry

from db.types import Entity, Operation
from graph.context import ApiInfo
from graph.inputs import GIVEN, given, without_nulls, write_input
from graph.mutations.writing import CreateInput, RecordInput, payload, performed, told
from graph.types.parties import Vendor
from jobs.write import Outcome


@write_input(Entity.VENDOR, Operation.CREATE)
class VendorCreate:
    """A new vendor."""

    name: str = strawberry.field(description="Its name.")


@write_input(Entity.VENDOR, Operation.UPDATE)
class VendorChange:
    """A change of a vendor; what is left out stays, null clears."""


@strawberry.input(description="A new vendor for one connection.")
class CreateVendorInput(CreateInput):
    """A new vendor for one connection."""

    vendor: VendorCreate = strawberry.field(description="The vendor.")


@strawberry.input(description="A change of a vendor.")
class UpdateVendorInput(RecordInput):
    """A change of a vendor."""

    changes: VendorChange = strawberry.field(description="What to change.")


VendorWritePayload: Any = payload("Vendor", "vendor", Vendor)


@strawberry.type
class PartyMutations:
    """Mutations of vendors."""

    @strawberry.mutation(description="Make a vendor in the connected system.")
    async def create_vendor(self, info: ApiInfo, input: Annotated[CreateVendorInput, GIVEN]) -> VendorWritePayload:  # noqa: A002
        """Make a vendor."""
        values = without_nulls(given(input.vendor))
        return _told(await performed(info, input, Entity.VENDOR, Operation.CREATE, root="vendor", values=values))

    @strawberry.mutation(description="Change a vendor in the connected system.")
    async def update_vendor(self, info: ApiInfo, input: Annotated[UpdateVendorInput, GIVEN]) -> VendorWritePayload:  # noqa: A002
        """Change a vendor."""
        values = given(input.changes)
        return _told(await performed(info, input, Entity.VENDOR, Operation.UPDATE, root="changes", values=values))


def _told(outcome: Outcome) -> Any:
    return told(VendorWritePayload, "vendor", "Vendor", outcome)
