"""Demo equipment and the functional locations where it stands; maintenance orders name both."""

from datetime import UTC, date, datetime, time, timedelta

from sandbox.sap_s4hana.seed.masters import USER
from sandbox.sap_s4hana.system import S4System, midnight

EQUIPMENT = 9
LINES = 5
FOREVER = datetime(9999, 12, 31)  # noqa: DTZ001 - Edm.DateTime has no zone
_MAKERS = ("Muster Pumpen AG", "Exemple Moteurs", "Sample Drives")


def seed_plant(system: S4System, today: date) -> None:
    """Make one plant's line structure and its machines, two of which have an earlier validity period."""
    for place in range(LINES + 1):
        label = "DEMO" if place == 0 else f"DEMO-LINE-{place}"
        changed = datetime.combine(today - timedelta(days=place * 9), time(6, place), UTC)
        values = {
            "FunctionalLocation": label,
            "FunctionalLocationLabelName": label,
            "FunctionalLocationName": "Demo-Werk Süd" if place == 0 else f"Fertigungslinie {place}",
            "FuncLocationStructure": "YBPM",
            "FunctionalLocationCategory": "M",
            "SuperiorFunctionalLocation": "" if place == 0 else "DEMO",
            "SuperiorFuncnlLocLabelName": "" if place == 0 else "DEMO",
            "MaintenancePlant": "1010",
            "MaintenancePlanningPlant": "1010",
            "CompanyCode": "1010",
            "StreetName": "Musterstraße",
            "PostalCode": "70173",
            "CityName": "Stuttgart",
            "Country": "DE",
            "EquipmentInstallationIsAllowed": True,
            "FunctionalLocationIsActive": True,
            # Never changed since it was made: SAP then tells no stamp.
            "LastChangeDateTime": None if place == LINES else changed,
        }
        system.add("FunctionalLocation", values, bulk=True)
    for place in range(EQUIPMENT):
        _machine(system, place, today)


def _machine(system: S4System, place: int, today: date) -> None:
    line = f"DEMO-LINE-{place % LINES + 1}"
    started = midnight(today - timedelta(days=900 + place))
    values = {
        "Equipment": str(10_000_000 + place),
        "EquipmentName": f"Demo pump {place}",
        "EquipmentCategory": "M",
        "TechnicalObjectType": "1110",
        "ABCIndicator": "ABC"[place % 3],
        "AssetManufacturerName": _MAKERS[place % len(_MAKERS)],
        "ManufacturerPartTypeName": f"P-{100 + place}",
        "ManufacturerSerialNumber": f"SN-{7_000 + place}",
        "MaintenancePlant": "1010",
        "MaintenancePlanningPlant": "1010",
        "CompanyCode": "1010",
        "FunctionalLocation": line,
        "FunctionalLocationLabelName": line,
        "SuperordinateEquipment": "10000000" if place in {3, 6} else "",
        "OperationStartDate": started,
        "CreationDate": started,
        "CreatedByUser": USER,
        "LastChangeDateTime": datetime.combine(today - timedelta(days=1 + place * 13), time(5, place), UTC),
        "EquipmentIsInactive": place == EQUIPMENT - 1,
    }
    moved = midnight(today - timedelta(days=200))
    if place in {1, 4}:
        earlier = {"ValidityStartDate": started, "ValidityEndDate": moved - timedelta(days=1)}
        elsewhere = {"FunctionalLocation": "DEMO", "FunctionalLocationLabelName": "DEMO"}
        system.add("Equipment", {**values, **earlier, **elsewhere}, bulk=True)
    now = {"ValidityStartDate": moved if place in {1, 4} else started, "ValidityEndDate": FOREVER}
    system.add("Equipment", {**values, **now}, bulk=True)
