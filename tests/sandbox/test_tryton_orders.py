"""The plan of the demo orders, without Tryton."""

import datetime as dt
from collections import Counter

from sandbox.tryton.catalogue import UNACCOUNTED_PRODUCT_CODE, parties, products
from sandbox.tryton.orders import orders

ANCHOR = dt.date(2026, 11, 16)


def test_orders_lie_within_45_days_before_the_anchor_oldest_first() -> None:
    planned = orders(products(), anchor=ANCHOR, terms=3)

    days = [order.purchase_on for order in planned]
    assert (days[0], days[-1]) == (ANCHOR - dt.timedelta(days=45), ANCHOR)
    assert days == sorted(days)


def test_orders_have_one_to_five_item_lines_and_some_a_comment() -> None:
    planned = orders(products(), anchor=ANCHOR, terms=3)

    items = Counter(sum(line.product_code is not None for line in order.lines) for order in planned)
    comments = sum(line.product_code is None for order in planned for line in order.lines)
    assert items == {1: 40, 2: 40, 3: 40, 4: 40, 5: 40}
    assert comments == 28


def test_only_orders_that_stay_confirmed_hold_the_item_without_accounts() -> None:
    planned = orders(products(), anchor=ANCHOR, terms=3)

    fates = {order.fate for order in planned for line in order.lines if line.product_code == UNACCOUNTED_PRODUCT_CODE}
    assert fates == {"confirmed"}


def test_orders_name_only_vendors_and_items_of_the_catalogue() -> None:
    planned = orders(products(), anchor=ANCHOR, terms=3)

    vendor_codes = {party.code for party in parties()}
    item_codes = {product.code for product in products()}
    assert len(vendor_codes) == 20
    assert len(item_codes) == 30
    assert {order.party_code for order in planned} == vendor_codes
    assert {line.product_code for order in planned for line in order.lines} <= item_codes | {None}
