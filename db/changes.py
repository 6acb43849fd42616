"""A connection's sequence of events, read in windows by whoever copies data.

An event's number is given by the last lock that its transaction takes (db/events.py). So whoever sees number n + 1
sees n, and a reader that has taken all up to n has missed nothing.
"""

from typing import Final

from db.keysets import CONNECTION, FIRST_SLOT, bound
from db.predicates import Rows, filtered
from db.selection import PageSelection
from db.shapes import SHAPES
from db.told import refusal

WINDOW: Final = 10_000
"""So many numbers a page looks at, however few of them are of the types that are asked for."""
POSITIONS: Final = frozenset({"nextSequence", "lastSequence", "oldestSequence"})
_LAST: Final = f"(SELECT s.last_sequence FROM event_counter s WHERE s.stream_id = {CONNECTION})"
_OLDEST: Final = f"(SELECT min(s.sequence) FROM event s WHERE s.stream_id = {CONNECTION})"
_FIRST_KEPT: Final = f"coalesce({_OLDEST}, {_LAST} + 1, 1)"


def _start(page: PageSelection) -> str:
    """Give the number after which the page begins."""
    if page.keyset is None:
        return f"{_FIRST_KEPT} - 1"
    (slot,) = page.keyset.slots
    if slot is None:
        raise TypeError("a sequence has no null")
    return bound("big", slot)


def window(page: PageSelection, alias: str, *, where: str) -> str:
    """Give the SQL of the page's rows, and one more."""
    start = _start(page)
    asked = ""
    if page.condition is not None:
        rows = Rows(alias, CONNECTION, lambda: alias)
        asked = f" AND {filtered(page.condition, SHAPES[page.type_name], rows)}"
    return (
        f"SELECT {alias}.* FROM event {alias} WHERE {where} AND {alias}.sequence > {start}"
        f" AND {alias}.sequence <= {start} + {WINDOW}{asked}"
        f" ORDER BY {alias}.sequence LIMIT ${FIRST_SLOT + page.limit_slot}::int + 1"
    )


def told_position(name: str, page: PageSelection, alias: str) -> str:
    """Give the SQL of a number that a page tells of its sequence; of the next one, over the page's numbered rows."""
    if name == "lastSequence":
        return f"coalesce({_LAST}, 0)"
    if name == "oldestSequence":
        return _FIRST_KEPT
    limit, start = f"${FIRST_SLOT + page.limit_slot}::int", _start(page)
    last = f"max({alias}.sequence) FILTER (WHERE {alias}.list_row = {limit})"
    seen = f"least({start} + {WINDOW}, coalesce({_LAST}, 0))"
    return f"(CASE WHEN count(*) > {limit} THEN coalesce({last}, {start}) ELSE {seen} END)"


def refused(page: PageSelection) -> list[tuple[str, str]]:
    """Give the SQL of what a page is refused for, and of the text told then."""
    if page.keyset is None:
        return []
    start = _start(page)
    return [
        (f"{start} < {_FIRST_KEPT} - 1", refusal("SEQUENCE_EXPIRED", f"{_FIRST_KEPT}::text")),
        (f"{start} > coalesce({_LAST}, 0)", refusal("SEQUENCE_AHEAD", f"coalesce({_LAST}, 0)::text")),
    ]
