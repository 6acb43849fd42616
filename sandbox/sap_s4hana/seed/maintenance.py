"""Demo maintenance orders in all statuses."""

import random
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sandbox.sap_s4hana.rules.maintenance import PLANNING, TRANSITIONS, derive_dates, set_status
from sandbox.sap_s4hana.seed.masters import USER
from sandbox.sap_s4hana.system import S4System

_TEXTS = ("Replace bearing", "Inspect pump", "Leckage beheben", "Lubricate conveyor", "Calibrate scale")
# The function imports that an order has been through, by its place in the row.
_HISTORIES: tuple[tuple[str, ...], ...] = (
    (),
    ("SubmitMaintOrderForApproval",),
    ("SubmitMaintOrderForApproval", "ApproveMaintenanceOrder"),
    ("SubmitMaintOrderForApproval", "RejectMaintenanceOrder"),
    ("ReleaseMaintenanceOrder",),
    ("ReleaseMaintenanceOrder", "SetMaintOrderToReadyForSchedg"),
    ("ReleaseMaintenanceOrder", "SetMaintOrderToReadyForSchedg", "ScheduleMaintenanceOrder"),
    ("ReleaseMaintenanceOrder", "SetMaintOrdToMainWorkComplete"),
    ("ReleaseMaintenanceOrder", "SetMaintOrdToTechCompleted"),
    ("ReleaseMaintenanceOrder", "SetMaintOrdToTechCompleted", "SetMaintOrderStatusToClosed"),
    ("SetMaintOrderToDoNotExecute",),
    ("SetMaintOrdStsToMrkdForDeltn",),
)


def seed_maintenance(system: S4System, count: int, rng: random.Random, today: date) -> None:
    """Make maintenance orders with one to three operations."""
    for place in range(count):
        number = system.number("maintenance_order")
        created = datetime.combine(today - timedelta(days=1 + place * 80 // count), time(7, place % 60), UTC)
        start = created + timedelta(days=rng.randint(1, 20))
        row = system.add(
            "MaintenanceOrder",
            {
                "MaintenanceOrder": number,
                "MaintenanceOrderType": ("YA01", "PM01", "PM02")[place % 3],
                "MaintenanceOrderDesc": f"{_TEXTS[place % len(_TEXTS)]} {place + 1}",
                "MaintPriority": ("", "1", "2", "3", "4")[place % 5],
                "MaintPriorityType": "PM",
                "Equipment": str(10_000_000 + place % 9) if place % 4 else "",
                "EquipmentName": f"Demo pump {place % 9}" if place % 4 else "",
                "FunctionalLocation": "" if place % 4 else f"DEMO-LINE-{place % 5 + 1}",
                "MaintenancePlanningPlant": "1010",
                "MaintenancePlant": "1010",
                "MainWorkCenter": "RES-0100",
                "MainWorkCenterPlant": "1010",
                "CompanyCode": "1010",
                "Currency": "EUR",
                "ControllingArea": "A000",
                "MaintOrdBasicStartDateTime": start,
                "MaintOrdBasicEndDateTime": start + timedelta(hours=rng.randint(1, 72)),
                "MaintOrdProcessPhaseCode": PLANNING,
                "MaintOrdProcessSubPhaseCode": f"{PLANNING}10",
                "SystemStatusText": "CRTD MANC NMAT PRC",
                "MaintOrdPersonResponsible": f"{50_000_000 + place % 6}",
                "LatestAcceptableCompletionDate": datetime.combine(start.date() + timedelta(days=30), time()),
                "CreatedByUser": USER,
                "MaintOrderCreationDateTime": created,
                "LastChangeByUser": USER,
                "LastChangeDateTime": created + timedelta(hours=rng.randint(0, 12)),
            },
            bulk=True,
        )
        derive_dates(row)
        for name in _HISTORIES[place % len(_HISTORIES)]:
            set_status(row, TRANSITIONS[name])
        for operation in range(place % 3 + 1):
            values = {
                "MaintenanceOrderOperation": f"{(operation + 1) * 10:04d}",
                "OperationDescription": f"Step {operation + 1}",
                "OperationControlKey": "YBM1",
                "WorkCenter": "RES-0100",
                "Plant": "1010",
                "MaintOrdOperationWorkDuration": Decimal("1.5") * (operation + 1),
                "MaintOrdOpWorkDurationUnit": "H",
                "SystemStatusText": row["SystemStatusText"],
                "MaintOrdOpProcessPhaseCode": row["MaintOrdProcessPhaseCode"],
            }
            system.add("MaintenanceOrderOperation", {"MaintenanceOrder": number, **values}, bulk=True)
