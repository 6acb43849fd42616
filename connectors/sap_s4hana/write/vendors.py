"""Suppliers: business partners with supplier roles; the supplier itself is made by SAP."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.base import Change, JsonObject, Written
from connectors.errors import BadResponse, WriteRejected
from connectors.kit.odata2 import key_path, text_literal
from connectors.sap_s4hana.client import SapClient
from connectors.sap_s4hana.forms import WriteDefaults
from connectors.sap_s4hana.write.steps import (
    Steps,
    expect,
    found,
    ignored,
    known,
    missing,
    refuse,
    refuse_ignored,
)
from db.types import ErrorCode, Problem

SERVICE: Final = "API_BUSINESS_PARTNER"
REFERENCE: Final = "BusinessPartnerIDByExtSystem"
ROLES: Final = ("FLVN00", "FLVN01")
"""Supplier in financial accounting, and in purchasing."""
_ORGANIZATION: Final = "2"
_NAME_LENGTH: Final = 40
_DEFAULTS: Final = {"BusinessPartnerGrouping": "supplierGrouping"}


async def create(client: SapClient, steps: Steps, change: Change, defaults: WriteDefaults) -> Written:
    """Create a partner with supplier roles, unless one with our reference is there already.

    SAP makes the supplier and gives both numbers.
    """
    body = create_body(change, defaults)
    before = await known(
        client, SERVICE, "A_BusinessPartner", field=REFERENCE, reference=change.reference, key="Supplier"
    )
    if before is not None:
        return found(before, change.reference)
    answer = await steps.call("POST", SERVICE, "A_BusinessPartner", body=body)
    if steps.dry:
        return Written("")
    partner = str(answer.get("BusinessPartner") or "")
    supplier = answer.get("Supplier")
    if partner and not supplier:
        # Made by an update task shortly after, in systems whose answer does not wait for it.
        made = await client.get(SERVICE, key_path("A_BusinessPartner", partner))
        supplier = made.body.get("Supplier") if made else None
    if not supplier:
        raise BadResponse(f"SAP made business partner {partner} but no supplier of it yet.")
    return Written(str(supplier))


def create_body(change: Change, defaults: WriteDefaults) -> JsonObject:
    """Make the body of a deep insert.

    Raises:
        WriteRejected: SAP needs something that neither the call nor the connection says.
    """
    values = change.values
    body: JsonObject = {
        "BusinessPartnerCategory": _ORGANIZATION,
        "BusinessPartnerGrouping": defaults.supplier_grouping,
        **_names(values.get("name") or ""),
        REFERENCE: change.reference,
        "to_BusinessPartnerRole": [{"BusinessPartnerRole": role} for role in ROLES],
        **change.source_fields,
    }
    problems = missing({"BusinessPartnerGrouping": body["BusinessPartnerGrouping"]}, where=_DEFAULTS)
    addresses = [_address(row, values, defaults) for row in (values.get("addresses") or ())[:1]]
    if not addresses or not addresses[0].get("Country"):
        told = "SAP needs an address with a country."
        problems.append(Problem(ErrorCode.BAD_USER_INPUT, told, ("addresses",)))
    if defaults.purchasing_organization and not values.get("currency"):
        told = f"SAP needs the currency in which {defaults.purchasing_organization} orders from the supplier."
        problems.append(Problem(ErrorCode.BAD_USER_INPUT, told, ("currency",)))
    if values.get("tax_id"):
        problems += missing({"BPTaxType": defaults.tax_number_category}, where={"BPTaxType": "taxNumberCategory"})
        tax = {"BPTaxType": defaults.tax_number_category, "BPTaxNumber": values["tax_id"]}
        body["to_BusinessPartnerTax"] = [tax]
    refuse(problems)
    body["to_BusinessPartnerAddress"] = addresses
    body["to_Supplier"] = _supplier(values, defaults)
    return {name: value for name, value in body.items() if value is not None}


async def update(client: SapClient, steps: Steps, change: Change) -> Written:
    """Change a supplier: its name lives on the partner, its blocks on the supplier, its terms on each organization."""
    supplier = str(change.source_id)
    options = {"$filter": f"Supplier eq {text_literal(supplier)}", "$expand": "to_Supplier/to_SupplierPurchasingOrg"}
    rows = (await client.list(SERVICE, "A_BusinessPartner", {**options, "$top": "2"}, at_most=2)).rows
    if len(rows) != 1:
        raise WriteRejected(f"SAP has no supplier {supplier}.")
    row, values = rows[0], change.values
    expect(change.expected, row.get("ETag"))
    names: list[str] = []
    partner = {**(_names(values["name"]) if values.get("name") else {}), **change.source_fields}
    if partner:
        names += await _patch(client, steps, key_path("A_BusinessPartner", str(row["BusinessPartner"])), partner)
    flags: JsonObject = {}
    if values.get("blocked_for_purchasing") is not None:
        flags["PurchasingIsBlocked"] = bool(values["blocked_for_purchasing"])
    if values.get("active") is not None:
        flags["DeletionIndicator"] = not values["active"]
    if flags:
        names += await _patch(client, steps, key_path("A_Supplier", supplier), flags)
    terms = _terms(values)
    for organization in (row.get("to_Supplier") or {}).get("to_SupplierPurchasingOrg") or () if terms else ():
        key = {"Supplier": supplier, "PurchasingOrganization": str(organization["PurchasingOrganization"])}
        names += await _patch(client, steps, key_path("A_SupplierPurchasingOrg", key), terms)
    refuse_ignored(names)
    return Written(supplier)


async def _patch(client: SapClient, steps: Steps, path: str, body: JsonObject) -> Sequence[str]:
    """Change one entity under the ETag it has now, where it has one, and name what SAP did not store."""
    present = await client.get(SERVICE, path)
    if present is None:
        raise WriteRejected(f"SAP has no {path}.")
    await steps.call("PATCH", SERVICE, path, body=body, etag=present.etag)
    if steps.dry:
        return []
    stored = await client.get(SERVICE, path)
    return ignored(body, stored.body if stored else {})


def _names(name: str) -> JsonObject:
    """Split a name over the four name fields of an organization."""
    parts = [name[start : start + _NAME_LENGTH].strip() for start in range(0, 4 * _NAME_LENGTH, _NAME_LENGTH)]
    return {f"OrganizationBPName{index}": part for index, part in enumerate(parts, start=1) if part or index <= 2}


def _address(row: Any, values: Mapping[str, Any], defaults: WriteDefaults) -> JsonObject:
    told = row if isinstance(row, Mapping) else row.model_dump(exclude_none=True)
    body: JsonObject = {
        "Country": told.get("country"),
        "Region": told.get("region"),
        "CityName": told.get("city"),
        "PostalCode": told.get("postal_code"),
        "StreetName": " ".join(told.get("lines") or ()) or None,
        "Language": defaults.language,
    }
    if values.get("email"):
        body["to_EmailAddress"] = [{"EmailAddress": values["email"], "IsDefaultEmailAddress": True}]
    if values.get("phone"):
        body["to_PhoneNumber"] = [{"PhoneNumber": values["phone"], "IsDefaultPhoneNumber": True}]
    return {name: value for name, value in body.items() if value is not None}


def _terms(values: Mapping[str, Any]) -> JsonObject:
    terms = values.get("payment_terms_source_id") or (values.get("payment_terms") or {}).get("code")
    told = {"PurchaseOrderCurrency": values.get("currency"), "PaymentTerms": terms}
    return {name: value for name, value in told.items() if value}


def _supplier(values: Mapping[str, Any], defaults: WriteDefaults) -> JsonObject:
    body: JsonObject = {}
    if defaults.purchasing_organization:
        body["to_SupplierPurchasingOrg"] = [
            {"PurchasingOrganization": defaults.purchasing_organization, **_terms(values)}
        ]
    if defaults.company_code and defaults.reconciliation_account:
        body["to_SupplierCompany"] = [
            {"CompanyCode": defaults.company_code, "ReconciliationAccount": defaults.reconciliation_account}
        ]
    return body
