"""Demo data of the simulated S/4HANA."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from sandbox.sap_s4hana.seed.plan import Plan, seed
from sandbox.sap_s4hana.system import S4System

TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def system() -> S4System:
    made = S4System()
    seed(made, Plan(orders=400, suppliers=25, materials=60, maintenance_orders=30, today=TODAY))
    return made


def test_sizes_are_as_planned(system: S4System) -> None:
    names = ("A_PurchaseOrder", "A_Supplier", "A_BusinessPartner", "A_Product", "MaintenanceOrder")

    assert [len(system.tables[name]) for name in names] == [400, 25, 25, 60, 30]


def test_orders_spread_over_eighty_days_and_some_are_older_than_ninety(system: S4System) -> None:
    ages = sorted((TODAY - row["PurchaseOrderDate"].date()).days for row in system.tables["A_PurchaseOrder"])

    recent = [age for age in ages if age <= 80]
    assert (recent[0], recent[-1], len(ages) - len(recent)) == (1, 80, 50)
    assert all(later - earlier <= 1 for earlier, later in pairwise(recent))
    assert min(age for age in ages if age > 80) > 90


def test_no_stamp_lies_before_its_order_or_in_the_future(system: S4System) -> None:
    rows = list(system.tables["A_PurchaseOrder"])

    assert all(row["PurchaseOrderDate"].date() <= row["LastChangeDateTime"].date() < TODAY for row in rows)
    assert len({row["LastChangeDateTime"] for row in rows}) == 400


def test_items_hold_what_converters_stumble_over(system: S4System) -> None:
    items = list(system.tables["A_PurchaseOrderItem"])

    assert {item["NetPriceQuantity"] for item in items} == {Decimal(1), Decimal(100), Decimal(1000)}
    assert Decimal("0.001") in {item["OrderQuantity"] for item in items}
    assert {item["PurchasingDocumentDeletionCode"] for item in items} == {"", "L", "S"}
    assert all(item["NetPriceAmount"] % 1 == 0 for item in items if item["DocumentCurrency"] == "JPY")
    assert any(not name.isascii() for name in (row["SupplierName"] for row in system.tables["A_Supplier"]))


def test_schedule_lines_add_up_to_their_items(system: S4System) -> None:
    lines = system.tables["A_PurchaseOrderScheduleLine"]

    for item in system.tables["A_PurchaseOrderItem"]:
        parts = [line["ScheduleLineOrderQuantity"] for line in lines.children(*item.key)]
        assert sum(parts) == item["OrderQuantity"]
        assert min(parts) > 0


def test_the_plan_decides_all(system: S4System) -> None:
    again, other = S4System(), S4System()
    seed(again, Plan(orders=400, suppliers=25, materials=60, maintenance_orders=30, today=TODAY))
    seed(other, Plan(orders=400, suppliers=25, materials=60, maintenance_orders=30, today=TODAY, rng_seed=2))

    name = "A_PurchaseOrderItem"
    assert list(again.tables[name]) == list(system.tables[name])
    assert list(other.tables[name]) != list(system.tables[name])


def test_orders_need_suppliers_and_materials() -> None:
    with pytest.raises(ValueError, match="at least one supplier"):
        seed(S4System(), Plan(suppliers=0))


def test_the_days_of_a_later_plan_are_later() -> None:
    later = S4System()
    seed(later, Plan(orders=8, today=TODAY + timedelta(days=100)))

    newest = max(row["PurchaseOrderDate"].date() for row in later.tables["A_PurchaseOrder"])
    assert newest > TODAY
