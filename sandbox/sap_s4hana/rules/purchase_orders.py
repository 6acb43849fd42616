"""Purchase order headers: creation with items, changes, deletion, notes."""

from decimal import Decimal
from typing import Any

from sandbox.sap_s4hana.config import User
from sandbox.sap_s4hana.odata.bodies import Draft
from sandbox.sap_s4hana.odata.errors import Message
from sandbox.sap_s4hana.rules import customizing as cus
from sandbox.sap_s4hana.rules import purchase_items as items
from sandbox.sap_s4hana.rules.checks import Checks
from sandbox.sap_s4hana.rules.purchase_checks import check_complete
from sandbox.sap_s4hana.store import Row
from sandbox.sap_s4hana.system import S4System, midnight

_NOT_CREATED = Message("BAPI/001", "No instance of object type PurchaseOrder has been created. External reference:")
_NOT_CHANGED = Message("BAPI/003", "Instance PurchaseOrder could not be changed")
_HEADER_FAULTY = Message("MEPO/002", "PO header data still faulty")
_ITEMS_FAULTY = Message("MEPO/000", "Purchase order still contains faulty items")
_FIXED = {"CompanyCode": "Company Code", "PurchasingOrganization": "Purchasing Org.", "PurchaseOrderType": "Order Type"}


def create_order(system: S4System, draft: Draft, user: User) -> Row:
    """Create an order with its items, schedule lines, account assignments and notes, or nothing.

    Raises:
        ODataError: 400 with every reason.
    """
    header = _with_defaults(system, draft)
    checks = Checks()
    _check_header(system, header, checks)
    faulty = _HEADER_FAULTY if checks.messages else _ITEMS_FAULTY
    drafts = draft.children("to_PurchaseOrderItem")
    held = bool(header["PurchasingCompletenessStatus"])
    if not drafts and not held:
        checks.say("W5/005", "Please enter items first", "to_PurchaseOrderItem")
    built = items.build_items(system, header, drafts, checks, held=held)
    checks.raise_if_any(faulty, _NOT_CREATED)

    header["PurchaseOrder"] = system.number("purchase_order")
    header["CreatedByUser"] = user.name[:12]
    row = system.add("A_PurchaseOrder", header)
    for item in built:
        items.store_item(system, row, item)
    for note in draft.children("to_PurchaseOrderNote"):
        system.add("A_PurchaseOrderNote", {**note.values, "PurchaseOrder": row["PurchaseOrder"]})
    items.check_release(system, row)
    return row


def update_order(system: S4System, row: Row, draft: Draft, user: User) -> None:
    """Change header fields; the server stamps LastChangeDateTime.

    Raises:
        ODataError: 400 with every reason.
    """
    del user
    checks = Checks()
    if row["PurchasingDocumentDeletionCode"]:
        checks.say("06/044", f"Purchase order {row['PurchaseOrder']} has been deleted")
    for name, label in _FIXED.items():
        if name in draft and draft[name] != row[name]:
            checks.say("MEPO/053", f"{label} cannot be changed after the document was saved", name)
    merged = Row(row.type, {**row, **draft.values})
    _check_header(system, merged, checks)
    if row["PurchasingCompletenessStatus"] and not merged["PurchasingCompletenessStatus"]:
        check_complete(system, row, checks)
    checks.raise_if_any(_HEADER_FAULTY, _NOT_CHANGED)
    if draft["PaymentTerms"] != row["PaymentTerms"] and "PaymentTerms" in draft:
        row.set(**_terms(draft["PaymentTerms"]))
    row.set(**draft.values)
    if "DocumentCurrency" in draft:
        for item in system.tables["A_PurchaseOrderItem"].children(row["PurchaseOrder"]):
            item["DocumentCurrency"] = row["DocumentCurrency"]
            system.changed(item)
    stamp(system, row)


def delete_order(system: S4System, row: Row, user: User) -> None:
    """Set the deletion indicator on the header and on all items."""
    for item in system.tables["A_PurchaseOrderItem"].children(row["PurchaseOrder"]):
        items.delete_item(system, item, user)
    row["PurchasingDocumentDeletionCode"] = "L"
    stamp(system, row)


def stamp(system: S4System, row: Row) -> None:
    """Note a change of the header."""
    row["LastChangeDateTime"] = system.stamp()
    system.changed(row)


def create_note(system: S4System, draft: Draft, user: User) -> Row:
    """Add a text to an order or item."""
    del user
    checks = Checks()
    for name, label in (("TextObjectType", "Text ID"), ("Language", "Language Key")):
        checks.need(draft[name], label, name)
    checks.raise_if_any(_NOT_CHANGED)
    return system.add(draft.type.set_name, draft.values)


def update_plain(system: S4System, row: Row, draft: Draft, user: User) -> None:
    """Change a row that has no checks beyond its metadata."""
    del user
    row.set(**draft.values)
    system.changed(row)


def delete_plain(system: S4System, row: Row, user: User) -> None:
    """Take a row out."""
    del user
    system.remove(row)


def _with_defaults(system: S4System, draft: Draft) -> Row:
    """Fill what the application derives when the caller leaves it out."""
    today, now = midnight(system.today()), system.stamp()
    terms = system.tables["A_SupplierPurchasingOrg"].get(draft["Supplier"], draft["PurchasingOrganization"])
    company = cus.COMPANIES.get(draft["CompanyCode"])
    currency = terms["PurchaseOrderCurrency"] if terms else (company.currency if company else "")
    code = draft["PaymentTerms"] or (terms["PaymentTerms"] if terms else "")
    derived: dict[str, Any] = {
        "PurchaseOrderType": "NB",
        "PurchasingProcessingStatus": items.ACTIVE,
        "CreationDate": today,
        "PurchaseOrderDate": today,
        "LastChangeDateTime": now,
        "PurchasingDocumentOrigin": "9",
        "Language": "EN",
        "DocumentCurrency": currency,
        "ExchangeRate": "1.00000",
        "InvoicingParty": draft["Supplier"],
        **_terms(code),
    }
    return Row(draft.type, {**derived, **{name: value for name, value in draft.values.items() if value != ""}})


def _terms(code: str) -> dict[str, Any]:
    net, first_days, first_percent = cus.PAYMENT_TERMS.get(code, (0, 0, "0"))
    return {
        "PaymentTerms": code,
        "NetPaymentDays": Decimal(net),
        "CashDiscount1Days": Decimal(first_days),
        "CashDiscount1Percent": Decimal(first_percent),
    }


def _check_header(system: S4System, header: Row, checks: Checks) -> None:
    if checks.need(header["CompanyCode"], "Company Code", "CompanyCode") and header["CompanyCode"] not in cus.COMPANIES:
        checks.say("F5/165", f"Company code {header['CompanyCode']} has not been created", "CompanyCode")
    known = (
        ("PurchasingOrganization", "Purchasing Org.", cus.PURCHASING_ORGANIZATIONS, "ME/028", "Purch. organization"),
        ("PurchasingGroup", "Purch. Group", cus.PURCHASING_GROUPS, "ME/034", "Purchasing group"),
    )
    for name, label, allowed, code, text in known:
        if checks.need(header[name], label, name) and header[name] not in allowed:
            checks.say(code, f"{text} {header[name]} does not exist", name)
    if header["PurchaseOrderType"] not in cus.ORDER_TYPES:
        text = f"Document type {header['PurchaseOrderType']} not allowed with doc.  category F"
        checks.say("ME/013", text, "PurchaseOrderType")
    currency = header["DocumentCurrency"]
    if checks.need(currency, "Currency", "DocumentCurrency") and currency not in cus.CURRENCIES:
        checks.say("SV/012", f"Currency {currency} is not defined", "DocumentCurrency")
    if header["PaymentTerms"] and header["PaymentTerms"] not in cus.PAYMENT_TERMS:
        text = f"Terms of payment {header['PaymentTerms']} are not defined"
        checks.say("ME/190", text, "PaymentTerms")
    if header["IncotermsClassification"] not in cus.INCOTERMS:
        text = f"Incoterms {header['IncotermsClassification']} are not defined"
        checks.say("ME/191", text, "IncotermsClassification")
    if checks.need(header["Supplier"], "Supplier", "Supplier"):
        _check_supplier(system, header, checks)


def _check_supplier(system: S4System, header: Row, checks: Checks) -> None:
    number, organization = header["Supplier"], header["PurchasingOrganization"]
    supplier = system.tables["A_Supplier"].get(number)
    if supplier is None:
        checks.say("06/025", f"Supplier {number} does not exist", "Supplier")
        return
    if supplier["DeletionIndicator"]:
        checks.say("06/024", f"Supplier {number} is flagged for deletion", "Supplier")
    if supplier["PurchasingIsBlocked"]:
        checks.say("06/023", f"Supplier {number} is blocked for purchasing", "Supplier")
    terms = system.tables["A_SupplierPurchasingOrg"].get(number, organization)
    if terms is None and organization in cus.PURCHASING_ORGANIZATIONS:
        text = f"Supplier {number} not created by purchasing organization {organization}"
        checks.say("06/321", text, "Supplier")
    elif terms is not None and terms["PurchasingIsBlockedForSupplier"]:
        text = f"Supplier {number} is blocked in purchasing organization {organization}"
        checks.say("06/023", text, "Supplier")
