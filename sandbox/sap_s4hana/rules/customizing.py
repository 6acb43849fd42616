"""Customizing of the demo client: organisation, units, currencies, codes. Made up, in the vendor's usual ranges."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Company:
    """A company code with its currency, country, plants and the storage locations of each plant."""

    code: str
    currency: str
    country: str
    plants: Mapping[str, tuple[str, ...]]


COMPANIES: Mapping[str, Company] = {
    company.code: company
    for company in (
        Company("1010", "EUR", "DE", {"1010": ("101A", "101B"), "1020": ("102A",)}),
        Company("1710", "USD", "US", {"1710": ("171A", "171C")}),
        Company("3110", "JPY", "JP", {"3110": ("311A",)}),
    )
}
PLANT_COMPANY: Mapping[str, str] = {plant: one.code for one in COMPANIES.values() for plant in one.plants}
STORAGE_LOCATIONS: Mapping[str, tuple[str, ...]] = {
    plant: locations for one in COMPANIES.values() for plant, locations in one.plants.items()
}
# Each company buys through the purchasing organization of the same number.
PURCHASING_ORGANIZATIONS = frozenset(COMPANIES)
PURCHASING_GROUPS = ("001", "002", "003")
ORDER_TYPES = frozenset({"NB", "FO"})
ACCOUNT_CATEGORIES = frozenset({"", "F", "K", "P"})
TAX_CODES = frozenset({"", "I0", "I1", "U1", "V0", "V1"})
# Digits behind the point that an amount in this currency can hold.
CURRENCIES: Mapping[str, int] = {"EUR": 2, "USD": 2, "GBP": 2, "CHF": 2, "JPY": 0}
UNITS = frozenset({"PC", "EA", "KG", "G", "TO", "M", "M2", "L", "BOX", "H", "DAY", "AU"})
# Code: net days, days and percent of the first cash discount.
PAYMENT_TERMS: Mapping[str, tuple[int, int, str]] = {
    "0001": (0, 0, "0"),
    "0002": (30, 14, "2.000"),
    "NT30": (30, 0, "0"),
    "NT60": (60, 0, "0"),
}
INCOTERMS = frozenset({"", "DAP", "DDP", "EXW", "FCA", "FOB"})
SUPPLIER_ROLES = frozenset({"FLVN00", "FLVN01"})
PARTNER_ROLES = SUPPLIER_ROLES | {"000000", "BUP001", "FLCU00", "FLCU01"}
COUNTRIES = frozenset({"AT", "CH", "CN", "CZ", "DE", "DK", "ES", "FR", "GB", "IT", "JP", "NL", "PL", "SE", "US"})
MAINTENANCE_TYPES = frozenset({"PM01", "PM02", "YA01", "YA02"})
PRIORITIES = frozenset({"", "1", "2", "3", "4"})
