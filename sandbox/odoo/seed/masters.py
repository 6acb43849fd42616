"""Demo master data: company, currencies, units, places, vendors, products and their stock."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sandbox.odoo.store import Row
from sandbox.odoo.system import OdooSystem
from sandbox.odoo.values import rounded

FIRST_VENDOR: Final = 10
UNREADABLE_CURRENCY: Final = 9
"""A currency whose name is none: what spoiled orders are in."""
_VENDORS: Final = (
    ("Demo Zulieferer {n:03d} Süd GmbH", "Musterstraße", "70173", "Stuttgart", 1),
    ("Demo Supplies {n:03d} Inc.", "Sample Street", "60601", "Chicago", 2),
    ("Demo Łożyska {n:03d} Sp. z o.o.", "Przykładowa", "30-001", "Kraków", 3),
    ("デモ部品 {n:03d} 株式会社", "見本通り", "100-0001", "東京", 4),
    ("Demo Pièces {n:03d} SARL", "Rue de l'Exemple", "69001", "Lyon", 5),
)
# Name, unit, cost.
_PRODUCTS: Final = (
    ("Ball bearing 6204", 1, 12.4),
    ("Hydraulic oil HLP 46", 3, 4.15),
    ("Dichtungsring Ø 40 x 3", 1, 0.19),
    ("Steel sheet 2 mm", 2, 1.85),
    ("Welding wire", 2, 6.7),
    ("V-belt SPA 1250", 5, 23.0),
    ("Cable 3 x 1.5 mm²", 4, 0.87),
)
_UNITS: Final = (("Units", 1, 1.0), ("kg", 2, 1.0), ("L", 3, 1.0), ("m", 4, 1.0), ("Dozens", 1, 1 / 12))
_ARCHIVED_PLACE: Final = 3
_SERVICE_EACH: Final = 6


def seed_masters(system: OdooSystem, today: date) -> None:
    """Make what an empty Odoo has, and its places."""
    stamp = _moment(today - timedelta(days=400), 0)
    for model, rows in _masters(system).items():
        for row in rows:
            system.add(model, row, stamp=stamp, note=False)
    for kind in system.models.values():
        system.add("ir.model", {"name": kind.label, "model": kind.name}, stamp=stamp, note=False)
        for one in kind.fields.values():
            values: Row = {
                "name": one.name,
                "model": kind.name,
                "field_description": one.label,
                "ttype": one.kind,
                "relation": one.relation or None,
                "required": one.required,
                "readonly": one.readonly,
                "store": one.stored,
                "state": "manual" if one.manual else "base",
            }
            system.add("ir.model.fields", values, stamp=stamp, note=False)


def seed_partners(system: OdooSystem, count: int, today: date) -> list[int]:
    """Make vendors; gives the ids of those that are not archived."""
    active = []
    for place in range(count):
        name, street, zipped, city, country = _VENDORS[place % len(_VENDORS)]
        archived = count > _ARCHIVED_PLACE and place == _ARCHIVED_PLACE
        row = system.add(
            "res.partner",
            {
                "id": FIRST_VENDOR + place,
                "name": name.format(n=place + 1),
                "ref": f"V-{1001 + place}",
                "vat": f"DE{136_695_976 + place}" if place % 5 == 0 else None,
                "is_company": True,
                "type": "contact",
                "street": f"{street} {place + 1}",
                "zip": zipped,
                "city": city,
                "country_id": country,
                "email": f"orders{place + 1}@vendor.example",
                "phone": f"+49 711 5550{place:02d}",
                "supplier_rank": 1 + place % 3,
                "customer_rank": 0,
                "property_supplier_payment_term_id": place % 4 or None,
                "active": not archived,
            },
            stamp=_moment(today - timedelta(days=30 + place * 11 % 300), place),
            note=False,
        )
        if not archived:
            active.append(row["id"])
    return active


def seed_products(system: OdooSystem, count: int, vendors: Sequence[int], today: date) -> list[int]:
    """Make products; gives the ids of those that are not archived."""
    active = []
    for place in range(count):
        name, unit, cost = _PRODUCTS[place % len(_PRODUCTS)]
        service = place % _SERVICE_EACH == _SERVICE_EACH - 1
        archived = count > _ARCHIVED_PLACE and place == _ARCHIVED_PLACE
        values: Row = {
            "name": f"{name} {place + 1}",
            "default_code": f"DP-{place + 1:04d}",
            "barcode": f"40{place + 1:011d}" if place % 3 == 0 else None,
            "active": not archived,
            "uom_id": 1 if service else unit,
            "categ_id": 1,
            "standard_price": cost,
            "lst_price": rounded(cost * 1.4, 2),
            "weight": 0.0,
            "volume": 0.0,
            "purchase_ok": True,
            "sale_ok": True,
            "tracking": "none",
            "product_tmpl_id": place + 1,
            "x_studio_hazard_class": ("", "3", "8")[place % 3] or None,
            **_kind(system.version, service=service),
        }
        if system.version < 19:
            values["uom_po_id"] = values["uom_id"]
        row = system.add(
            "product.product", values, stamp=_moment(today - timedelta(days=20 + place * 7 % 300), place), note=False
        )
        if vendors and place % 2 == 0:
            info = {"partner_id": vendors[place % len(vendors)], "product_id": row["id"], "delay": 7, "min_qty": 0.0}
            named = {"product_code": f"X-{place + 1:04d}", "price": cost, "currency_id": _company_currency(system)}
            system.add("product.supplierinfo", info | named, stamp=row["write_date"], note=False)
        if not archived:
            active.append(row["id"])
    return active


def seed_stock(system: OdooSystem, products: Sequence[int], rng: random.Random, today: date) -> None:
    """Put goods on their places; services have none."""
    for place, product in enumerate(products):
        row = system.tables["product.product"][product]
        if (row.get("detailed_type") or row.get("type")) == "service":
            continue
        for location in (8, 9) if place % 3 == 0 else (8,):
            quantity = float(rng.randint(1, 900))
            values: Row = {
                "product_id": product,
                "location_id": location,
                "company_id": 1,
                "quantity": quantity,
                "reserved_quantity": min(quantity, float(place % 4)),
                "inventory_quantity": 0.0,
                "inventory_quantity_set": False,
                "inventory_diff_quantity": 0.0,
                "in_date": _moment(today - timedelta(days=10), place).replace(microsecond=0),
            }
            system.add("stock.quant", values, stamp=_moment(today - timedelta(days=5), place), note=False)


def _masters(system: OdooSystem) -> dict[str, list[Row]]:
    euro = system.config.euro
    currencies = [("USD", "$"), ("EUR", "€"), ("JPY", "¥")]
    if euro:
        currencies[:2] = [("EUR", "€"), ("USD", "$")]
    countries = [("Germany", "DE"), ("United States", "US"), ("Poland", "PL"), ("Japan", "JP"), ("France", "FR")]
    terms = ["Immediate Payment", "15 Days", "21 Days", "30 Days"]
    incoterms = [("EXW", "EX WORKS"), ("FCA", "FREE CARRIER"), ("DAP", "DELIVERED AT PLACE")]
    precisions = [("Product Price", system.options.price_digits), (_unit_usage(system), 2), ("Discount", 2)]
    return {
        "res.currency": [
            *(_currency(n + 1, name, symbol) for n, (name, symbol) in enumerate(currencies)),
            _currency(UNREADABLE_CURRENCY, "?????", "?") | {"active": False},
        ],
        "res.country": [{"name": name, "code": code} for name, code in countries],
        "account.payment.term": [{"name": name, "active": True} for name in terms],
        "account.incoterms": [{"code": code, "name": name, "active": True} for code, name in incoterms],
        "account.tax": [_tax("15% S", "sale"), _tax("15%", "purchase")],
        "decimal.precision": [{"name": name, "digits": digits} for name, digits in precisions],
        "res.company": [{"name": "My Company", "partner_id": 1, "currency_id": 1, "country_id": 1 if euro else 2}],
        "res.partner": _own_partners(system),
        "res.users": [
            {"id": u.uid, "name": u.name, "login": u.login, "partner_id": u.uid + 1, "company_id": 1,
             "company_ids": [1], "active": True, "tz": "Europe/Berlin"}
            for u in system.config.users.values()
        ],
        **_unit_categories(system),
        "uom.uom": [_unit(system, n) for n in range(len(_UNITS))],
        "product.category": [{"name": "All", "complete_name": "All"}],
        **_places(),
    }  # fmt: skip


def _unit_categories(system: OdooSystem) -> dict[str, list[Row]]:
    names = ("Unit", "Weight", "Volume", "Length / Distance")
    return {"uom.category": [{"name": name} for name in names]} if "uom.category" in system.models else {}


def _places() -> dict[str, list[Row]]:
    def place(number: int, name: str, full: str, usage: str, parent: int | None, house: int | None) -> Row:
        above: Row = {"location_id": parent, "warehouse_id": house, "company_id": 1 if house else None}
        return {"id": number, "name": name, "complete_name": full, "usage": usage, "active": True} | above

    return {
        "stock.location": [
            place(1, "Physical Locations", "Physical Locations", "view", None, None),
            place(4, "Vendors", "Partners/Vendors", "supplier", None, None),
            place(5, "Customers", "Partners/Customers", "customer", None, None),
            place(7, "WH", "WH", "view", 1, 1),
            place(8, "Stock", "WH/Stock", "internal", 7, 1),
            place(9, "Shelf A", "WH/Stock/Shelf A", "internal", 8, 1),
            place(14, "Inventory adjustment", "Virtual Locations/Inventory adjustment", "inventory", None, None),
        ],
        "stock.warehouse": [
            {
                "name": "My Company",
                "code": "WH",
                "company_id": 1,
                "view_location_id": 7,
                "lot_stock_id": 8,
                "in_type_id": 1,
                "active": True,
            }
        ],
        "stock.picking.type": [
            {"name": "Receipts", "code": "incoming", "warehouse_id": 1, "default_location_dest_id": 8,
             "company_id": 1, "active": True},
        ],
    }  # fmt: skip


def _own_partners(system: OdooSystem) -> list[Row]:
    own: Row = {"supplier_rank": 0, "customer_rank": 0, "active": True, "type": "contact"}
    company: Row = {"id": 1, "name": "My Company", "is_company": True, **own}
    users = [
        {"id": user.uid + 1, "name": user.name, "is_company": False, **own} for user in system.config.users.values()
    ]
    return [company, *users]


def _unit(system: OdooSystem, place: int) -> Row:
    name, category, factor = _UNITS[place]
    row: Row = {"name": name, "rounding": 0.01, "active": True}
    if system.version >= 19:
        base = place + 1 if factor == 1 else 1
        return row | {
            "relative_factor": 1 / factor,
            "relative_uom_id": None if factor == 1 else base,
            "factor": 1 / factor,
        }
    kind = "reference" if factor == 1 else "bigger"
    return row | {"category_id": category, "factor": factor, "factor_inv": 1 / factor, "uom_type": kind}


def _unit_usage(system: OdooSystem) -> str:
    return "Product Unit of Measure" if system.version < 19 else "Product Unit"


def _kind(version: int, *, service: bool) -> Row:
    if version >= 18:
        return {"type": "service" if service else "consu", "is_storable": not service}
    kind = "service" if service else "product"
    return {"detailed_type": kind, "type": kind}


def _currency(number: int, name: str, symbol: str) -> Row:
    places = 0 if name == "JPY" else 2
    return {
        "id": number,
        "name": name,
        "symbol": symbol,
        "rounding": 10**-places,
        "decimal_places": places,
        "active": True,
    }


def _tax(name: str, use: str) -> Row:
    return {"name": name, "amount": 15.0, "type_tax_use": use, "active": True}


def _company_currency(system: OdooSystem) -> int:
    number: int = system.tables["res.company"][1]["currency_id"]
    return number


def _moment(day: date, place: int) -> datetime:
    inside: dict[str, Any] = {"hour": 8 + place % 9, "minute": place * 7 % 60, "second": place * 13 % 60}
    return datetime.combine(day, time(**inside, microsecond=place * 7919 % 1_000_000), UTC)
