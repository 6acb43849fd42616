"""Work orders: MaintenanceOrder with operations and their components."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from connectors.kit.odata2 import write_instant
from connectors.mapping import EntityMapping, To
from connectors.sap_s4hana import values as v
from connectors.sap_s4hana.status import work_order_status
from connectors.sap_s4hana.units import REC20
from db.models.maintenance.work_order import WorkOrderFields, WorkOrderType

Rows = Sequence[v.Row] | None

_PLANNED: Final = frozenset({"PM02", "YA02"})
_CORRECTIVE: Final = frozenset({"PM01", "YA01"})


def order_type(native: Any, plan: Any) -> WorkOrderType:
    """Judge an order type: one that a maintenance plan called is preventive, whatever its type."""
    if plan or native in _PLANNED:
        return WorkOrderType.PREVENTIVE
    return WorkOrderType.CORRECTIVE if native in _CORRECTIVE else WorkOrderType.OTHER


def priority(native: Any) -> int | None:
    """Read a priority of 1 to 5; a tenant's other codes stay native only."""
    told = v.text(native)
    return int(told) if told in {"1", "2", "3", "4", "5"} else None


def phase(system_status: Any, phase_code: Any, subphase: Any) -> str | None:
    """Tell SAP's own status: its system status line, else the codes of phase and subphase."""
    return v.text(system_status) or "/".join(filter(None, (v.text(phase_code), v.text(subphase)))) or None


def site(maintenance: Any, planning: Any) -> str | None:
    """Give the maintenance plant, else the planning plant."""
    return v.text(maintenance) or v.text(planning)


def tasks(rows: Rows) -> list[dict[str, Any]]:
    """Make tasks of operations that are not marked for deletion."""
    return [
        {
            "number": "/".join(
                filter(None, (row.get("MaintenanceOrderOperation"), row.get("MaintenanceOrderSubOperation")))
            ),
            "description": v.text(row.get("OperationDescription")),
            "status": v.text(row.get("SystemStatusText")),
            "work_center": v.text(row.get("WorkCenter")),
            "planned_hours": _hours(row, "MaintOrdOperationWorkDuration"),
            "actual_hours": _hours(row, "ActualWorkQuantity"),
        }
        for row in rows or ()
        if not row.get("IsMarkedForDeletion")
    ]


def _hours(row: v.Row, name: str) -> Any:
    """Read work that is planned in hours; other units are left to the raw item."""
    told = (row.get("MaintOrdOpWorkDurationUnit") or "").upper()
    return v.exact(row.get(name)) if told in {"H", "HR", "STD", "HUR"} else None


def parts(rows: Rows) -> list[dict[str, Any]]:
    """Make parts of the operations' components that are not deleted."""
    return [
        {
            "number": v.text(part.get("MaintenanceOrderComponent")),
            "item_source_id": v.text(part.get("Product")),
            "item_code": v.text(part.get("Product")),
            "description": v.text(part.get("MaintOrdOperationComponentText")),
            "quantity": v.exact(part.get("MaintOrdOpCompRequiredQuantity")),
            "used_quantity": v.exact(part.get("QuantityWithdrawnInBaseUnit")),
            "unit": REC20.get(part.get("BaseUnit") or "", v.text(part.get("BaseUnit"))),
        }
        for row in rows or ()
        for part in row.get("to_MaintOrderOpComponent_2") or ()
        if not part.get("IsDeleted")
    ]


def _started(rows: Rows, name: str) -> list[datetime]:
    return [found for row in rows or () if (found := v.instant(row.get(name)))]


def actual_start(rows: Rows) -> datetime | None:
    """Give when the first operation began."""
    return min(_started(rows, "OpActualExecutionStartDateTime"), default=None)


def actual_end(done: Any, rows: Rows) -> datetime | None:
    """Give when the main work was completed, else when the last operation ended, once all did."""
    ended = _started(rows, "OpActualExecutionEndDateTime")
    return v.instant(done) or (max(ended) if ended and len(ended) == len(rows or ()) else None)


WORK_ORDER: Final = EntityMapping(
    WorkOrderFields,
    (
        To("number", "MaintenanceOrder", v.text),
        To("title", "MaintenanceOrderDesc", v.text, back="MaintenanceOrderDesc"),
        To("type", ("MaintenanceOrderType", "MaintenancePlan"), order_type),
        To("native_type", "MaintenanceOrderType", v.text, back="MaintenanceOrderType"),
        To("status", ("SystemStatusText", "MaintOrdProcessPhaseCode"), work_order_status),
        To("native_status", ("SystemStatusText", "MaintOrdProcessPhaseCode", "MaintOrdProcessSubPhaseCode"), phase),
        To("priority", "MaintPriority", priority, back="MaintPriority", write=str),
        To("native_priority", "MaintPriority", v.text),
        To("asset_source_id", "Equipment", v.text, back="Equipment"),
        To("asset_code", "Equipment", v.text, back="Equipment"),
        To("location_source_id", "FunctionalLocation", v.text, back="FunctionalLocation"),
        To("location_code", "FunctionalLocation", v.text, back="FunctionalLocation"),
        To("site", ("MaintenancePlant", "MaintenancePlanningPlant"), site, back="MaintenancePlant"),
        To("reported_at", "MaintOrderCreationDateTime", v.instant),
        To(
            "scheduled_start_at",
            "MaintOrdBasicStartDateTime",
            v.instant,
            back="MaintOrdBasicStartDateTime",
            write=write_instant,
        ),
        To(
            "scheduled_end_at",
            "MaintOrdBasicEndDateTime",
            v.instant,
            back="MaintOrdBasicEndDateTime",
            write=write_instant,
        ),
        To("actual_start_at", "to_MaintenanceOrderOperation", actual_start),
        To("actual_end_at", ("MainWorkCompletedDateTime", "to_MaintenanceOrderOperation"), actual_end),
        To(
            "due_at",
            "LatestAcceptableCompletionDate",
            v.instant,
            back="LatestAcceptableCompletionDate",
            write=write_instant,
        ),
        To("assignee", "MaintOrdPersonResponsible", v.text, back="MaintOrdPersonResponsible"),
        To("parent_source_id", "SuperiorProjectNetwork", v.text),
        To("tasks", "to_MaintenanceOrderOperation", tasks),
        To("parts", "to_MaintenanceOrderOperation", parts),
        To("custom_fields", "YY1_", v.custom),
    ),
)
