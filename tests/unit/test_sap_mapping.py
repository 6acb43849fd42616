"""SAP's documents as records, and prices, units and keys on the way."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import MappingError
from connectors.mapping import project
from connectors.sap_s4hana import values as v
from connectors.sap_s4hana.mapping.items import ITEM
from connectors.sap_s4hana.mapping.orders import PURCHASE_ORDER
from connectors.sap_s4hana.mapping.stock import INVENTORY_LEVEL
from connectors.sap_s4hana.mapping.vendors import VENDOR
from connectors.sap_s4hana.mapping.work import WORK_ORDER
from connectors.sap_s4hana.services import RESOURCES, STOCK_KEY, stock_id, stock_key
from connectors.sap_s4hana.units import REC20, native_unit, units_of
from db.types import Entity

ORDER: dict[str, Any] = {
    "PurchaseOrder": "4500000001",
    "CompanyCode": "1010",
    "PurchasingProcessingStatus": "02",
    "PurchasingDocumentDeletionCode": "",
    "PurchasingCompletenessStatus": False,
    "ReleaseIsNotCompleted": False,
    "PurchasingGroup": "001",
    "Supplier": "10300001",
    "DocumentCurrency": "EUR",
    "PurchaseOrderDate": "/Date(1706659200000)/",
    "PaymentTerms": "0004",
    "IncotermsClassification": "FCA",
    "IncotermsLocation1": "Hamburg",
    "to_PurchaseOrderNote": [{"TextObjectType": "F01", "PlainLongText": "Gate 4"}],
    "YY1_": {"YY1_Project_PDH": "P-1", "YY1_Empty_PDH": ""},
    "to_PurchaseOrderItem": [
        {
            "PurchaseOrderItem": "00010",
            "Material": "TG10",
            "PurchaseOrderItemText": "Bolt M8",
            "OrderQuantity": "500.000",
            "PurchaseOrderQuantityUnit": "PC",
            "OrderPriceUnit": "KG",
            "NetPriceAmount": "195.00",
            "NetPriceQuantity": "1000",
            "Plant": "1010",
            "StorageLocation": "101A",
            "TaxCode": "V1",
            "DeliveryAddressCityName": "Hamburg",
            "DeliveryAddressStreetName": "Kai",
            "DeliveryAddressHouseNumber": "7",
            "to_ScheduleLine": [
                {
                    "ScheduleLine": "0002",
                    "ScheduleLineDeliveryDate": "/Date(1709251200000)/",
                    "ScheduleLineOrderQuantity": "300.000",
                },
                {
                    "ScheduleLine": "0001",
                    "ScheduleLineDeliveryDate": "/Date(1707955200000)/",
                    "ScheduleLineOrderQuantity": "200.000",
                },
            ],
            "to_AccountAssignment": [{"CostCenter": "17101301", "GLAccount": "", "IsDeleted": False}],
            "AccountAssignmentCategory": "K",
        },
        {"PurchaseOrderItem": "20", "PurchasingDocumentDeletionCode": "L", "OrderQuantity": "1"},
    ],
}


def _order(**changes: Any) -> Any:
    return project(PURCHASE_ORDER, {**ORDER, **changes}, units=REC20)


def test_an_order_is_told_whole() -> None:
    order = _order()

    assert (order.order_number, order.status, order.native_status) == ("4500000001", "APPROVED", "02")
    assert (order.vendor_source_id, order.company, order.buyer) == ("10300001", "1010", "001")
    assert order.order_date == date(2024, 1, 31)
    assert order.required_date == date(2024, 2, 15)
    assert order.delivery_date is None
    assert order.payment_terms.code == "0004"
    assert order.incoterms == "FCA Hamburg"
    assert order.notes == "Gate 4"
    assert order.custom_fields == {"YY1_Project_PDH": "P-1"}
    assert (order.total_net, order.total_tax, order.total_gross) == (None, None, None)
    assert (order.ship_to.city, order.ship_to.lines, order.ship_to.site_code) == ("Hamburg", ["Kai 7"], "1010")


def test_a_line_keeps_price_quantity_and_dates_exact() -> None:
    line, deleted = _order().lines

    assert (line.source_line_id, line.line_number, line.item_source_id) == ("10", "10", "TG10")
    assert (line.quantity, line.unit, line.native_unit) == (Decimal("500.000"), "EA", "PC")
    assert str(line.unit_price) == "0.195"
    assert (line.source_price, line.price_base, line.price_unit) == (Decimal("195.00"), Decimal(1000), "KGM")
    assert line.required_date == date(2024, 2, 15)
    assert [(one.number, one.required_date, one.quantity) for one in line.schedules] == [
        ("2", date(2024, 3, 1), Decimal("300.000")),
        ("1", date(2024, 2, 15), Decimal("200.000")),
    ]
    assert line.location == "1010/101A"
    assert line.account_assignment == {"AccountAssignmentCategory": "K", "CostCenter": "17101301"}
    assert (deleted.source_line_id, deleted.status) == ("20", "CANCELLED")


def test_the_body_of_a_new_field_does_not_fail_and_a_broken_value_does() -> None:
    assert _order(NewField={"x": 1}).order_number == "4500000001"
    with pytest.raises(MappingError, match="order_date from PurchaseOrderDate"):
        _order(PurchaseOrderDate="31.01.2024")
    with pytest.raises(MappingError, match="not an exact decimal"):
        _order(to_PurchaseOrderItem=[{"PurchaseOrderItem": "10", "OrderQuantity": 0.1}])


@pytest.mark.parametrize(
    ("amount", "base", "expected"),
    [
        ("100.00", "1", "100"),
        ("195.00", "1000", "0.195"),
        ("1.00", "3", "0.3333333333333333333333333333"),
        ("7.5", "0", "7.5"),
        ("7.50", None, "7.5"),
        ("0.00", "1", "0"),
        ("123456789.123", "1", "123456789.123"),
    ],
)
def test_unit_price_is_per_one_price_unit(amount: str, base: str | None, expected: str) -> None:
    assert str(v.unit_price(amount, base)) == expected


def test_no_price_is_no_price() -> None:
    assert v.unit_price(None, "1") is None
    assert v.unit_price("", "1") is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"Material": "M"}, "ITEM"),
        ({"Material": "S", "ProductType": "2"}, "SERVICE"),
        ({"PurchaseOrderItemCategory": "9"}, "SERVICE"),
        ({"AccountAssignmentCategory": "K"}, "ACCOUNT"),
        ({"AccountAssignmentCategory": "A"}, "ASSET"),
        ({}, "ITEM"),
    ],
)
def test_line_kinds(given: dict[str, str], expected: str) -> None:
    order = _order(to_PurchaseOrderItem=[{"PurchaseOrderItem": "10", **given}])

    assert order.lines[0].kind == expected


def test_split_account_assignments_are_told_one_by_one() -> None:
    parts = [
        {"CostCenter": "A", "MultipleAcctAssgmtDistrPercent": "60.0"},
        {"CostCenter": "B", "MultipleAcctAssgmtDistrPercent": "40.0"},
        {"CostCenter": "C", "IsDeleted": True},
    ]
    item = {"PurchaseOrderItem": "10", "AccountAssignmentCategory": "K", "to_AccountAssignment": parts}

    assert _order(to_PurchaseOrderItem=[item]).lines[0].account_assignment == {
        "AccountAssignmentCategory": "K",
        "parts": [{"CostCenter": "A", "percent": "60.0"}, {"CostCenter": "B", "percent": "40.0"}],
    }


def test_a_vendor_is_told_from_partner_and_supplier() -> None:
    body = {
        "BusinessPartner": "1000001",
        "Supplier": "10300001",
        "BusinessPartnerFullName": "Demo Supplier 1",
        "LastChangeDate": None,
        "CreationDate": "/Date(1706659200000)/",
        "CreationTime": "PT10H00M00S",
        "to_BusinessPartnerTax": [{"BPTaxType": "DE0", "BPTaxNumber": "DE111111125"}],
        "to_BusinessPartnerAddress": [
            {
                "CityName": "Berlin",
                "Country": "DE",
                "StreetName": "Allee",
                "to_EmailAddress": [
                    {"EmailAddress": "b@demo.example"},
                    {"EmailAddress": "a@demo.example", "IsDefaultEmailAddress": True},
                ],
            }
        ],
        "to_Supplier": {
            "PurchasingIsBlocked": True,
            "DeletionIndicator": False,
            "to_SupplierPurchasingOrg": [
                {"PurchaseOrderCurrency": "EUR", "PaymentTerms": "0001"},
                {"PurchaseOrderCurrency": "EUR", "PaymentTerms": "0002"},
            ],
        },
    }

    vendor: Any = project(VENDOR, body, units=REC20)

    assert (vendor.number, vendor.name, vendor.tax_id) == ("10300001", "Demo Supplier 1", "DE111111125")
    assert (vendor.email, vendor.phone, vendor.addresses[0].city) == ("a@demo.example", None, "Berlin")
    assert (vendor.currency, vendor.payment_terms) == ("EUR", None)
    assert (vendor.active, vendor.blocked_for_purchasing) == (True, True)
    assert RESOURCES[Entity.VENDOR].updated_at(body) == datetime(2024, 1, 31, 10, tzinfo=UTC)
    changed = {**body, "LastChangeDate": "/Date(1706745600000)/", "LastChangeTime": "PT00H00M01S"}
    assert RESOURCES[Entity.VENDOR].updated_at(changed) == datetime(2024, 2, 1, 0, 0, 1, tzinfo=UTC)


def test_an_item_is_told() -> None:
    body = {
        "Product": "TG10",
        "ProductType": "HAWA",
        "BaseUnit": "ST",
        "ProductStandardID": "4012345678901",
        "to_Description": [
            {"Language": "DE", "ProductDescription": "Schraube"},
            {"Language": "EN", "ProductDescription": "Bolt"},
        ],
        "to_Valuation": [
            {
                "InventoryValuationProcedure": "V",
                "MovingAveragePrice": "12.00",
                "StandardPrice": "1",
                "PriceUnitQty": "100",
                "Currency": "EUR",
            }
        ],
    }

    item: Any = project(ITEM, body, units=REC20)

    assert (item.code, item.description, item.type, item.base_unit) == ("TG10", "Bolt", "STOCK", "EA")
    assert (str(item.standard_cost), item.cost_currency, item.gtin) == ("0.12", "EUR", "4012345678901")
    assert item.active


def test_stock_keys_are_stable_texts_that_come_apart_again() -> None:
    row = {**dict.fromkeys(STOCK_KEY, ""), "Material": "A/B 1", "Plant": "1010", "InventoryStockType": "01"}

    told = stock_id(row)

    assert told == "A%2FB%201/1010/////////01"
    assert stock_key(told) == row
    with pytest.raises(ValueError, match="not the key"):
        stock_key("TG10/1010")


def test_a_stock_level_is_told() -> None:
    row = {
        "Material": "TG10",
        "Plant": "1010",
        "StorageLocation": "101A",
        "Batch": "B1",
        "SDDocument": "12",
        "SDDocumentItem": "000000",
        "InventorySpecialStockType": "E",
        "InventoryStockType": "02",
        "MaterialBaseUnit": "PC",
        "MatlWrhsStkQtyInMatlBaseUnit": "12.50000000000000",
    }

    level: Any = project(INVENTORY_LEVEL, row, units=REC20)

    assert (level.item_source_id, level.site, level.location, level.lot) == ("TG10", "1010", "1010/101A", "B1")
    assert (level.stock_class, level.native_stock_class, level.on_hand) == ("QUALITY", "02/E", Decimal("12.5"))
    assert (level.unit, level.as_of) == ("EA", None)
    assert level.custom_fields == {"InventorySpecialStockType": "E", "SDDocument": "12"}


def test_a_work_order_is_told() -> None:
    body = {
        "MaintenanceOrder": "4000001",
        "MaintenanceOrderDesc": "Pump leaks",
        "MaintenanceOrderType": "YA01",
        "MaintPriority": "2",
        "Equipment": "10000001",
        "FunctionalLocation": "PLANT-1",
        "MaintenancePlant": "1010",
        "SystemStatusText": "REL  PRC",
        "MaintOrdProcessPhaseCode": "06",
        "MaintOrdBasicStartDateTime": "/Date(1706695200000+0000)/",
        "LatestAcceptableCompletionDate": "/Date(1706659200000)/",
        "to_MaintenanceOrderOperation": [
            {
                "MaintenanceOrderOperation": "0010",
                "OperationDescription": "Inspect",
                "MaintOrdOperationWorkDuration": "2.5",
                "MaintOrdOpWorkDurationUnit": "HR",
                "OpActualExecutionStartDateTime": "/Date(1706695200000)/",
                "to_MaintOrderOpComponent_2": [
                    {"Product": "TG10", "MaintOrdOpCompRequiredQuantity": "4.000", "BaseUnit": "PC"},
                    {"Product": "TG11", "IsDeleted": True},
                ],
            },
            {"MaintenanceOrderOperation": "0020", "IsMarkedForDeletion": True},
        ],
    }

    order: Any = project(WORK_ORDER, body, units=REC20)

    assert (order.number, order.title, order.type, order.status) == (
        "4000001",
        "Pump leaks",
        "CORRECTIVE",
        "IN_PROGRESS",
    )
    assert (order.native_status, order.priority, order.native_priority) == ("REL  PRC", 2, "2")
    assert (order.asset_code, order.location_code, order.site) == ("10000001", "PLANT-1", "1010")
    assert order.scheduled_start_at == datetime(2024, 1, 31, 10, tzinfo=UTC)
    assert order.due_at == datetime(2024, 1, 31, tzinfo=UTC)
    assert order.actual_start_at == datetime(2024, 1, 31, 10, tzinfo=UTC)
    assert order.actual_end_at is None
    assert [(task.number, task.planned_hours) for task in order.tasks] == [("0010", Decimal("2.5"))]
    assert [(part.item_code, part.quantity, part.unit) for part in order.parts] == [("TG10", Decimal("4.000"), "EA")]


def test_units_go_both_ways_and_a_connections_own_come_first() -> None:
    own = {"KAR": "CT", "PC": "H87"}

    assert units_of(own)["PC"] == "H87"
    assert (REC20["ST"], REC20["PC"], REC20["EA"]) == ("EA", "EA", "EA")
    assert native_unit("EA", overrides={}) == "PC"
    assert native_unit("KGM", overrides={}) == "KG"
    assert native_unit("CT", overrides=own) == "KAR"
    assert native_unit("H87", overrides=own) == "PC"
    assert native_unit("KAR", overrides=own) == "KAR"
    assert native_unit("XYZ", overrides={}) == "XYZ"
    assert all(REC20[native_unit(code, overrides={})] == code for code in set(REC20.values()))
