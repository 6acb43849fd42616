"""The purchase orders of the demo company as plain data, made by arithmetic so that each build yields the same ones."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from sandbox.tryton.catalogue import PARTY_COUNT, UNACCOUNTED_PRODUCT_CODE, Product

ORDER_COUNT = 200
OLDEST_ORDER_DAYS = 45

Fate = Literal[
    "draft",
    "quotation",
    "cancelled_draft",
    "cancelled_quotation",
    "confirmed",
    "waiting",
    "partly_received",
    "received",
    "done",
]

# What becomes of twenty orders in a row; each fate turns up in each part of the period.
_FATES: tuple[Fate, ...] = (
    "waiting",
    "draft",
    "partly_received",
    "waiting",
    "quotation",
    "received",
    "waiting",
    "cancelled_draft",
    "waiting",
    "draft",
    "partly_received",
    "confirmed",
    "waiting",
    "quotation",
    "received",
    "done",
    "waiting",
    "cancelled_quotation",
    "draft",
    "partly_received",
)


@dataclass(frozen=True, slots=True)
class Line:
    """An order line; `product_code` None makes it a comment, which has text only."""

    product_code: str | None
    description: str | None
    unit: str | None = None
    quantity: float | None = None
    unit_price: Decimal | None = None
    delivery_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A purchase order and the state it is to reach; `term` counts into the payment terms, None is without."""

    reference: str
    fate: Fate
    party_code: str
    currency: str
    purchase_on: dt.date
    term: int | None
    description: str | None
    lines: tuple[Line, ...]


def orders(products: list[Product], *, anchor: dt.date, terms: int) -> list[Order]:
    """Return ORDER_COUNT orders, oldest first, from OLDEST_ORDER_DAYS before `anchor` to `anchor` itself."""
    return [_order(number, products, anchor=anchor, terms=terms) for number in range(1, ORDER_COUNT + 1)]


def _order(number: int, products: list[Product], *, anchor: dt.date, terms: int) -> Order:
    fate = _FATES[number % len(_FATES)]
    days_back = OLDEST_ORDER_DAYS * (ORDER_COUNT - number) // (ORDER_COUNT - 1)
    purchase_on = anchor - dt.timedelta(days=days_back)
    foreign = number % 6 == 0
    lines = [
        _line(number, place, products, purchase_on=purchase_on, foreign=foreign, fate=fate)
        for place in range(1 + number % 5)
    ]
    if number % 7 == 0:
        lines.append(Line(product_code=None, description="Deliver to dock 4, ring twice."))
    return Order(
        reference=f"REF-{number:04d}",
        fate=fate,
        party_code=f"V-{number * 3 % PARTY_COUNT + 1:03d}",
        currency="USD" if foreign else "EUR",
        purchase_on=purchase_on,
        term=None if number % 11 == 0 else number % terms,
        description=f"Replenishment {number:04d}" if number % 2 else None,
        lines=tuple(lines),
    )


def _line(number: int, place: int, products: list[Product], *, purchase_on: dt.date, foreign: bool, fate: Fate) -> Line:
    if fate == "confirmed":
        product = next(product for product in products if product.code == UNACCOUNTED_PRODUCT_CODE)
    else:
        accounted = [product for product in products if product.code != UNACCOUNTED_PRODUCT_CODE]
        product = accounted[(number * 3 + place * 7) % len(accounted)]
    whole = 10 + (number * 13 + place * 29) % 490
    price = product.price * Decimal("1.08") if foreign else product.price
    return Line(
        product_code=product.code,
        description=f"{product.name}, as quoted" if place == 1 else None,
        unit=product.unit,
        quantity=whole + 0.25 if product.digits and place % 2 else float(whole),
        unit_price=price.quantize(Decimal("0.0001")),
        delivery_on=None if place == 2 else purchase_on + dt.timedelta(days=21 + 7 * place),
    )
