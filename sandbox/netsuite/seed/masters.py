"""Demo subsidiaries, locations, currencies, vendors, items and stock."""

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sandbox.netsuite.editor import UNREADABLE
from sandbox.netsuite.schema import STATUSES
from sandbox.netsuite.store import Row
from sandbox.netsuite.suiteql.functions import stored
from sandbox.netsuite.system import NetSuite

SUBSIDIARIES: Final = ((1, "Demo Holding", 1, "US"), (2, "Demo Europe", 2, "DE"))
LOCATIONS: Final = ((1, "Main Warehouse", 1, None), (2, "Spare Parts", 1, 1), (3, "Lager Süd", 2, None))
_CURRENCIES: Final = (
    (1, "USD", "US Dollar"),
    (2, "EUR", "Euro"),
    (3, "JPY", "日本円"),
    (UNREADABLE, "?????", "?????"),
)
_TERMS: Final = ((1, "Net 30", 30), (2, "Net 60", 60), (3, "1% 10 Net 30", 30))
# Units type: number, name, units as (number, name, abbreviation, how many base units).
_CLASSES: Final = ((1, "Fasteners"), (2, "Bearings"))
_UNITS: Final = (
    (1, "Each", ((1, "Each", "EA", 1.0), (2, "Box of 12", "BX", 12.0))),
    (2, "Weight", ((3, "Kilogram", "KG", 1.0), (4, "Pound", "LB", 0.45359237))),
    (3, "Volume", ((5, "Liter", "L", 1.0),)),
    (4, "Length", ((6, "Meter", "M", 1.0),)),
)
# Text, units type, base unit, price.
ITEMS: Final = (
    ("Ball bearing 6204", 1, 1, 12.4),
    ("Hydraulic oil HLP 46", 3, 5, 4.15),
    ("Dichtungsring Ø 40 x 3", 1, 1, 0.195),
    ("Steel sheet 2 mm", 2, 3, 1.85),
    ("Welding wire", 2, 3, 6.7),
    ("V-belt SPA 1250", 1, 1, 23.0),
    ("Cable 3 x 1.5 mm²", 4, 6, 0.8725),
)
_FORMS: Final = (
    ("Demo Zulieferer {n:03d} Süd GmbH", "Musterstraße", "70173", "Stuttgart", "", "DE"),
    ("Demo Supplies {n:03d} Inc.", "Sample Street", "60601", "Chicago", "IL", "US"),
    ("Demo Łożyska {n:03d} Sp. z o.o.", "Przykładowa", "30-001", "Kraków", "", "PL"),
    ("デモ部品 {n:03d} 株式会社", "見本通り", "100-0001", "東京", "", "JP"),
    ("Demo Pièces {n:03d} SARL", "Rue de l'Exemple", "69001", "Lyon", "", "FR"),
)
_CUSTOM: Final = (
    ("CUSTBODY_PROJECT_CODE", "Project Code", "BODY", "Free-Form Text", -30),
    ("CUSTBODY_CONFIRMED", "Confirmed by Vendor", "BODY", "Check Box", -30),
    ("CUSTBODY_NEED_BY", "Need By", "BODY", "Date", -30),
    ("CUSTCOL_GRADE", "Grade", "COLUMN", "Free-Form Text", -30),
    ("CUSTCOL_WEIGHT", "Weight", "COLUMN", "Decimal Number", -30),
    ("CUSTENTITY_RATING", "Rating", "ENTITY", "Free-Form Text", -9),
    ("CUSTITEM_MATERIAL", "Material", "ITEM", "Free-Form Text", -10),
)
ITEM_TYPES: Final = ("InvtPart", "InvtPart", "InvtPart", "NonInvtPart", "InvtPart", "Service")


def seed_customizing(system: NetSuite) -> None:
    """Make what an administrator sets up."""
    store, old = system.store, system.stamped(datetime(2024, 1, 15, 9, 30, tzinfo=UTC))
    utc = {"_modified": old["_modified"]}
    store.fill(
        "currency",
        (
            {"id": n, "symbol": s, "name": name, "exchangerate": 1.0, "isbasecurrency": "T" if n == 1 else "F",
             "isinactive": "F", **old}
            for n, s, name in _CURRENCIES
        ),
    )  # fmt: skip
    store.fill("term", ({"id": n, "name": t, "daysuntilnetdue": d, "isinactive": "F", **utc} for n, t, d in _TERMS))
    store.fill(
        "subsidiary",
        (
            {"id": n, "name": name, "fullname": name, "currency": c, "country": country,
             "parent": None if n == 1 else 1, "isinactive": "F", "iselimination": "F", **old}
            for n, name, c, country in SUBSIDIARIES
        ),
    )  # fmt: skip
    store.fill(
        "location",
        (
            {"id": n, "name": name, "fullname": name, "isinactive": "F", "subsidiary": s, "parent": parent,
             "makeinventoryavailable": "T", **old}
            for n, name, s, parent in LOCATIONS
        ),
    )  # fmt: skip
    store.fill(
        "classification", ({"id": n, "name": name, "fullname": name, "isinactive": "F", **utc} for n, name in _CLASSES)
    )
    store.fill("unitstype", ({"id": n, "name": name, "isinactive": "F", **utc} for n, name, _ in _UNITS))
    store.fill("unitstypeuom", (_unit(kind, unit) for kind, _, units in _UNITS for unit in units))
    store.fill(
        "account",
        [
            {"id": 58, "acctnumber": "5100", "accountsearchdisplayname": "5100 Inventory Adjustments",
             "fullname": "Inventory Adjustments", "accttype": "COGS", "isinactive": "F", **utc},
        ],
    )  # fmt: skip
    store.fill(
        "employee", [{"id": 1, "entityid": "Demo Buyer", "email": "buyer@example.com", "isinactive": "F", **utc}]
    )
    store.fill(
        "transactionstatus",
        (
            {"id": letter, "trantype": "PurchOrd", "name": name, "fullname": f"Purchase Order : {name}"}
            for letter, name in STATUSES.items()
        ),
    )
    store.fill(
        "customfield",
        (
            {"internalid": n, "scriptid": script, "name": name, "fieldtype": kind, "fieldvaluetype": value,
             "recordtype": record, "isinactive": "F"}
            for n, (script, name, kind, value, record) in enumerate(_CUSTOM, 1)
        ),
    )  # fmt: skip
    store.fill("dual", [{"dummy": "X"}])


def seed_vendors(system: NetSuite, count: int, today: date) -> None:
    """Make vendors, each with an address, in one subsidiary or both; every eleventh is inactive."""
    store = system.store
    store.fill("vendor", (_vendor(system, n, today) for n in range(1, count + 1)))
    store.fill("entityaddress", (_address(n) for n in range(1, count + 1)))
    store.fill(
        "vendoraddressbook",
        (
            {"internalid": n, "entity": n, "addressbookaddress": n, "label": "Head office", "defaultbilling": "T",
             "defaultshipping": "T"}
            for n in range(1, count + 1)
        ),
    )  # fmt: skip
    links = ((n, s) for n in range(1, count + 1) for s in ((1, 2) if n % 4 == 1 else (subsidiary_of(n),)))
    store.fill(
        "vendorsubsidiaryrelationship",
        (
            {"id": place, "entity": n, "subsidiary": s, "isprimarysub": "T" if s == subsidiary_of(n) else "F",
             "balance": 0.0}
            for place, (n, s) in enumerate(links, 1)
        ),
    )  # fmt: skip


def seed_items(system: NetSuite, count: int, today: date) -> None:
    """Make items of several types; every fiftieth is inactive."""
    system.store.fill("item", (_item(system, n, today) for n in range(1, count + 1)))


def seed_stock(system: NetSuite, count: int, rng_seed: int) -> None:
    """Give inventory items stock at each location."""
    rng = random.Random(rng_seed)
    system.store.fill(
        "inventoryitemlocations",
        (
            {"item": n, "location": location, "quantityonhand": (hand := rng.randint(0, 50_000) / 10),
             "quantityavailable": max(0.0, hand - 5), "quantityonorder": float(rng.randint(0, 90)),
             "quantitycommitted": min(5.0, hand), "quantitybackordered": 0.0, "averagecostmli": ITEMS[n % 7][3]}
            for n in range(1, count + 1)
            for location, _, _, _ in LOCATIONS
            if item_type(n) == "InvtPart" and (n + location) % 3
        ),
    )  # fmt: skip


def subsidiary_of(vendor: int) -> int:
    """Tell a vendor's primary subsidiary."""
    return 2 if vendor % 5 in {1, 3} else 1


def item_type(n: int) -> str:
    """Tell an item's type."""
    return ITEM_TYPES[n % len(ITEM_TYPES)]


def _unit(kind: int, unit: tuple[int, str, str, float]) -> Row:
    number, name, short, rate = unit
    return {
        "unitstype": kind,
        "internalid": number,
        "unitname": name,
        "pluralname": f"{name}s",
        "abbreviation": short,
        "pluralabbreviation": short,
        "conversionrate": rate,
        "baseunit": "T" if rate == 1.0 else "F",
    }


def _vendor(system: NetSuite, n: int, today: date) -> dict[str, Any]:
    name, _, _, _, _, country = _FORMS[(n - 1) % len(_FORMS)]
    moment = _moment(today - timedelta(days=30 + n * 11 % 400), n)
    return {
        "id": n,
        "entityid": f"V{n:05d}",
        "companyname": name.format(n=n),
        "legalname": name.format(n=n),
        "isperson": "F",
        "email": f"orders{n:03d}@supplier.example",
        "phone": f"555-0{n % 900 + 100}",
        "currency": 1 if subsidiary_of(n) == 1 else 2,
        "terms": n % 3 + 1,
        "subsidiary": subsidiary_of(n),
        "isinactive": "T" if n % 11 == 0 else "F",
        "vatregnumber": f"{country}{n:09d}",
        "balance": 0.0,
        "defaultbillingaddress": n,
        "defaultshippingaddress": n,
        "datecreated": stored(system.local(moment - timedelta(days=200))),
        "custentity_rating": "ABC"[n % 3],
        **system.stamped(moment),
    }


def _address(n: int) -> Row:
    name, street, postal, city, state, country = _FORMS[(n - 1) % len(_FORMS)]
    return {
        "nkey": n,
        "addressee": name.format(n=n),
        "addr1": f"{street} {n}",
        "city": city,
        "state": state or None,
        "zip": postal,
        "country": country,
    }


def _item(system: NetSuite, n: int, today: date) -> Row:
    text, kind, unit, price = ITEMS[(n - 1) % len(ITEMS)]
    moment = _moment(today - timedelta(days=20 + n * 7 % 300), n)
    return {
        "id": n,
        "itemid": f"ITM-{n:05d}",
        "fullname": f"ITM-{n:05d}",
        "displayname": f"{text} {n}",
        "description": f"{text} {n}",
        "purchasedescription": f"{text} {n}",
        "itemtype": item_type(n),
        "isinactive": "T" if n % 50 == 0 else "F",
        "unitstype": kind,
        "stockunit": unit,
        "purchaseunit": unit,
        "saleunit": unit,
        "upccode": f"400638133{n:04d}"[:13],
        "class": 1 + n % 2 if n % 5 else None,
        "cost": price,
        "averagecost": price,
        "lastpurchaseprice": price,
        "islotitem": "F",
        "isserialitem": "F",
        "subsidiary": 1,
        "createddate": stored(system.local(moment - timedelta(days=500))),
        "custitem_material": "steel" if n % 2 else None,
        **system.stamped(moment),
    }


def _moment(day: date, place: int) -> datetime:
    return datetime.combine(day, time(8 + place % 9, place * 7 % 60, place * 13 % 60), UTC)
