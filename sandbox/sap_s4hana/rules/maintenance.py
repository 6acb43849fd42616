"""Maintenance orders: creation, changes and the status changes of the function imports.

Phases 00 initiation to 07 closing. The four-letter system statuses CRTD, REL, TECO, CLSD, DLFL, LKD and NCMP (do not
execute) are the vendor's; SFAP, APPD, REJD (approval), RFSC, SCHD (scheduling) and MWCO (main work completed) are
ours, as no public source shows how the texts of these newer statuses read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.sap_s4hana.config import User
from sandbox.sap_s4hana.odata.bodies import Draft
from sandbox.sap_s4hana.odata.errors import Message
from sandbox.sap_s4hana.rules import customizing as cus
from sandbox.sap_s4hana.rules.checks import Checks
from sandbox.sap_s4hana.store import Row
from sandbox.sap_s4hana.system import S4System, clock_time, midnight

PLANNING, APPROVAL, PREPARATION, SCHEDULING, EXECUTION, CLOSING = "02", "03", "04", "05", "06", "07"
_CLOSED = ("TECO", "CLSD", "DLFL", "LKD", "NCMP")
_FAILED = Message("IW/120", "Maintenance order could not be saved")


@dataclass(frozen=True, slots=True)
class Transition:
    """One status change: allowed when one of `needs` is active and none of `forbids`; removes and adds statuses."""

    phase: str
    needs: frozenset[str]
    forbids: frozenset[str] = frozenset()
    removes: frozenset[str] = frozenset()
    adds: str = ""


def _to(phase: str, needs: str, *, forbids: str = "", removes: str = "", adds: str = "") -> Transition:
    return Transition(phase, frozenset(needs.split()), frozenset(forbids.split()), frozenset(removes.split()), adds)


TRANSITIONS: Mapping[str, Transition] = {
    "SubmitMaintOrderForApproval": _to(APPROVAL, "CRTD", forbids="SFAP APPD", removes="REJD", adds="SFAP"),
    "ApproveMaintenanceOrder": _to(PREPARATION, "SFAP", removes="SFAP", adds="APPD"),
    "RejectMaintenanceOrder": _to(PLANNING, "SFAP", removes="SFAP", adds="REJD"),
    "ReleaseMaintenanceOrder": _to(PREPARATION, "CRTD", forbids="SFAP REJD LKD NCMP", removes="CRTD", adds="REL"),
    "SetMaintOrderToReadyForSchedg": _to(SCHEDULING, "REL", forbids="RFSC", adds="RFSC"),
    "ResetMaintOrderStsRdyForSchedg": _to(PREPARATION, "RFSC", removes="RFSC SCHD"),
    "ScheduleMaintenanceOrder": _to(EXECUTION, "RFSC", forbids="SCHD", adds="SCHD"),
    "SetMaintOrdToMainWorkComplete": _to(CLOSING, "REL", forbids="MWCO", adds="MWCO"),
    "ResetMaintOrdStsMainWorkCmplt": _to(EXECUTION, "MWCO", forbids="TECO", removes="MWCO"),
    "SetMaintOrdToTechCompleted": _to(CLOSING, "REL", removes="REL", adds="TECO"),
    "ResetMaintOrdStsTechCompleted": _to(EXECUTION, "TECO", removes="TECO", adds="REL"),
    "SetMaintOrderStatusToClosed": _to(CLOSING, "TECO", forbids="DLFL", removes="TECO", adds="CLSD"),
    "ResetMaintOrderStatusClosed": _to(CLOSING, "CLSD", removes="CLSD", adds="TECO"),
    "SetMaintOrderToDoNotExecute": _to(CLOSING, "CRTD REL", forbids="NCMP", adds="NCMP"),
    "ResetStatusFromDoNotExecute": _to(PLANNING, "NCMP", removes="NCMP"),
    "SetMaintOrdStsToMrkdForDeltn": _to(CLOSING, "CRTD TECO CLSD NCMP", forbids="DLFL", adds="DLFL"),
    "ResetMaintOrdStsMrkdForDeltn": _to(CLOSING, "DLFL", removes="DLFL"),
    "SetMaintOrderStatusToLocked": _to("", "CRTD REL", forbids="LKD", adds="LKD"),
    "SetMaintOrderStatusToUnlocked": _to("", "LKD", removes="LKD"),
}


def call_function(system: S4System, name: str, arguments: Mapping[str, Any], user: User) -> None:
    """Change the status of an order by a function import.

    Args:
        system: The system.
        name: Name of the function import.
        arguments: Its parameters in stored form.
        user: Who calls.

    Raises:
        ODataError: 400 when the order does not exist or its status does not allow it.
    """
    number = arguments["MaintenanceOrder"]
    row = system.tables["MaintenanceOrder"].get(number)
    checks, transition = Checks(), TRANSITIONS[name]
    if row is None:
        checks.say("IW/080", f"Order {number} not found", "MaintenanceOrder")
        checks.raise_if_any(_FAILED)
        return
    active = set(row["SystemStatusText"].split())
    blocking = sorted(active & transition.forbids)
    if blocking:
        checks.say("BS/007", f"System status {blocking[0]} is active (ORD {number})", "MaintenanceOrder")
    elif not active & transition.needs:
        text = f"'{name}' is not allowed: status {' or '.join(sorted(transition.needs))} is not active (ORD {number})"
        checks.say("BS/013", text, "MaintenanceOrder")
    checks.raise_if_any(_FAILED)
    set_status(row, transition)
    if name == "SetMaintOrdToMainWorkComplete":
        row["MainWorkCompletedDateTime"] = arguments.get("MainWorkCompletedDateTime") or _second(system)
    for operation in system.tables["MaintenanceOrderOperation"].children(row["MaintenanceOrder"]):
        operation["SystemStatusText"] = row["SystemStatusText"]
        system.changed(operation)
    _stamp(system, row, user)


def set_status(row: Row, transition: Transition) -> None:
    """Apply a status change to an order."""
    kept = [status for status in row["SystemStatusText"].split() if status not in transition.removes]
    first = [transition.adds] if transition.adds and transition.removes & {"CRTD", "REL", "TECO", "CLSD"} else []
    last = [transition.adds] if transition.adds and not first else []
    row["SystemStatusText"] = " ".join([*first, *kept, *last])
    if transition.phase:
        row.set(MaintOrdProcessPhaseCode=transition.phase, MaintOrdProcessSubPhaseCode=f"{transition.phase}10")


def create_order(system: S4System, draft: Draft, user: User) -> Row:
    """Create a maintenance order; without operations it gets operation 0010 with the order's text.

    Raises:
        ODataError: 400 with every reason.
    """
    checks = Checks()
    given = Row(draft.type, draft.values)
    _check(given, checks)
    checks.raise_if_any(_FAILED)
    number, moment = system.number("maintenance_order"), _second(system)
    plant = given["MaintenancePlant"] or given["MaintenancePlanningPlant"]
    company = cus.COMPANIES[cus.PLANT_COMPANY[given["MaintenancePlanningPlant"]]]
    derived = {
        "MaintenanceOrder": number,
        "MaintenancePlant": plant,
        "CompanyCode": company.code,
        "Currency": company.currency,
        "ControllingArea": "A000",
        "MaintOrdBasicStartDateTime": moment,
        "MaintOrdBasicEndDateTime": moment,
        "MaintOrdProcessPhaseCode": PLANNING,
        "MaintOrdProcessSubPhaseCode": f"{PLANNING}10",
        "SystemStatusText": "CRTD MANC NMAT PRC",
        "CreatedByUser": user.name[:12],
        "MaintOrderCreationDateTime": moment,
    }
    row = system.add(
        "MaintenanceOrder", {**derived, **draft.values, "MaintenanceOrder": number, "MaintenancePlant": plant}
    )
    derive_dates(row)
    operations = draft.children("to_MaintenanceOrderOperation")
    for place, operation in enumerate(operations, start=1):
        _store_operation(system, row, operation.values, place)
    if not operations:
        _store_operation(system, row, {"OperationDescription": row["MaintenanceOrderDesc"]}, 1)
    _stamp(system, row, user)
    return row


def update_order(system: S4System, row: Row, draft: Draft, user: User) -> None:
    """Change an order; its status allows it only until technical completion.

    Raises:
        ODataError: 400 with every reason.
    """
    checks = Checks()
    _check_open(row, checks)
    merged = Row(row.type, {**row, **draft.values})
    _check(merged, checks)
    checks.raise_if_any(_FAILED)
    row.set(**draft.values)
    derive_dates(row)
    _stamp(system, row, user)


def create_operation(system: S4System, draft: Draft, user: User) -> Row:
    """Add an operation to an order."""
    order = system.tables["MaintenanceOrder"].get(draft["MaintenanceOrder"])
    checks = Checks()
    if order is None:
        checks.say("IW/080", f"Order {draft['MaintenanceOrder']} not found", "MaintenanceOrder")
    else:
        _check_open(order, checks)
    checks.raise_if_any(_FAILED)
    if order is None:
        raise LookupError(draft["MaintenanceOrder"])
    place = len(system.tables["MaintenanceOrderOperation"].children(order["MaintenanceOrder"])) + 1
    row = _store_operation(system, order, draft.values, place)
    _stamp(system, order, user)
    return row


def update_operation(system: S4System, row: Row, draft: Draft, user: User) -> None:
    """Change an operation; the order's stamp moves with it."""
    order = system.tables["MaintenanceOrder"].get(row["MaintenanceOrder"])
    checks = Checks()
    if order is not None:
        _check_open(order, checks)
    checks.raise_if_any(_FAILED)
    row.set(**draft.values)
    system.changed(row)
    if order is not None:
        _stamp(system, order, user)


def derive_dates(row: Row) -> None:
    """Fill the read-only dates and times that repeat the basic start and end."""
    start, end = row["MaintOrdBasicStartDateTime"], row["MaintOrdBasicEndDateTime"]
    row["MaintOrdBasicStartDate"] = midnight(start.date()) if start else None
    row["MaintOrdBasicStartTime"] = clock_time(start) if start else None
    row["MaintOrdBasicEndDate"] = midnight(end.date()) if end else None
    row["MaintOrdBasicEndTime"] = clock_time(end) if end else None
    row["MaintOrderReferenceDateTime"] = row["MaintOrdBasicStartDateTime"]
    row["TechnicalObject"] = row["Equipment"] or row["FunctionalLocation"]
    row["TechnicalObjectLabel"] = row["TechnicalObject"]
    row["TechObjIsEquipOrFuncnlLoc"] = "EAMS_EQUI" if row["Equipment"] else "EAMS_FL"


def _store_operation(system: S4System, order: Row, values: dict[str, Any], place: int) -> Row:
    derived = {
        "MaintenanceOrderOperation": f"{place * 10:04d}",
        "OperationControlKey": "YBM1",
        "Plant": order["MaintenancePlant"],
        "WorkCenter": order["MainWorkCenter"],
        "MaintOrdOpWorkDurationUnit": "H",
        "SystemStatusText": order["SystemStatusText"],
        "MaintOrdOpProcessPhaseCode": order["MaintOrdProcessPhaseCode"],
    }
    return system.add("MaintenanceOrderOperation", {**derived, **values, "MaintenanceOrder": order["MaintenanceOrder"]})


def _check(row: Row, checks: Checks) -> None:
    kind = row["MaintenanceOrderType"]
    if checks.need(kind, "Order Type", "MaintenanceOrderType") and kind not in cus.MAINTENANCE_TYPES:
        checks.say("CO/118", f"Order type {kind} is not defined", "MaintenanceOrderType")
    checks.need(row["MaintenanceOrderDesc"], "Description", "MaintenanceOrderDesc")
    if checks.need(row["MaintenancePlanningPlant"], "Planning Plant", "MaintenancePlanningPlant"):
        _check_plant(row, "MaintenancePlanningPlant", checks)
    if row["MaintenancePlant"]:
        _check_plant(row, "MaintenancePlant", checks)
    if row["MaintPriority"] not in cus.PRIORITIES:
        checks.say("IW/052", f"Priority {row['MaintPriority']} is not defined", "MaintPriority")
    start, end = row["MaintOrdBasicStartDateTime"], row["MaintOrdBasicEndDateTime"]
    if start and end and end < start:
        checks.say("CO/163", "Basic finish date lies before the basic start date", "MaintOrdBasicEndDateTime")


def _check_plant(row: Row, name: str, checks: Checks) -> None:
    if row[name] not in cus.PLANT_COMPANY:
        checks.say("IW/029", f"Plant {row[name]} does not exist", name)


def _check_open(row: Row, checks: Checks) -> None:
    active = [status for status in _CLOSED if status in row["SystemStatusText"].split()]
    if active:
        text = f"System status {active[0]} is active (ORD {row['MaintenanceOrder']})"
        checks.say("BS/007", text, "MaintenanceOrder")


def _stamp(system: S4System, row: Row, user: User) -> None:
    row.set(LastChangeDateTime=_second(system), LastChangeByUser=user.name[:12])
    system.changed(row)


def _second(system: S4System) -> Any:
    return system.stamp().replace(microsecond=0)
