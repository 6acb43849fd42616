"""Events: committed changes with their numbers."""

from typing import Any

import strawberry

from db.models import event as stored
from graph.entity import entity, made
from graph.lists import PageInfo
from graph.types.node import Node
from graph.types.systems import ConnectedSystem


@entity(stored.Event)
class Event:
    """One committed change with its number."""

    connection: ConnectedSystem | None = strawberry.field(
        description="Where it happened; null for the organization's own events."
    )
    record: Node | None = strawberry.field(
        description="The record as it is now, with the changes after this one, too; null where no record changed, and"
        " once its data was deleted."
    )


ChangeEdge: Any = made(
    "ChangeEdge",
    {"cursor": (str, "Its number."), "node": (Event, "The event.")},
    "One event of a connection's sequence.",
)
ChangeConnection: Any = made(
    "ChangeConnection",
    {
        "edges": (list[ChangeEdge], "Events with their numbers."),
        "nodes": (list[Event], "Events."),
        "page_info": (PageInfo, "Where the page stands; its cursors are numbers."),
        "next_sequence": (
            str,
            "Where to go on, as afterSequence: all events up to it were looked at, of whatever type they are.",
        ),
        "last_sequence": (str, "The connection's last number at this moment."),
        "oldest_sequence": (str, "The oldest number that retention has left."),
    },
    "A page of a connection's events.",
)
