"""Vendors: A_BusinessPartner with its A_Supplier, addresses, tax numbers and purchasing organizations."""

from collections.abc import Sequence
from typing import Any, Final

from connectors.mapping import EntityMapping, To
from connectors.sap_s4hana import values as v
from db.models.parties.vendor import VendorFields

Rows = Sequence[v.Row] | None


def addresses(rows: Rows) -> list[dict[str, Any]]:
    """Make addresses; partners without any have none."""
    return [found for row in rows or () if (found := v.address("", row))]


def email(rows: Rows) -> str | None:
    """Give the first address's default e-mail, else the first of any."""
    return _contact(rows, "to_EmailAddress", "EmailAddress", "IsDefaultEmailAddress")


def phone(rows: Rows) -> str | None:
    """Give the first address's default telephone number, else the first of any."""
    international = _contact(rows, "to_PhoneNumber", "InternationalPhoneNumber", "IsDefaultPhoneNumber")
    return international or _contact(rows, "to_PhoneNumber", "PhoneNumber", "IsDefaultPhoneNumber")


def _contact(rows: Rows, path: str, name: str, default: str) -> str | None:
    told = [one for row in rows or () for one in row.get(path) or () if one.get(name)]
    chosen = next((one for one in told if one.get(default)), told[0] if told else None)
    return v.text(chosen[name]) if chosen else None


def tax_id(vat: Any, numbers: Rows) -> str | None:
    """Give the VAT registration, else the first tax number."""
    return v.text(vat) or next(
        (v.text(row.get("BPTaxNumber")) for row in numbers or () if row.get("BPTaxNumber")), None
    )


def currency(rows: Rows) -> str | None:
    """Give the order currency that all purchasing organizations share."""
    return _shared(rows, "PurchaseOrderCurrency")


def payment_terms(rows: Rows) -> dict[str, Any] | None:
    """Give the payment terms that all purchasing organizations share."""
    return v.coded(_shared(rows, "PaymentTerms"))


def _shared(rows: Rows, name: str) -> str | None:
    told = {v.text(row.get(name)) for row in rows or () if not row.get("DeletionIndicator")} - {None}
    return told.pop() if len(told) == 1 else None


def active(deleted: Any, archived: Any) -> bool:
    """Tell whether neither supplier nor partner is marked to go."""
    return not deleted and not archived


def blocked(purchasing: Any, central: Any) -> bool:
    """Tell whether purchasing, or everything, is blocked."""
    return bool(purchasing or central)


VENDOR: Final = EntityMapping(
    VendorFields,
    (
        To("number", "Supplier", v.text),
        To("name", "BusinessPartnerFullName", v.text),
        To("tax_id", ("to_Supplier/VATRegistration", "to_BusinessPartnerTax"), tax_id),
        To("email", "to_BusinessPartnerAddress", email),
        To("phone", "to_BusinessPartnerAddress", phone),
        To("addresses", "to_BusinessPartnerAddress", addresses),
        To("currency", "to_Supplier/to_SupplierPurchasingOrg", currency),
        To("payment_terms", "to_Supplier/to_SupplierPurchasingOrg", payment_terms),
        To("active", ("to_Supplier/DeletionIndicator", "IsMarkedForArchiving"), active),
        To("blocked_for_purchasing", ("to_Supplier/PurchasingIsBlocked", "BusinessPartnerIsBlocked"), blocked),
    ),
)
