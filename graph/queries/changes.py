"""A connection's sequence of changes, for those who copy its data."""

from typing import Annotated, Any

import strawberry

from graph.context import Read
from graph.types.events import ChangeConnection


@strawberry.type
class ChangeQueries:
    """Queries of changes."""

    @strawberry.field(
        description="A connection's events from a number on, in their sequence without gaps: whoever applies them in"
        " turn has a copy. SEQUENCE_EXPIRED where retention has deleted the next one: read the records anew."
    )
    def changes(
        self,
        connection_id: Annotated[strawberry.ID, strawberry.argument(description="Whose events.")],
        after_sequence: Annotated[
            str | None,
            strawberry.argument(description="Begin after this number; at the oldest one kept by default."),
        ] = None,
        first: Annotated[
            int | None, strawberry.argument(description="The first n events, 0 to 250; 50 by default.")
        ] = None,
        types: Annotated[
            list[str] | None,
            strawberry.argument(description="Only events of these types, e.g. purchase_order.updated; at most 100."),
        ] = None,
    ) -> ChangeConnection:
        """Read events."""
        del connection_id, after_sequence, first, types  # read by graph.selection
        told: Any = Read("Event", paged=True, numbered=True)
        return told
