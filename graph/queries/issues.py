"""What went wrong with connections' sources: single errors, and the issues that group them."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from db.types import Entity, ErrorCode
from graph.context import Read
from graph.entity import enumeration
from graph.types.issues import ConnectionErrorConnection, IssueConnection
from graph.types.sync import QuarantinedItemConnection

OfConnection = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="Only rows of this connection; a connection token implies it."),
]
First = Annotated[int | None, strawberry.argument(description="The first n rows, 0 to 250; 50 by default.")]
After = Annotated[str | None, strawberry.argument(description="Begin after this cursor.")]
_NEWEST_FIRST = [{"field": "id", "direction": "DESC"}]


@strawberry.type
class IssueQueries:
    """Queries of errors and issues."""

    @strawberry.field(
        description="Each failure of a source, kept apart from other logs for 30 days by default; newest first."
    )
    def connection_errors(
        self,
        connection_id: OfConnection = None,
        entity: Annotated[
            enumeration(Entity) | None,  # type: ignore[valid-type]
            strawberry.argument(description="Only errors of this entity."),
        ] = None,
        operation: Annotated[
            str | None, strawberry.argument(description="Only errors of this operation: CHECK, READ, CREATE …")
        ] = None,
        code: Annotated[
            enumeration(ErrorCode) | None,  # type: ignore[valid-type]
            strawberry.argument(description="Only errors of this code."),
        ] = None,
        since: Annotated[datetime | None, strawberry.argument(description="Only errors from this instant on.")] = None,
        first: First = None,
        after: After = None,
    ) -> ConnectionErrorConnection:
        """Read errors."""
        del connection_id, first, after  # read by graph.selection
        asked = {"entity": entity, "operation": operation, "code": code}
        conditions: dict[str, Any] = {name: {"eq": value} for name, value in asked.items() if value is not None}
        if since is not None:
            conditions["occurredAt"] = {"gte": since}
        told: Any = Read("ConnectionError", paged=True, arguments={"filter": conditions, "orderBy": _NEWEST_FIRST})
        return told

    @strawberry.field(
        description="Items of a connection that could not be mapped, kept whole with the reason; a later read that can"
        " be mapped lets them go."
    )
    def quarantine(
        self,
        connection_id: Annotated[strawberry.ID, strawberry.argument(description="Whose items.")],
        first: First = None,
        after: After = None,
    ) -> QuarantinedItemConnection:
        """Read items in quarantine."""
        del connection_id, first, after  # read by graph.selection
        told: Any = Read("QuarantinedItem", paged=True, arguments={"orderBy": [{"field": "entity"}]})
        return told

    @strawberry.field(description="Groups of like connection errors, newest first.")
    def issues(
        self,
        connection_id: OfConnection = None,
        open: Annotated[  # noqa: A002
            bool | None,
            strawberry.argument(description="True: only open ones. False: only resolved ones."),
        ] = None,
        first: First = None,
        after: After = None,
    ) -> IssueConnection:
        """Read issues."""
        del connection_id, first, after  # read by graph.selection
        conditions = {} if open is None else {"resolvedAt": {"isNull": open}}
        told: Any = Read("Issue", paged=True, arguments={"filter": conditions, "orderBy": _NEWEST_FIRST})
        return told
