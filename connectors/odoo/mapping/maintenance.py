"""Maintenance requests as work orders, equipment as assets."""

from typing import Final

from connectors.mapping import EntityMapping, To
from connectors.odoo import convert as to
from connectors.odoo.rows import CUSTOM
from db.models.maintenance.asset import AssetFields
from db.models.maintenance.work_order import WorkOrderFields

WORK_ORDER: Final = EntityMapping(
    WorkOrderFields,
    (
        To("number", "id", to.key),
        To("title", "name", back="name"),
        To("description", "description", to.text, back="description"),
        To("type", "maintenance_type", to.work_type),
        To("native_type", "maintenance_type", back="maintenance_type"),
        To("status", ("archive", "stage_id.", "done", "kanban_state", "schedule_date"), to.work_status),
        To("native_status", ("stage_id", "kanban_state", "archive"), to.work_native),
        To("priority", "priority", to.priority, back="priority"),
        To("native_priority", "priority"),
        To("asset_source_id", "equipment_id", to.key, back="equipment_id"),
        To("asset_code", ("equipment_id./serial_no", "equipment_id./name"), to.first),
        To("site", "company_id", to.named),
        To("reported_at", "request_date", to.instant),
        To("scheduled_start_at", "schedule_date", to.instant, back="schedule_date"),
        To("scheduled_end_at", "schedule_end", to.instant, back="schedule_end"),
        To("actual_end_at", "close_date", to.instant),
        To("assignee", "user_id", to.named),
        To("custom_fields", CUSTOM, to.custom),
    ),
    absent=frozenset({
        "location_source_id", "location_code", "actual_start_at", "due_at", "vendor_source_id", "parent_source_id",
    }),
)  # fmt: skip
ASSET: Final = EntityMapping(
    AssetFields,
    (
        To("number", "serial_no"),
        To("name", "name"),
        To("description", "note", to.text),
        To("category", "category_id", to.named),
        To("model", "model"),
        To("serial_number", "serial_no"),
        To("vendor_source_id", "partner_id", to.key),
        To("location_source_id", "location_id", to.key),
        To("location_code", ("location", "location_id"), to.place),
        To("site", "company_id", to.named),
        To("assignee", ("technician_user_id", "owner_user_id"), to.first_named),
        To("started_on", "effective_date", to.day),
        To("ended_on", "scrap_date", to.day),
        To("active", "active"),
        To("custom_fields", CUSTOM, to.custom),
    ),
    absent=frozenset({"native_status", "criticality", "manufacturer", "parent_source_id"}),
)
