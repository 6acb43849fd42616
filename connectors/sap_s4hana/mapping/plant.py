"""Assets and locations: Equipment and FunctionalLocation."""

from typing import Any, Final

from connectors.mapping import EntityMapping, To
from connectors.sap_s4hana import values as v
from connectors.sap_s4hana.mapping.work import site
from db.models.inventory.location import LocationFields, LocationType
from db.models.maintenance.asset import AssetFields


def first(*told: Any) -> str | None:
    """Give the first text that is not blank."""
    return next((found for each in told if (found := v.text(each))), None)


def in_use(inactive: Any, deleted: Any) -> bool:
    """Tell whether equipment is neither set inactive nor marked for deletion."""
    return not inactive and not deleted


def technical(category: Any) -> LocationType:
    """Tell what a functional location is, whatever its category."""
    del category
    return LocationType.TECHNICAL


def place_active(active: Any, deactivated: Any, marked: Any, deleted: Any) -> bool:
    """Tell whether a functional location is in use; releases that do not tell `active` tell the opposite."""
    return active is not False and not deactivated and not marked and not deleted


def address(*told: Any) -> dict[str, Any] | None:
    """Make the address of a functional location."""
    return v.address("", dict(zip(_ADDRESS, told, strict=True)))


_ADDRESS: Final = ("StreetName", "HouseNumber", "CityName", "PostalCode", "Region", "Country")

# Long texts are a set of their own and are not read; Equipment names its maker, and not from whom it was bought.
ASSET: Final = EntityMapping(
    AssetFields,
    (
        To("number", "Equipment", v.text),
        To("name", "EquipmentName", v.text),
        To("category", "EquipmentCategory", v.text),
        To("criticality", "ABCIndicator", v.text),
        To("manufacturer", "AssetManufacturerName", v.text),
        To("model", "ManufacturerPartTypeName", v.text),
        To("serial_number", ("ManufacturerSerialNumber", "SerialNumber"), first),
        To("parent_source_id", "SuperordinateEquipment", v.text),
        To("location_source_id", "FunctionalLocation", v.text),
        To("location_code", ("FunctionalLocationLabelName", "FunctionalLocation"), first),
        To("site", ("MaintenancePlant", "MaintenancePlanningPlant"), site),
        To("started_on", "OperationStartDate", v.day),
        To("ended_on", "EquipmentEndOfUseDate", v.day),
        To("active", ("EquipmentIsInactive", "EquipmentIsMarkedForDeletion"), in_use),
        To("custom_fields", "YY1_", v.custom),
    ),
    absent=frozenset({"vendor_source_id", "native_status", "assignee"}),
)
LOCATION: Final = EntityMapping(
    LocationFields,
    (
        To("code", ("FunctionalLocationLabelName", "FunctionalLocation"), first),
        To("name", "FunctionalLocationName", v.text),
        To("type", "FunctionalLocationCategory", technical),
        To("native_type", "FunctionalLocationCategory", v.text),
        To("parent_source_id", "SuperiorFunctionalLocation", v.text),
        To("site", ("MaintenancePlant", "MaintenancePlanningPlant"), site),
        To("address", _ADDRESS, address),
        To(
            "active",
            (
                "FunctionalLocationIsActive",
                "FuncnlLocIsDeactivated",
                "FuncnlLocIsMarkedForDeletion",
                "FuncnlLocIsDeleted",
            ),
            place_active,
        ),
        To("custom_fields", "YY1_", v.custom),
    ),
)
