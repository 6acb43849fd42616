"""Work orders: MaintenanceOrder, whose states change by function imports only."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from connectors.base import Change, JsonObject, Written
from connectors.errors import Unsupported, WriteRejected
from connectors.kit.odata2 import instant_literal, key_path, text_literal
from connectors.mapping import To, written
from connectors.sap_s4hana.client import Entity as Found
from connectors.sap_s4hana.client import SapClient
from connectors.sap_s4hana.forms import WriteDefaults
from connectors.sap_s4hana.mapping.work import WORK_ORDER
from connectors.sap_s4hana.write.orders import made
from connectors.sap_s4hana.write.steps import Steps, expect, ignored, missing, refuse, refuse_ignored

SERVICE: Final = "API_MAINTENANCEORDER"
_FIELDS: Final = tuple(part for part in WORK_ORDER.fields if isinstance(part, To))
_DEFAULTS: Final = {
    "MaintenanceOrderType": "maintenanceOrderType",
    "MaintenancePlanningPlant": "plant",
    "MainWorkCenter": "workCenter",
}
_NO: Final = "false"
_STATE: Final = ("MaintOrdProcessPhaseCode", "MaintOrdProcessSubPhaseCode", "SystemStatusText", "UserStatusText")

TRANSITIONS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "SUBMIT": ("SubmitMaintOrderForApproval", {}),
    "APPROVE": ("ApproveMaintenanceOrder", {}),
    "REJECT": ("RejectMaintenanceOrder", {}),
    "RELEASE": ("ReleaseMaintenanceOrder", {}),
    "READY": ("SetMaintOrderToReadyForSchedg", {}),
    "SCHEDULE": ("ScheduleMaintenanceOrder", {}),
    "FINISH": (
        "SetMaintOrdToMainWorkComplete",
        {"MainWorkCompletedDateTime": "now", "MainWrkCmpltdDateTimeIsUsed": "true"},
    ),
    "COMPLETE": (
        "SetMaintOrdToTechCompleted",
        {
            "MainWrkCmpltdDateTimeIsUsed": _NO,
            "MaintOrderReferenceDateTime": "now",
            "AssignedMaintNotifIsToBeClosed": _NO,
        },
    ),
    "CLOSE": (
        "SetMaintOrderStatusToClosed",
        {"MaintOrderReferenceDateTime": "now", "AssignedMaintNotifIsToBeClosed": _NO},
    ),
    "REOPEN": ("ResetMaintOrdStsTechCompleted", {"AssgdMaintNotifIsToBePutInProc": _NO}),
    "CANCEL": ("SetMaintOrdStsToMrkdForDeltn", {"AssgdMaintNotifIsToBeSetDel": _NO}),
}
"""Our transition → SAP's function import and its parameters beside the order; `now` is SAP's clock."""
ENDS: Final[Mapping[str, frozenset[str]]] = {
    "SUBMIT": frozenset({"WAITING_APPROVAL"}),
    "APPROVE": frozenset({"APPROVED"}),
    "REJECT": frozenset({"DRAFT"}),
    "RELEASE": frozenset({"APPROVED"}),
    "READY": frozenset({"SCHEDULED"}),
    "SCHEDULE": frozenset({"IN_PROGRESS"}),
    "FINISH": frozenset({"COMPLETED"}),
    "COMPLETE": frozenset({"COMPLETED"}),
    "CLOSE": frozenset({"CLOSED"}),
    "REOPEN": frozenset({"IN_PROGRESS"}),
    "CANCEL": frozenset({"CANCELLED"}),
}
"""Our transition → the status that it leads to."""


async def create(steps: Steps, change: Change, defaults: WriteDefaults) -> Written:
    """Create an order; SAP gives its number."""
    answer = await steps.call("POST", SERVICE, "MaintenanceOrder", body=create_body(change, defaults))
    return made(steps, answer, "MaintenanceOrder")


def create_body(change: Change, defaults: WriteDefaults) -> JsonObject:
    """Make the body of a new order with its operations.

    Raises:
        WriteRejected: SAP needs something that neither the call nor the connection says.
    """
    plant = change.values.get("site") or defaults.plant
    body: JsonObject = {
        "MaintenanceOrderType": defaults.maintenance_order_type,
        "MaintenancePlanningPlant": plant,
        "MainWorkCenter": defaults.work_center,
        "MainWorkCenterPlant": plant,
        **_fields(change.values),
        **change.source_fields,
    }
    refuse(missing({name: body[name] for name in _DEFAULTS}, where=_DEFAULTS))
    operations = [
        {"MaintenanceOrderOperation": f"{(index + 1) * 10:04d}", "OperationDescription": task["description"]}
        for index, task in enumerate(change.values.get("tasks") or ())
        if task.get("description")
    ]
    if operations:
        body["to_MaintenanceOrderOperation"] = operations
    return {name: value for name, value in body.items() if value is not None}


async def update(client: SapClient, steps: Steps, change: Change, *, transition: str | None) -> Written:
    """Change fields, then the state; what SAP did is read back.

    Raises:
        WriteRejected: Also when SAP took a transition without effect.
    """
    number = str(change.source_id)
    if transition is not None and transition not in TRANSITIONS:
        raise Unsupported(f"Maintenance orders cannot {transition}; they can {', '.join(sorted(TRANSITIONS))}.")
    before = await _read(client, number)
    expect(change.expected, before.etag, before.body.get("LastChangeDateTime"))
    body = {**_fields(change.values), **change.source_fields}
    if body:
        await steps.call("PATCH", SERVICE, key_path("MaintenanceOrder", number), body=body, etag=before.etag)
    if body and not steps.dry:
        before = await _read(client, number)
    names = [] if steps.dry else ignored(body, before.body)
    for step in _way(transition, before):
        before = await _move(client, steps, number, step, before)
    refuse_ignored(names)
    return Written(number)


def _way(transition: str | None, order: Found) -> tuple[str, ...]:
    """Give the transitions to take: a released order is completed before it is closed, for SAP closes no other."""
    if transition == "CLOSE" and "REL" in str(order.body.get("SystemStatusText") or "").split():
        return ("COMPLETE", "CLOSE")
    return () if transition is None else (transition,)


async def _move(client: SapClient, steps: Steps, number: str, transition: str, before: Found) -> Found:
    function, parameters = TRANSITIONS[transition]
    now = instant_literal(await client.clock()) if "now" in parameters.values() else ""
    options = {
        "MaintenanceOrder": text_literal(number),
        **{name: now if value == "now" else value for name, value in parameters.items()},
    }
    await steps.call("POST", SERVICE, function, options=options, etag=before.etag)
    if steps.dry:
        return before
    after = await _read(client, number)
    if all(after.body.get(name) == before.body.get(name) for name in _STATE):
        raise WriteRejected(
            f"SAP took {transition} ({function}) without effect.",
            source_message=before.body.get("SystemStatusText"),
            remedy="The order's present state does not allow it.",
        )
    return after


async def _read(client: SapClient, number: str) -> Found:
    found = await client.get(SERVICE, key_path("MaintenanceOrder", number))
    if found is None:
        raise WriteRejected(f"SAP has no maintenance order {number}.")
    return found


def _fields(values: Mapping[str, Any]) -> JsonObject:
    told = {name: value for name, value in values.items() if value is not None}
    if isinstance(told.get("due_at"), datetime):
        # A day in SAP: its midnight.
        told["due_at"] = told["due_at"].replace(hour=0, minute=0, second=0, microsecond=0)
    return {**written(_FIELDS, told), **(told.get("custom_fields") or {})}
