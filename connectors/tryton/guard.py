"""What Tryton's own client lets people change in which state: the server itself lets everything through.

Tables first, then the refusals. Source: purchase/purchase.py of Tryton's purchase module 7.4 (`states` of the fields,
`_transitions`); that the server does not enforce them was seen on a real one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from connectors.errors import WriteRejected
from db.types import ErrorCode, Problem

_DRAFT: Final = frozenset({"draft"})
_UNCONFIRMED: Final = _DRAFT | {"quotation"}
_UNPROCESSED: Final = _UNCONFIRMED | {"confirmed"}
_ALWAYS: Final = _UNPROCESSED | {"processing", "done", "cancelled"}

HEADER: Final[Mapping[str, frozenset[str]]] = {
    "reference": _ALWAYS,
    "comment": _ALWAYS,
    "purchase_date": _UNCONFIRMED,
    "payment_term": _UNCONFIRMED,
    "delivery_date": _UNPROCESSED,
}
"""Field of a purchase → states in which it may change; all others, lines included, only in draft."""

LINE: Final[Mapping[str, frozenset[str]]] = {
    "note": _ALWAYS,
    "delivery_date_edit": _UNPROCESSED,
    "delivery_date_store": _UNPROCESSED,
}
"""Field of a line → states of the purchase; all others only in draft."""

KEPT: Final = frozenset(
    {"id", "number", "state", "lines", "line_lines", "company", "party", "currency", "shipment_state", "invoice_state"}
)
"""Fields that `source_fields` may not set: Tryton's own, and those that the model itself writes."""


_PLANNED: Final = _DRAFT | {"request"}
PRODUCTION: Final[Mapping[str, frozenset[str]]] = {
    "reference": _PLANNED | {"waiting", "assigned", "running"},
    "planned_date": _PLANNED | {"waiting", "assigned"},
    "planned_start_date": _PLANNED | {"waiting", "assigned"},
}
"""Field of a production → states in which it may change; all others only in draft.

Source: production/production.py of Tryton's production module 7.4 (`states` of the fields).
"""
PRODUCTION_KEPT: Final = frozenset(
    {"id", "number", "state", "company", "warehouse", "location", "product", "inputs", "outputs", "assigned_by"}
)


@dataclass(frozen=True, slots=True)
class Step:
    """A button of a purchase: the states it starts from, and those it may lead to."""

    method: str
    starts: frozenset[str]
    ends: frozenset[str]


STEPS: Final[Mapping[str, Step]] = {
    "SUBMIT": Step("quote", _DRAFT, frozenset({"quotation"})),
    "APPROVE": Step("confirm", frozenset({"quotation"}), frozenset({"confirmed", "processing", "done"})),
    "CANCEL": Step("cancel", _UNCONFIRMED, frozenset({"cancelled"})),
}
DELETABLE: Final = _DRAFT
_BUTTONS: Final = {
    "draft": ("wait", "waiting"),
    "waiting": ("assign_try", "assigned"),
    "assigned": ("run", "running"),
    "running": ("do", "done"),
}
"""State of a production → the button that takes it on, and the state it then has."""
_CANCELLABLE: Final = _PLANNED | {"waiting", "assigned"}
TRANSITIONS: Final[Mapping[str, tuple[frozenset[str], str]]] = {
    "RELEASE": (_DRAFT, "waiting"),
    "READY": (_DRAFT | {"waiting"}, "assigned"),
    "START": (_DRAFT | {"waiting", "assigned"}, "running"),
    "CLOSE": (_DRAFT | {"waiting", "assigned", "running"}, "done"),
}
"""Our transition of a work order → the states it starts from and the one it ends in, however many buttons it takes."""


def buttons(state: str, transition: str, path: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Give the buttons that take a production to where a transition leads, each with the state that follows.

    Raises:
        WriteRejected: There is no way from this state.
    """
    starts, end = (_CANCELLABLE, "cancelled") if transition == "CANCEL" else TRANSITIONS[transition]
    if state not in starts:
        told = " or ".join(sorted(starts))
        raise refusal(f"The production is in state {state!r}; Tryton does this from {told} only.", [path])
    if transition == "CANCEL":
        return (("cancel", end),)
    steps = [_BUTTONS[state]]
    while steps[-1][1] != end:
        steps.append(_BUTTONS[steps[-1][1]])
    return tuple(steps)


def refuse_fields(state: str, fields: Mapping[str, tuple[str, ...]], allowed: Mapping[str, frozenset[str]]) -> None:
    """Refuse fields that must not change in this state.

    Args:
        state: The purchase's state.
        fields: Tryton's field → path in the caller's input.
        allowed: `HEADER` or `LINE`.

    Raises:
        WriteRejected: With one problem for each such field.
    """
    rejected = [path for field, path in fields.items() if state not in allowed.get(field, _DRAFT)]
    if rejected:
        raise refusal(f"Tryton does not let this change while the order is in state {state!r}.", rejected)


def refuse_lines(state: str, paths: Iterable[tuple[str, ...]]) -> None:
    """Refuse to add or remove lines of an order that is no draft.

    Raises:
        WriteRejected: With one problem for each line.
    """
    paths = tuple(paths)
    if paths and state not in _DRAFT:
        raise refusal(f"Lines are added and removed in drafts only; the order is in state {state!r}.", paths)


def refuse_step(state: str, step: Step, path: tuple[str, ...]) -> None:
    """Refuse a step that Tryton would pass over in silence.

    Raises:
        WriteRejected: The state is none that the step starts from.
    """
    if state not in step.starts:
        starts = " or ".join(sorted(step.starts))
        raise refusal(f"The order is in state {state!r}; Tryton does this from {starts} only.", [path])


def refusal(message: str, paths: Iterable[tuple[str, ...]]) -> WriteRejected:
    """Make a WriteRejected that says the same of each path."""
    problems = tuple(Problem(ErrorCode.SOURCE_REJECTED, message, path or None) for path in paths)
    return WriteRejected(message, problems=problems)
