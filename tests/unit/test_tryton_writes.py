"""The state guard as a table, what a broken change tells, and values that Tryton cannot take."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import JsonObject, Wire
from connectors.egress import Request
from connectors.errors import ConnectorError, OutcomeUnknown, SourceFault, SourceUnavailable, WriteRejected
from connectors.tryton import faults, guard, values, wire
from connectors.tryton.client import Client
from connectors.tryton.journal import Journal

STATES = ("draft", "quotation", "confirmed", "processing", "done", "cancelled")


@pytest.mark.parametrize(
    ("field", "states"),
    [
        ("comment", STATES),
        ("reference", STATES),
        ("purchase_date", ("draft", "quotation")),
        ("payment_term", ("draft", "quotation")),
        ("delivery_date", ("draft", "quotation", "confirmed")),
        ("warehouse", ("draft",)),
        ("invoice_address", ("draft",)),
        ("field_of_another_module", ("draft",)),
    ],
)
def test_header_fields_change_in_their_states_only(field: str, states: tuple[str, ...]) -> None:
    for state in STATES:
        if state in states:
            guard.refuse_fields(state, {field: ("changes", field)}, guard.HEADER)
        else:
            with pytest.raises(WriteRejected) as caught:
                guard.refuse_fields(state, {field: ("changes", field)}, guard.HEADER)
            assert [problem.path for problem in caught.value.problems] == [("changes", field)]


@pytest.mark.parametrize("state", STATES)
def test_lines_come_and_go_in_drafts_only(state: str) -> None:
    guard.refuse_lines(state, [])
    if state == "draft":
        guard.refuse_lines(state, [("changes", "addLines", "0")])
        return
    with pytest.raises(WriteRejected, match=state):
        guard.refuse_lines(state, [("changes", "addLines", "0")])


@pytest.mark.parametrize(
    ("step", "starts"), [("SUBMIT", {"draft"}), ("APPROVE", {"quotation"}), ("CANCEL", {"draft", "quotation"})]
)
def test_steps_start_from_their_states_only(step: str, starts: set[str]) -> None:
    for state in STATES:
        if state in starts:
            guard.refuse_step(state, guard.STEPS[step], ())
        else:
            with pytest.raises(WriteRejected, match=state):
                guard.refuse_step(state, guard.STEPS[step], ())


class Scripted(Client):
    """A client whose calls end as the script says."""

    def __init__(self, *ends: Any) -> None:
        self._ends = list(ends)

    async def context(self) -> JsonObject:
        return {"company": 1}

    async def change(self, model: str, method: str, *args: Any, extra: Mapping[str, Any] | None = None) -> Request:
        return wire.request("http://erp/db/", f"model.{model}.{method}", *args, extra or {}, safe=False)

    async def carry(self, request: Request, *, purpose: faults.Purpose = "write") -> Any:  # noqa: ARG002
        end = self._ends.pop(0)
        if isinstance(end, ConnectorError):
            raise end
        return end

    async def call(
        self,
        model: str,
        method: str,
        *args: Any,
        extra: Mapping[str, Any] | None = None,
        purpose: faults.Purpose = "read",
    ) -> Any:
        return await self.carry(await self.change(model, method, *args, extra=extra), purpose=purpose)


async def outcome(*ends: Any, changes: int) -> ConnectorError:
    """Run `changes` changing calls and then reading ones, until one fails."""
    journal = Journal(Scripted(*ends), Wire())
    with pytest.raises(ConnectorError) as caught:
        await carried_out(journal, changes=changes, reads=len(ends) - changes)
    return caught.value


async def carried_out(journal: Journal, *, changes: int, reads: int) -> None:
    async with journal.outcome():
        for _ in range(changes):
            await journal.do("purchase.purchase", "write", [1], {})
        for _ in range(reads):
            await journal.client.call("purchase.purchase", "read", [1], [])


def lost(*, sent: bool) -> SourceUnavailable:
    return SourceUnavailable("The source closed the connection.", reason="RESET", sent=sent)


async def test_a_lost_answer_before_any_change_changed_nothing() -> None:
    error = await outcome(lost(sent=True), changes=0)

    assert isinstance(error, SourceUnavailable)
    assert error.sent is False


@pytest.mark.parametrize("sent", [True, False])
async def test_a_lost_answer_to_a_change_tells_whether_it_left(sent: bool) -> None:
    error = await outcome(lost(sent=sent), changes=1)

    assert isinstance(error, SourceUnavailable)
    assert error.sent is sent


async def test_a_lost_connection_after_a_change_is_a_doubt_even_when_nothing_left() -> None:
    error = await outcome(None, lost(sent=False), changes=1)

    assert isinstance(error, SourceUnavailable)
    assert error.sent is True


async def test_a_fault_after_a_change_is_a_doubt() -> None:
    assert type(await outcome(None, SourceFault("Tryton failed."), changes=1)) is OutcomeUnknown


async def test_a_fault_before_any_change_stays_a_fault() -> None:
    assert type(await outcome(SourceFault("Tryton failed."), changes=0)) is SourceFault


async def test_a_change_tells_what_went_over_the_wire() -> None:
    over = Wire()

    written = await Journal(Scripted([7]), over).made("purchase.purchase", {"unit_price": Decimal("1.50")})

    price = '{"__class__":"Decimal","decimal":"1.50"}'
    body = f'{{"id":1,"method":"model.purchase.purchase.create","params":[[{{"unit_price":{price}}}],{{}}]}}'
    assert over.requests == [{"method": "POST", "url": "http://erp/db/", "body": body}]
    assert (over.answers, written.source_id) == ([[7]], "7")


async def test_a_dry_wire_notes_the_same_request_and_sends_nothing() -> None:
    real, dry = Wire(), Wire(dry=True)
    await Journal(Scripted([7]), real).made("purchase.purchase", {"comment": "x"})

    written = await Journal(Scripted(), dry).made("purchase.purchase", {"comment": "x"})

    assert (dry.requests, dry.answers, written.source_id) == (real.requests, [], "")


@pytest.mark.parametrize("quantity", ["0.1", "500", "136.25", "1E+2", "-3.5"])
def test_quantities_that_a_float_holds(quantity: str) -> None:
    assert Decimal(repr(values.quantity(Decimal(quantity), ()))) == Decimal(quantity)


def test_a_quantity_that_a_float_cannot_hold_is_refused() -> None:
    path = ("purchaseOrder", "lines", "0", "quantity")

    with pytest.raises(WriteRejected) as caught:
        values.quantity(Decimal("123456789.123456789"), path)

    assert [problem.path for problem in caught.value.problems] == [path]


@pytest.mark.parametrize("key", ["", "abc", "-1", "1.5", None])
def test_keys_are_numbers(key: str | None) -> None:
    with pytest.raises(WriteRejected):
        values.row_id(key, ("purchaseOrder", "vendor"))
