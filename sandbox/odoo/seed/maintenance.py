"""Demo equipment, and maintenance requests in all stages."""

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sandbox.odoo.store import Row
from sandbox.odoo.system import OdooSystem

_STAGES: Final = (("New Request", False), ("In Progress", False), ("Repaired", True), ("Scrap", True))
_TEXTS: Final = ("Replace bearing", "Inspect pump", "Leckage beheben", "Lubricate conveyor", "Calibrate scale")
_MACHINES: Final = ("CNC Lathe", "Demo pump", "Förderband", "Compressor", "Scale")


def seed_maintenance(system: OdooSystem, count: int, rng: random.Random, today: date) -> None:
    """Make equipment and requests; one of ten is archived, which is how Odoo cancels one."""
    begun = datetime.combine(today - timedelta(days=200), time(8), UTC)
    for place, (name, done) in enumerate(_STAGES):
        stage = {"name": name, "sequence": place + 1, "done": done, "fold": done}
        system.add("maintenance.stage", stage, stamp=begun, note=False)
    system.add(
        "maintenance.team", {"name": "Internal Maintenance", "active": True, "company_id": 1}, stamp=begun, note=False
    )
    for name in ("Machines", "Buildings"):
        system.add("maintenance.equipment.category", {"name": name}, stamp=begun, note=False)
    for place in range(9):
        row = _equipment(system, place, today)
        system.add("maintenance.equipment", row, stamp=_at(today, 150 - place, place), note=False)
    for place in range(count):
        day = today - timedelta(days=1 + place * 80 // max(count, 1))
        _request(system, place, day, rng)


def _equipment(system: OdooSystem, place: int, today: date) -> Row:
    where: Row = {"location_id": 8} if system.version >= 19 else {"location": f"Hall {place % 3 + 1}"}
    return {
        "name": f"{_MACHINES[place % 5]} {place + 1}",
        "active": place != 8,
        "category_id": 1 + place % 2,
        "serial_no": f"SN-{4711 + place}" if place % 4 else None,
        "model": f"M{place % 3}" if place % 2 else None,
        "partner_id": None,
        **where,
        "cost": 1000.0 * (place + 1),
        "effective_date": (today - timedelta(days=150 - place)).isoformat(),
        "technician_user_id": 8 if place % 2 else None,
        "maintenance_team_id": 1,
        "company_id": 1,
    }


def _request(system: OdooSystem, place: int, day: date, rng: random.Random) -> None:
    stage = 1 + place % 4
    equipment = 1 + place % 8 if place % 5 else None
    values: Row = {
        "name": f"{_TEXTS[place % 5]} {place + 1}",
        "description": f"<p>Reported by shift {place % 3 + 1}.</p>" if place % 3 else None,
        "request_date": day.isoformat(),
        "owner_user_id": 2,
        "category_id": 1 + (equipment - 1) % 2 if equipment else None,
        "equipment_id": equipment,
        "user_id": 8 if place % 2 else None,
        "stage_id": stage,
        "priority": ("0", "1", "2", "3")[place % 4] if place % 6 else None,
        "close_date": (day + timedelta(days=1)).isoformat() if _STAGES[stage - 1][1] else None,
        "kanban_state": ("normal", "normal", "blocked")[place % 3] if stage <= 2 else "normal",
        "archive": place % 10 == 9,
        "maintenance_type": "preventive" if place % 3 == 0 else "corrective",
        "schedule_date": datetime.combine(day + timedelta(days=3), time(8), UTC) if place % 4 else None,
        "duration": float(rng.randint(0, 8)),
        "maintenance_team_id": 1,
        "company_id": 1,
    }
    if system.version >= 17:
        values["recurring_maintenance"] = False
    stamp = datetime.combine(day, time(7, place % 60, 11, place * 7919 % 1_000_000), UTC)
    system.add("maintenance.request", values, stamp=stamp, note=False)


def _at(today: date, days: int, place: int) -> datetime:
    return datetime.combine(today - timedelta(days=days), time(9, place, 5, 250_000), UTC)
