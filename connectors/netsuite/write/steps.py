"""A change as requests that are noted before they leave, and the judgement of what became of it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final, Literal

from connectors.base import JsonObject, Wire, Written
from connectors.errors import SourceUnavailable, WriteRejected
from connectors.kit import steps as kit_steps
from connectors.netsuite.client import NetSuiteClient
from db.types import ErrorCode, Problem


class Steps(kit_steps.Steps):
    """Sends the requests of one change, and tells them."""

    def __init__(self, client: NetSuiteClient, wire: Wire) -> None:
        super().__init__(wire)
        self.client = client

    async def call(self, method: Literal["POST", "PATCH", "DELETE"], path: str, body: JsonObject | None = None) -> str:
        """Send one request; gives the id of the record that NetSuite points to, "" on a dry wire."""
        request = self.client.changing(method, path, body)
        if not self._leaves(request):
            return ""
        made = await self.client.carry(request)
        self._wire.answers.append({"location": made} if made else {})
        return made


async def create(steps: Steps, record: str, body: JsonObject, reference: str) -> Written:
    """Make a record, unless one with our reference is there already: external ids are unique in NetSuite.

    Raises:
        SourceUnavailable: It was made, and NetSuite did not say where.
    """
    if reference:
        before = await steps.client.record(f"{record}/eid:{reference}", "?fields=id")
        if before is not None and before.get("id"):
            return Written(str(before["id"]), {"foundByReference": reference})
    made = await steps.call("POST", record, {**body, "externalId": reference} if reference else body)
    if not made and not steps.dry:
        raise SourceUnavailable("NetSuite did not say which record it made.", reason="RESET", sent=True)
    return Written(made)


def reference_to(key: Any) -> JsonObject | None:
    """Write a reference by internal id; an object that a caller gave is taken as it is."""
    if key is None or isinstance(key, dict):
        return key
    return {"id": str(key)}


def number(value: Any, path: Sequence[str]) -> float | int:
    """Write a decimal as the JSON number that NetSuite takes.

    Raises:
        WriteRejected: No such number names it exactly.
    """
    told = Decimal(value)
    if told == told.to_integral_value() and abs(told) < 2**53:
        return int(told)
    if Decimal(repr(float(told))) != told:
        message = f"NetSuite cannot take {told} exactly."
        raise WriteRejected(message, problems=(Problem(ErrorCode.BAD_USER_INPUT, message, tuple(path)),))
    return float(told)


refuse: Final = partial(kit_steps.refuse, system="NetSuite")
expect: Final = partial(kit_steps.expect, system="NetSuite")


def problem(message: str, *path: str) -> Problem:
    """Name what is wrong with a value."""
    return Problem(ErrorCode.BAD_USER_INPUT, message, path)


def given(values: Mapping[str, Any]) -> JsonObject:
    """Leave out what is not said."""
    return {name: value for name, value in values.items() if value is not None}
