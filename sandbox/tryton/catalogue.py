"""What the demo company knows before it orders anything: vendors and products, all generic and made up.

Pure data and arithmetic: the same in each build, so that tests can name a vendor, an item or an order by its code.
"""

from dataclasses import dataclass
from decimal import Decimal

PARTY_COUNT = 20
PRODUCT_COUNT = 30

# Kept out of the accounting category: Tryton confirms orders for it but cannot process them (state "confirmed").
UNACCOUNTED_PRODUCT_CODE = "ITEM-030"

_FORMS = (
    "Demo Vendor {n:02d} GmbH",
    "Demo Łożyska {n:02d} Sp. z o.o.",
    "Demo Pièces {n:02d} SARL",
    "デモ商事 {n:02d}",
    "Demo Supplies {n:02d} Inc.",
)
# (street, postal code, city, ISO country code), in the order of _FORMS.
_PLACES = (
    ("Musterstraße", "10115", "Berlin", "DE"),
    ("ul. Przykładowa", "00-001", "Łódź", "PL"),
    ("rue de l'Exemple", "75001", "Paris", "FR"),
    ("例町", "100-0001", "東京", "JP"),
    ("Example Street", "10001", "New York", "US"),
)
# (name, unit symbol, digits a quantity may have)
_KINDS = (
    ("Hex bolt", "u", 0),
    ("Steel rod", "m", 2),
    ("Bearing grease", "kg", 2),
    ("Roller bearing", "u", 0),
    ("Control cable", "m", 2),
    ("Gasket, Größe M", "u", 0),
)

COUNTRIES = (("Germany", "DE"), ("Poland", "PL"), ("France", "FR"), ("Japan", "JP"), ("United States", "US"))


@dataclass(frozen=True, slots=True)
class Party:
    """A vendor, as the seed writes it."""

    code: str
    name: str
    street: str
    postal_code: str
    city: str
    country: str
    email: str


@dataclass(frozen=True, slots=True)
class Product:
    """A purchasable item; `price` is in euros per `unit`, `digits` is how finely the unit divides."""

    code: str
    name: str
    unit: str
    digits: int
    price: Decimal


def parties() -> list[Party]:
    """Return the vendors V-001 to V-020; one in five has a name outside Latin script."""
    return [_party(number) for number in range(1, PARTY_COUNT + 1)]


def products() -> list[Product]:
    """Return the products ITEM-001 to ITEM-030 with prices of four digits, such as 0.2037."""
    return [_product(number) for number in range(1, PRODUCT_COUNT + 1)]


def _party(number: int) -> Party:
    kind = number % len(_FORMS)
    street, postal_code, city, country = _PLACES[kind]
    return Party(
        code=f"V-{number:03d}",
        name=_FORMS[kind].format(n=number),
        street=f"{street} {number}",
        postal_code=postal_code,
        city=city,
        country=country,
        email=f"orders-{number:03d}@vendor.example",
    )


def _product(number: int) -> Product:
    name, unit, digits = _KINDS[number % len(_KINDS)]
    return Product(
        code=f"ITEM-{number:03d}",
        name=f"{name} {number:02d}",
        unit=unit,
        digits=digits,
        # Steps by a number coprime to 10 000, so that the fourth digit is seldom zero.
        price=Decimal((number * 7919) % 99991 + 1037).scaleb(-4),
    )
