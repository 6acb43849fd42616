"""Demo business partners with their supplier segments, demo products, and their stock."""

import random
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sandbox.sap_s4hana.rules import customizing as cus
from sandbox.sap_s4hana.rules.goods import BLOCKED, QUALITY, UNRESTRICTED, stock_key
from sandbox.sap_s4hana.store import Row
from sandbox.sap_s4hana.system import S4System, clock_time, midnight

USER = "CB9980000001"
# Name, street, postal code, city, region, country.
_FORMS = (
    ("Demo Zulieferer {n:03d} Süd GmbH", "Musterstraße", "70173", "Stuttgart", "BW", "DE"),
    ("Demo Supplies {n:03d} Inc.", "Sample Street", "60601", "Chicago", "IL", "US"),
    ("Demo Łożyska {n:03d} Sp. z o.o.", "Przykładowa", "30-001", "Kraków", "", "PL"),
    ("デモ部品 {n:03d} 株式会社", "見本通り", "100-0001", "東京", "", "JP"),
    ("Demo Pièces {n:03d} SARL", "Rue de l'Exemple", "69001", "Lyon", "", "FR"),
)
_TERMS = ("0001", "0002", "NT30", "NT60")
_BLOCKED_PLACE, _DELETED_PLACE = 2, 3
# Text, base unit, price of one unit.
_PRODUCTS = (
    ("Ball bearing 6204", "PC", "12.40"),
    ("Hydraulic oil HLP 46", "L", "4.15"),
    ("Dichtungsring Ø 40 x 3", "PC", "0.19"),
    ("Steel sheet 2 mm", "KG", "1.85"),
    ("Welding wire", "KG", "6.70"),
    ("V-belt SPA 1250", "EA", "23.00"),
    ("Cable 3 x 1.5 mm²", "M", "0.87"),
)


def seed_suppliers(system: S4System, count: int, today: date) -> None:
    """Make suppliers with address, contact data, company code and purchasing data."""
    for place in range(count):
        name, street, postal, city, region, country = _FORMS[place % len(_FORMS)]
        number, address = system.number("business_partner"), system.number("address")
        name = name.format(n=place + 1)
        moment = _moment(today - timedelta(days=30 + place * 11 % 400), place)
        _partner(system, number, name, moment)
        system.add(
            "A_BusinessPartnerAddress",
            {
                "BusinessPartner": number,
                "AddressID": address,
                "AddressUUID": str(uuid.uuid5(uuid.NAMESPACE_OID, address)),
                "ValidityStartDate": moment,
                "ValidityEndDate": datetime(9999, 12, 31, tzinfo=UTC),
                "StreetName": street,
                "HouseNumber": str(place + 1),
                "PostalCode": postal,
                "CityName": city,
                "Region": region,
                "Country": country,
                "Language": "EN",
                "FullName": name,
            },
            bulk=True,
        )
        contact = {"AddressID": address, "OrdinalNumber": "1"}
        mail = f"orders{place + 1:03d}@supplier.example"
        system.add("A_AddressEmailAddress", {**contact, "EmailAddress": mail, "IsDefaultEmailAddress": True}, bulk=True)
        phone = {"PhoneNumber": f"555-0{place % 900 + 100}", "PhoneNumberType": "1", "IsDefaultPhoneNumber": True}
        system.add("A_AddressPhoneNumber", {**contact, **phone, "DestinationLocationCountry": country}, bulk=True)
        _supplier(system, number, name, place, moment)


def seed_products(system: S4System, count: int, today: date) -> None:
    """Make products with descriptions in one or two languages and data in two or all plants."""
    for place in range(count):
        text, unit, _ = _PRODUCTS[place % len(_PRODUCTS)]
        code = f"TG{place + 1:05d}"
        moment = _moment(today - timedelta(days=20 + place * 7 % 300), place)
        system.add(
            "A_Product",
            {
                "Product": code,
                "ProductType": "ROH" if unit == "KG" else "HIBE",
                "CreationDate": midnight(today - timedelta(days=500)),
                "CreatedByUser": USER,
                "LastChangeDate": midnight(moment.date()),
                "LastChangeDateTime": moment,
                "LastChangedByUser": USER,
                "IsMarkedForDeletion": place > 0 and place % 50 == 0,
                "BaseUnit": unit,
                "ProductGroup": "L001",
                "IndustrySector": "M",
                "GrossWeight": Decimal("1.250"),
                "NetWeight": Decimal("1.200"),
                "WeightUnit": "KG",
                "ProductStandardID": f"400638133{place:04d}"[:13],
            },
            bulk=True,
        )
        languages = ("EN", "DE") if place % 2 else ("EN",)
        for language in languages:
            description = {"Language": language, "ProductDescription": f"{text} {place + 1}"}
            system.add("A_ProductDescription", {"Product": code, **description}, bulk=True)
        for plant in plants_of(place):
            values = {"Plant": plant, "BaseUnit": unit, "PurchasingGroup": "001", "MRPType": "ND"}
            system.add("A_ProductPlant", {"Product": code, **values}, bulk=True)


def seed_stock(system: S4System, count: int, rng: random.Random) -> None:
    """Give the first products stock in each of their plants."""
    table = system.tables["A_MatlStkInAcctMod"]
    for place in range(min(count, len(system.tables["A_Product"]))):
        _, unit, _ = _PRODUCTS[place % len(_PRODUCTS)]
        code = f"TG{place + 1:05d}"
        for plant in plants_of(place):
            for position, location in enumerate(cus.STORAGE_LOCATIONS[plant]):
                kinds = (UNRESTRICTED, QUALITY, BLOCKED)[: 1 + (place + position) % 3]
                for kind in kinds:
                    quantity = Decimal(rng.randint(1, 500_000)) / (1000 if unit in {"KG", "L", "M"} else 1)
                    key = dict(zip(table.type.key, stock_key(code, plant, location, kind), strict=True))
                    amount = {"MaterialBaseUnit": unit, "MatlWrhsStkQtyInMatlBaseUnit": quantity}
                    table.add({**key, **amount}, bulk=True)


def plants_of(place: int) -> tuple[str, ...]:
    """Tell the plants of the product at this place: the first plant of each company, sometimes the second of 1010."""
    return ("1010", "1710", "3110", "1020") if place % 3 == 0 else ("1010", "1710", "3110")


def price_of(product: Row) -> Decimal:
    """Tell what one base unit of a demo product costs."""
    return Decimal(_PRODUCTS[(int(product["Product"][2:]) - 1) % len(_PRODUCTS)][2])


def _partner(system: S4System, number: str, name: str, moment: datetime) -> None:
    values = {
        "BusinessPartner": number,
        "Supplier": number,
        "BusinessPartnerCategory": "2",
        "BusinessPartnerFullName": name,
        "BusinessPartnerName": name,
        "BusinessPartnerGrouping": "BP02",
        "BusinessPartnerUUID": str(uuid.uuid5(uuid.NAMESPACE_OID, number)),
        "OrganizationBPName1": name,
        "SearchTerm1": f"DEMO{number[-3:]}",
        "Language": "EN",
        "CreatedByUser": USER,
        "CreationDate": midnight(moment.date() - timedelta(days=200)),
        "CreationTime": "PT09H00M00S",
        "LastChangeDate": midnight(moment.date()),
        "LastChangeTime": clock_time(moment),
        "LastChangedByUser": USER,
        "ETag": f"{USER:<12}{moment:%Y%m%d%H%M%S}",
    }
    if system.config.custom_fields:
        values["YY1_SupplierRating_bus"] = "ABC"[int(number) % 3]
    system.add("A_BusinessPartner", values, bulk=True)
    for role in ("FLVN00", "FLVN01"):
        system.add("A_BusinessPartnerRole", {"BusinessPartner": number, "BusinessPartnerRole": role}, bulk=True)
    tax = {"BPTaxType": "DE0", "BPTaxNumber": f"DE{int(number) % 10**9:09d}"}
    system.add("A_BusinessPartnerTaxNumber", {"BusinessPartner": number, **tax}, bulk=True)


def _supplier(system: S4System, number: str, name: str, place: int, moment: datetime) -> None:
    values = {
        "Supplier": number,
        "SupplierName": name,
        "SupplierFullName": name,
        "SupplierAccountGroup": "SUPL",
        "VATRegistration": f"DE{int(number) % 10**9:09d}",
        "CreatedByUser": USER,
        "CreationDate": midnight(moment.date() - timedelta(days=200)),
        "PurchasingIsBlocked": place == _BLOCKED_PLACE,
        "DeletionIndicator": place == _DELETED_PLACE,
    }
    system.add("A_Supplier", values, bulk=True)
    for company in cus.COMPANIES.values():
        terms = _TERMS[place % len(_TERMS)]
        own = {"CompanyCode": company.code, "ReconciliationAccount": "21100000", "PaymentTerms": terms}
        system.add("A_SupplierCompany", {"Supplier": number, **own}, bulk=True)
        segment = {
            "PurchasingOrganization": company.code,
            "PurchaseOrderCurrency": company.currency,
            "PaymentTerms": terms,
            "PurchasingGroup": cus.PURCHASING_GROUPS[place % len(cus.PURCHASING_GROUPS)],
            "MaterialPlannedDeliveryDurn": Decimal(7),
        }
        system.add("A_SupplierPurchasingOrg", {"Supplier": number, **segment}, bulk=True)


def _moment(day: date, place: int) -> datetime:
    return datetime.combine(day, time(8 + place % 9, place * 7 % 60, place * 13 % 60), UTC)
