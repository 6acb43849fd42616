"""Business checks of purchase order items, schedule lines and account assignments."""

from dataclasses import dataclass

from sandbox.sap_s4hana.odata.bodies import Draft
from sandbox.sap_s4hana.rules import customizing as cus
from sandbox.sap_s4hana.rules.checks import Checks
from sandbox.sap_s4hana.store import Row
from sandbox.sap_s4hana.system import S4System


@dataclass(slots=True)
class BuiltItem:
    """A checked item that only lacks the number of its order."""

    item: Row
    lines: list[Row]
    accounts: list[Row]
    notes: list[Draft]


def check_item(system: S4System, header: Row, built: BuiltItem, checks: Checks, *, held: bool) -> None:
    """Check one item; a held order may lack price, quantity and date."""
    item = built.item
    _check_plant(header, item, checks)
    _check_material(system, item, checks)
    _check_codes(item, checks)
    if item["AccountAssignmentCategory"] and not built.accounts and not held:
        checks.say("ME/083", "Enter Account Assignment", "to_AccountAssignment")
    for account in built.accounts:
        check_account(item, account, checks)
    if held:
        return
    checks.need(item["OrderQuantity"] > 0, "Order Quantity", "OrderQuantity")
    if item["NetPriceAmount"] <= 0 and not item["PurchasingItemIsFreeOfCharge"]:
        checks.say("06/215", "Net price must be greater than 0", "NetPriceAmount")
    if not built.lines:
        checks.say("ME/040", "Enter delivery date", "ScheduleLineDeliveryDate")
    for line in built.lines:
        check_line(line, checks)


def check_complete(system: S4System, header: Row, checks: Checks) -> None:
    """Check the items of a held order that is to become a real one."""
    rows = system.tables["A_PurchaseOrderItem"].children(header["PurchaseOrder"])
    if not rows:
        checks.say("W5/005", "Please enter items first", "to_PurchaseOrderItem")
    for row in rows:
        lines = system.tables["A_PurchaseOrderScheduleLine"].children(*row.key)
        accounts = system.tables["A_PurOrdAccountAssignment"].children(*row.key)
        check_item(system, header, BuiltItem(row, lines, accounts, []), checks, held=False)


def check_account(item: Row, account: Row, checks: Checks) -> None:
    """Check one account assignment: category K wants an account and a cost center."""
    if item["AccountAssignmentCategory"] == "K":
        checks.need(account["GLAccount"], "G/L Account", "GLAccount")
        checks.need(account["CostCenter"], "Cost Center", "CostCenter")


def check_line(line: Row, checks: Checks) -> None:
    """Check one schedule line: date and quantity."""
    if line["ScheduleLineDeliveryDate"] is None:
        checks.say("ME/040", "Enter delivery date", "ScheduleLineDeliveryDate")
    checks.need(line["ScheduleLineOrderQuantity"] > 0, "Scheduled Quantity", "ScheduleLineOrderQuantity")


def _check_plant(header: Row, item: Row, checks: Checks) -> None:
    plant = item["Plant"]
    if not checks.need(plant, "Plant", "Plant"):
        return
    company = cus.PLANT_COMPANY.get(plant)
    if company is None:
        checks.say("ME/029", f"Plant {plant} does not exist", "Plant")
    elif company != header["CompanyCode"]:
        checks.say("ME/161", f"Plant {plant} is not assigned to company code {header['CompanyCode']}", "Plant")
    elif item["StorageLocation"] and item["StorageLocation"] not in cus.STORAGE_LOCATIONS[plant]:
        text = f"Storage location {item['StorageLocation']} does not exist in plant {plant}"
        checks.say("M7/002", text, "StorageLocation")


def _check_material(system: S4System, item: Row, checks: Checks) -> None:
    material, plant = item["Material"], item["Plant"]
    if not material:
        checks.need(item["PurchaseOrderItemText"], "Short Text", "PurchaseOrderItemText")
        checks.need(item["MaterialGroup"], "Material Group", "MaterialGroup")
        checks.need(item["AccountAssignmentCategory"], "Acct Assignment Cat.", "AccountAssignmentCategory")
        return
    product = system.tables["A_Product"].get(material)
    if product is None:
        checks.say("M3/305", f"The material {material} does not exist or is not activated", "Material")
    elif product["IsMarkedForDeletion"]:
        checks.say("M3/028", f"Material {material} is flagged for deletion", "Material")
    elif plant in cus.PLANT_COMPANY and system.tables["A_ProductPlant"].get(material, plant) is None:
        checks.say("M3/351", f"Material {material} not maintained in plant {plant}", "Material")


def _check_codes(item: Row, checks: Checks) -> None:
    if checks.need(item["PurchaseOrderQuantityUnit"], "Order Unit", "PurchaseOrderQuantityUnit"):
        for name in ("PurchaseOrderQuantityUnit", "OrderPriceUnit"):
            if item[name] not in cus.UNITS:
                checks.say("BM/302", f"Unit {item[name]} is not created in language EN", name)
    if item["TaxCode"] not in cus.TAX_CODES:
        checks.say("FS/213", f"Tax code {item['TaxCode']} does not exist", "TaxCode")
    if item["AccountAssignmentCategory"] not in cus.ACCOUNT_CATEGORIES:
        text = f"Account assignment category {item['AccountAssignmentCategory']} is not defined"
        checks.say("ME/061", text, "AccountAssignmentCategory")
