"""The orders that all contenders load: five lines, a vendor, two addresses; about 1.9 kB of JSON each."""

from collections.abc import Iterator
from typing import Any, Final

Json = dict[str, Any]
PAGE: Final = 1_000
LINES: Final = 5
CHANGED_EVERY: Final = 100
"""One order in a hundred says something else in the second load."""


def pages(orders: int, *, changed: bool) -> Iterator[list[Json]]:
    """Give the orders page by page; with `changed` as the second load finds them."""
    for start in range(0, orders, PAGE):
        yield [
            order(n, revision=int(changed and n % CHANGED_EVERY == 0)) for n in range(start, min(start + PAGE, orders))
        ]


def order(n: int, *, revision: int = 0) -> Json:
    """Make an order."""
    return {
        "id": f"{n:08}",
        "number": f"PO-{n:08}",
        "state": "released",
        "approval": "approved",
        "changed": "2026-06-01T10:00:00Z",
        "vendor": {"id": f"V{n % 200:05}", "name": f"Vendor {n % 200}"},
        "reference": f"Q-{n}",
        "buyer": f"B{n % 12:02}",
        "company": "1010",
        "currency": "EUR",
        "ordered": f"2026-{1 + n % 6:02}-{1 + n % 28:02}",
        "due": f"2026-{1 + (n + 1) % 6:02}-{1 + n * 3 % 28:02}",
        "terms": {"code": "N30", "text": "30 days net"},
        "incoterms": "FCA Hamburg",
        "ship_to": address(n),
        "bill_to": address(n + 7),
        "net": f"{n % 1000}.50",
        "tax": f"{n % 100}.19",
        "gross": f"{n % 1000 + n % 100}.69",
        "note": f"Please deliver to gate {n % 9}, revision {revision}",
        "lines": [line(n, p, revision) for p in range(LINES)],
    }


def address(n: int) -> Json:
    """Make an address."""
    told = {"name": f"Plant {n % 30}", "street": f"Street {n % 700}", "city": "Hamburg", "zip": f"{20000 + n % 999}"}
    return {**told, "country": "DE", "site": f"{1000 + n % 30}"}


def line(n: int, p: int, revision: int) -> Json:
    """Make a line."""
    quantity, price = n * 7 % 50 + p + 1 + (revision if p == 0 else 0), (n + p) % 900 + 1
    return {
        "id": f"{n}-{p}",
        "position": f"{10 * (p + 1)}",
        "item": f"M{(n * 7 + p) % 5000:06}",
        "text": f"Hex bolt M{p + 4} x {n % 90 + 10}, zinc plated, DIN 933",
        "quantity": f"{quantity}.000",
        "uom": "PC",
        "price": f"{price}.2500",
        "net": f"{quantity * price}.25",
        "tax": "V1",
        "state": "open",
        "received": "0",
        "billed": "0",
        "due": f"2026-{1 + (n + 1) % 6:02}-{1 + n * 3 % 28:02}",
        "site": f"{1000 + n % 30}",
    }
