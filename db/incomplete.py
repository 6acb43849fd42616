"""What a list may lack: the connections whose data is not whole, and since when."""

from typing import Final

from db.pieces import Told, known, quoted, told_object
from db.selection import PagePart
from db.shapes import Shape
from db.told import INSTANT_TEXT, told_id, told_list, told_typename

_REASONS: Final = """
CASE WHEN c.status IN ('DISCONNECTED', 'REAUTHORIZATION_REQUIRED', 'PAUSED', 'UNREACHABLE') THEN c.status
     WHEN e.state = 'DEGRADED' THEN 'DEGRADED' WHEN e.state = 'PAUSED' THEN 'PAUSED'
     WHEN e.complete_through IS NULL THEN 'NOT_SYNCED' END
"""
_FIELDS: Final = {
    "connectionId": told_id("i.id", "ConnectedSystem"),
    "reason": quoted("i.reason"),
    "since": quoted(INSTANT_TEXT.format(x="i.since"), "null"),
}


def told_incomplete(part: PagePart, shape: Shape, *, of: str) -> Told:
    """Tell a list's `incomplete`.

    Args:
        part: What is asked of it.
        shape: The records of the list.
        of: The condition on a connection `c` that the list is of.
    """
    fields = {**_FIELDS, "entity": known(f'"{shape.entity}"'), "__typename": told_typename("Incomplete")}
    told = told_object((each.key, fields[each.name]) for each in part.parts).sql
    rows = (
        f"SELECT c.id, {_REASONS} AS reason, e.complete_through AS since FROM connection c"
        f" JOIN connected_entity e ON e.connection_id = c.id AND e.entity = '{shape.entity}' WHERE {of}"
    )
    return told_list(f"SELECT {told} AS told, i.id FROM ({rows}) i WHERE i.reason IS NOT NULL", "id")
