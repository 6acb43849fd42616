"""Business partners and what hangs on them: roles, addresses, tax numbers, the supplier with its two segments."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.sap_s4hana.config import User
from sandbox.sap_s4hana.odata.bodies import Draft
from sandbox.sap_s4hana.odata.errors import Message
from sandbox.sap_s4hana.rules import customizing as cus
from sandbox.sap_s4hana.rules.checks import Checks
from sandbox.sap_s4hana.store import Row
from sandbox.sap_s4hana.system import S4System, clock_time, midnight

_EXTERNAL_NUMBERS = "BPEE"
_USER_WIDTH = 12  # the ETag property is the user, padded, and the moment: 12 + 14 characters
_ONE_SECOND = timedelta(seconds=1)
_CLOSING = Message("R1/000", "Business partner could not be saved")


def create_partner(system: S4System, draft: Draft, user: User) -> Row:
    """Create a business partner; with role FLVN00 or FLVN01 it is a supplier of the same number.

    Raises:
        ODataError: 400 with every reason.
    """
    checks = Checks()
    _check_partner(system, Row(draft.type, draft.values), checks)
    roles = draft.children("to_BusinessPartnerRole")
    for role in roles:
        _check_role(role, checks)
    for address in draft.children("to_BusinessPartnerAddress"):
        _check_address(Row(address.type, address.values), checks)
    is_supplier = any(role["BusinessPartnerRole"] in cus.SUPPLIER_ROLES for role in roles)
    for supplier in draft.children("to_Supplier"):
        _check_supplier(supplier, checks, is_supplier=is_supplier)
    checks.raise_if_any(_CLOSING)

    number = draft["BusinessPartner"] or system.number("business_partner")
    moment = system.stamp()
    row = system.add("A_BusinessPartner", {**_partner_values(draft, user, moment), "BusinessPartner": number})
    _name(row)
    stamp_partner(system, row, user)
    for role in roles:
        system.add("A_BusinessPartnerRole", {**role.values, "BusinessPartner": number})
    for address in draft.children("to_BusinessPartnerAddress"):
        _store_address(system, number, address)
    for tax in draft.children("to_BusinessPartnerTax"):
        system.add("A_BusinessPartnerTaxNumber", {**tax.values, "BusinessPartner": number})
    if is_supplier:
        _store_supplier(system, row, draft.children("to_Supplier"), user)
    return row


def update_partner(system: S4System, row: Row, draft: Draft, user: User) -> None:
    """Change central data; the names of the supplier follow."""
    checks = Checks()
    merged = Row(row.type, {**row, **draft.values})
    _check_partner(system, merged, checks, exists=True)
    checks.raise_if_any(_CLOSING)
    row.set(**draft.values)
    _name(row)
    supplier = system.tables["A_Supplier"].get(row["Supplier"])
    if supplier is not None:
        supplier.set(SupplierName=row["BusinessPartnerName"][:80], SupplierFullName=row["BusinessPartnerFullName"])
        system.changed(supplier)
    stamp_partner(system, row, user)


def stamp_partner(system: S4System, row: Row, user: User) -> None:
    """Stamp a change; two changes within one second are told apart, so that the ETag always moves."""
    moment = system.stamp().replace(microsecond=0)
    if row["ETag"]:
        before = datetime.strptime(row["ETag"][_USER_WIDTH:], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        moment = max(moment, before + _ONE_SECOND)
    row.set(
        LastChangeDate=midnight(moment.date()),
        LastChangeTime=clock_time(moment),
        LastChangedByUser=user.name[:_USER_WIDTH],
        ETag=f"{user.name[:_USER_WIDTH]:<{_USER_WIDTH}}{moment:%Y%m%d%H%M%S}",
    )
    system.changed(row)


def create_role(system: S4System, draft: Draft, user: User) -> Row:
    """Give a business partner a role; a supplier role makes a supplier of it."""
    partner = _partner(system, draft["BusinessPartner"])
    checks = Checks()
    _check_role(draft, checks)
    if system.tables["A_BusinessPartnerRole"].get(partner["BusinessPartner"], draft["BusinessPartnerRole"]):
        checks.say("R11/105", f"Role {draft['BusinessPartnerRole']} already exists", "BusinessPartnerRole")
    checks.raise_if_any(_CLOSING)
    row = system.add("A_BusinessPartnerRole", draft.values)
    if draft["BusinessPartnerRole"] in cus.SUPPLIER_ROLES and not partner["Supplier"]:
        _store_supplier(system, partner, [], user)
    stamp_partner(system, partner, user)
    return row


def create_address(system: S4System, draft: Draft, user: User) -> Row:
    """Add an address."""
    partner = _partner(system, draft["BusinessPartner"])
    checks = Checks()
    _check_address(Row(draft.type, draft.values), checks)
    checks.raise_if_any(_CLOSING)
    row = _store_address(system, partner["BusinessPartner"], draft)
    stamp_partner(system, partner, user)
    return row


def update_address(system: S4System, row: Row, draft: Draft, user: User) -> None:
    """Change an address; the business partner's stamp moves."""
    checks = Checks()
    _check_address(Row(row.type, {**row, **draft.values}), checks)
    checks.raise_if_any(_CLOSING)
    row.set(**draft.values)
    system.changed(row)
    stamp_partner(system, _partner(system, row["BusinessPartner"]), user)


def create_contact(system: S4System, draft: Draft, user: User) -> Row:
    """Add an e-mail address or telephone number to an address."""
    del user
    ordinal = draft["OrdinalNumber"] if int(draft["OrdinalNumber"]) else "1"
    return system.add(draft.type.set_name, {**draft.values, "OrdinalNumber": ordinal})


def create_tax_number(system: S4System, draft: Draft, user: User) -> Row:
    """Add a tax number."""
    partner = _partner(system, draft["BusinessPartner"])
    checks = Checks()
    checks.need(draft["BPTaxType"], "Tax Number Category", "BPTaxType")
    checks.raise_if_any(_CLOSING)
    row = system.add("A_BusinessPartnerTaxNumber", draft.values)
    stamp_partner(system, partner, user)
    return row


def create_segment(system: S4System, draft: Draft, user: User) -> Row:
    """Add company code or purchasing data to a supplier; the business partner's stamp stays as it is."""
    del user
    checks = Checks()
    if system.tables["A_Supplier"].get(draft["Supplier"]) is None:
        checks.say("F2/163", f"Supplier {draft['Supplier']} does not exist", "Supplier")
    _check_segment(Row(draft.type, draft.values), checks)
    checks.raise_if_any(_CLOSING)
    return system.add(draft.type.set_name, draft.values)


def update_segment(system: S4System, row: Row, draft: Draft, user: User) -> None:
    """Change company code or purchasing data of a supplier; the business partner's stamp stays as it is."""
    del user
    checks = Checks()
    _check_segment(Row(row.type, {**row, **draft.values}), checks)
    checks.raise_if_any(_CLOSING)
    row.set(**draft.values)
    system.changed(row)


def _partner_values(draft: Draft, user: User, moment: datetime) -> dict[str, Any]:
    return {
        "BusinessPartnerGrouping": "BP02",
        "Language": "EN",
        "CorrespondenceLanguage": "EN",
        "CreationDate": midnight(moment.date()),
        "CreationTime": clock_time(moment),
        "CreatedByUser": user.name[:_USER_WIDTH],
        **draft.values,
    }


def _name(row: Row) -> None:
    person = (row["FirstName"], row["LastName"])
    parts = (
        person if row["BusinessPartnerCategory"] == "1" else (row["OrganizationBPName1"], row["OrganizationBPName2"])
    )
    name = " ".join(part for part in parts if part)
    row.set(BusinessPartnerFullName=name[:81], BusinessPartnerName=name[:81])


def _store_address(system: S4System, number: str, draft: Draft) -> Row:
    address = system.number("address")
    row = system.add("A_BusinessPartnerAddress", {**draft.values, "BusinessPartner": number, "AddressID": address})
    for navigation in ("to_EmailAddress", "to_PhoneNumber"):
        for place, contact in enumerate(draft.children(navigation), start=1):
            keys = {"AddressID": address, "OrdinalNumber": str(place)}
            system.add(contact.type.set_name, {**contact.values, **keys})
    return row


def _store_supplier(system: S4System, partner: Row, drafts: list[Draft], user: User) -> None:
    number = partner["BusinessPartner"]
    own = {
        "Supplier": number,
        "SupplierName": partner["BusinessPartnerName"][:80],
        "SupplierFullName": partner["BusinessPartnerFullName"],
        "SupplierAccountGroup": "SUPL",
        "CreationDate": midnight(system.today()),
        "CreatedByUser": user.name[:_USER_WIDTH],
    }
    partner["Supplier"] = number
    given = drafts[0].values if drafts else {}
    system.add("A_Supplier", {**given, **own})
    for draft in drafts:
        for navigation in ("to_SupplierCompany", "to_SupplierPurchasingOrg"):
            for segment in draft.children(navigation):
                system.add(segment.type.set_name, {**segment.values, "Supplier": number})


def _partner(system: S4System, number: str) -> Row:
    row = system.tables["A_BusinessPartner"].get(number)
    checks = Checks()
    if row is None:
        checks.say("R11/108", f"Business partner {number} does not exist", "BusinessPartner")
    checks.raise_if_any(_CLOSING)
    if row is None:
        raise LookupError(number)
    return row


def _check_partner(system: S4System, row: Row, checks: Checks, *, exists: bool = False) -> None:
    category = row["BusinessPartnerCategory"]
    if category not in {"1", "2", "3"}:
        checks.say("R11/401", "Enter a business partner category", "BusinessPartnerCategory")
    elif category == "1":
        checks.need(row["LastName"], "Last Name", "LastName")
    else:
        checks.need(row["OrganizationBPName1"], "Name 1", "OrganizationBPName1")
    number = row["BusinessPartner"]
    if exists or not number:
        return
    if row["BusinessPartnerGrouping"] != _EXTERNAL_NUMBERS:
        text = f"Number {number} cannot be given: grouping has internal number assignment"
        checks.say("R11/134", text, "BusinessPartner")
    elif system.tables["A_BusinessPartner"].get(number) is not None:
        checks.say("R11/135", f"Business partner {number} already exists", "BusinessPartner")


def _check_role(role: Draft, checks: Checks) -> None:
    if role["BusinessPartnerRole"] not in cus.PARTNER_ROLES:
        text = f"BP role {role['BusinessPartnerRole']} does not exist"
        checks.say("R11/103", text, "BusinessPartnerRole")


def _check_address(row: Row, checks: Checks) -> None:
    if checks.need(row["Country"], "Country/Region Key", "Country") and row["Country"] not in cus.COUNTRIES:
        checks.say("AM/108", f"Country {row['Country']} is not defined", "Country")


def _check_supplier(draft: Draft, checks: Checks, *, is_supplier: bool) -> None:
    if not is_supplier:
        checks.say("CVI_API/034", "Supplier data needs a business partner role of a supplier", "to_Supplier")
    for navigation in ("to_SupplierCompany", "to_SupplierPurchasingOrg"):
        for segment in draft.children(navigation):
            _check_segment(Row(segment.type, segment.values), checks)


def _check_segment(row: Row, checks: Checks) -> None:
    if row["PaymentTerms"] and row["PaymentTerms"] not in cus.PAYMENT_TERMS:
        checks.say("F2/137", f"Terms of payment {row['PaymentTerms']} are not defined", "PaymentTerms")
    if row.type.set_name == "A_SupplierCompany":
        if row["CompanyCode"] not in cus.COMPANIES:
            checks.say("F5/165", f"Company code {row['CompanyCode']} has not been created", "CompanyCode")
        checks.need(row["ReconciliationAccount"], "Reconciliation Acct", "ReconciliationAccount")
        return
    if row["PurchasingOrganization"] not in cus.PURCHASING_ORGANIZATIONS:
        text = f"Purch. organization {row['PurchasingOrganization']} does not exist"
        checks.say("ME/028", text, "PurchasingOrganization")
    currency = row["PurchaseOrderCurrency"]
    if checks.need(currency, "Order currency", "PurchaseOrderCurrency") and currency not in cus.CURRENCIES:
        checks.say("SV/012", f"Currency {currency} is not defined", "PurchaseOrderCurrency")
