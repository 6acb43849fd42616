"""Locations and items of Tryton: rows that a real server gave, and what becomes of them."""

from typing import Any

import orjson
import pytest

from connectors.mapping import project
from connectors.tryton.mapping import ITEM, LOCATION
from connectors.tryton.read import item
from connectors.tryton.units import unit_map
from sandbox.tryton.recorded import Recorded

RECORDED = orjson.loads(Recorded("company").body("model.stock.location.search_read"))["result"]
PRODUCT = {
    "id": 3,
    "code": "ITEM-003",
    "name": "Roller bearing 03",
    "rec_name": "[ITEM-003] Roller bearing 03",
    "type": "goods",
    "consumable": False,
    "active": True,
    "template": 3,
    "template.": {"active": True, "write_date": "2026-11-21T02:00:00.000001Z", "create_date": None},
    "create_date": "2026-11-20T02:00:00.000000Z",
    "write_date": None,
    "default_uom.": {"symbol": "u"},
    "purchase_uom.": {"symbol": "kg"},
    "identifiers.": [{"type": "brand", "code": "X"}, {"type": "ean", "code": "4006381333931"}],
}


def product(**changes: Any) -> Any:
    return project(ITEM, {**PRODUCT, **changes}, units=unit_map({}))


def test_every_recorded_location_is_told_by_its_type() -> None:
    told: Any = {row["name"]: project(LOCATION, row, units={}) for row in RECORDED}

    assert {name: (place.code, place.type) for name, place in told.items()} == {
        "Customer": ("CUS", "VIRTUAL"),
        "Input Zone": ("IN", "STORAGE"),
        "Lost and Found": ("Lost and Found", "VIRTUAL"),
        "Output Zone": ("OUT", "STORAGE"),
        "Production": ("PROD", "VIRTUAL"),
        "Storage Zone": ("STO", "STORAGE"),
        "Supplier": ("SUP", "VIRTUAL"),
        "Transit": ("Transit", "STORAGE"),
        "Warehouse": ("WH", "WAREHOUSE"),
    }
    assert {name: place.native_type for name, place in told.items()}["Warehouse"] == "warehouse"


def test_a_product_shows_its_templates_name_units_and_newest_stamp() -> None:
    told = product()

    assert (told.code, told.description, told.type) == ("ITEM-003", "Roller bearing 03", "STOCK")
    assert (told.base_unit, told.purchase_unit, told.gtin) == ("EA", "KGM", "4006381333931")
    assert str(item(PRODUCT).updated_at) == "2026-11-21 02:00:00.000001+00:00"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"consumable": True}, "NON_STOCK"),
        ({"type": "service"}, "SERVICE"),
        ({"type": "assets"}, "ASSET"),
        ({"type": "kit of tomorrow"}, "UNKNOWN"),
    ],
)
def test_kinds_of_products(changes: dict[str, Any], expected: str) -> None:
    assert product(**changes).type == expected


def test_a_product_without_a_code_is_called_by_its_name_and_retired_with_its_template() -> None:
    told = product(code=None, rec_name="Roller bearing 03", **{"template.": {"active": False}})

    assert (told.code, told.active) == ("Roller bearing 03", False)
