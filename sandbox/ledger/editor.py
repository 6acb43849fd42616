"""What a ledger's own users do: orders made, changed, spoiled and thrown away at random."""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sandbox.ledger.books import ORDERS, UNREADABLE, Books

_WORDS: Final = ("gate", "ramp", "dock", "yard", "store")


class OrderEditor:
    """Edits orders; see sandbox.kit.system.Editor."""

    entity = ORDERS

    def __init__(self, books: Books) -> None:
        self._books = books

    def keys(self) -> Sequence[str]:
        """Give the keys of all orders."""
        return self._books.orders.sorted_keys()

    def reserve(self) -> str:
        """Draw the key of an order that is still to be made."""
        return self._books.reserve()

    def create(self, key: str, rng: random.Random, stamp: datetime) -> None:
        """Make an order with one to five lines."""
        lines = [
            self._books.line(f"{key}-{n}", "BOLT-8", str(rng.randint(1, 400)), _price(rng), stamp=stamp)
            for n in range(1, rng.randint(1, 5) + 1)
        ]
        vendors = len(self._books.vendors)
        vendor, day = f"v{rng.randint(1, max(vendors, 1))}", stamp.date().isoformat()
        self._books.add(at=key, stamp=stamp, lines=lines, vendor=vendor, notes=_note(rng), date=day)

    def change(self, key: str, rng: random.Random, stamp: datetime) -> None:
        """Change an order's notes and status, and now and then the number of its lines."""
        values = {"notes": _note(rng), "status": rng.choice(("APPROVED", "SENT", "RECEIVED", "CLOSED"))}
        lines = self._books.orders[key]["lines"]
        if rng.random() < 0.3:
            last = max((int(line["id"].rpartition("-")[2]) for line in lines if line["id"][-1].isdigit()), default=0)
            new = self._books.line(f"{key}-{last + 1}", "NUT-8", str(rng.randint(1, 99)), _price(rng), stamp=stamp)
            lines = [*lines[1:], new]
        self._books.change(key, stamp=stamp, lines=lines, **values)

    def change_part(self, key: str, rng: random.Random, stamp: datetime) -> None:
        """Change the quantity of a line; the order's own stamp stays as it is."""
        lines = self._books.orders[key]["lines"]
        if lines:
            place = rng.randrange(len(lines))
            self._books.change_line(key, place, stamp=stamp, quantity=str(rng.randint(401, 9999)))

    def spoil(self, key: str, stamp: datetime) -> None:
        """Give an order a currency that is none."""
        self._books.change(key, stamp=stamp, currency=UNREADABLE)

    def mend(self, key: str, stamp: datetime) -> None:
        """Give an order a currency."""
        self._books.change(key, stamp=stamp, currency="EUR")

    def vanish(self, key: str) -> None:
        """Throw an order away."""
        self._books.vanish(key)


def _price(rng: random.Random) -> str:
    return f"{rng.randint(0, 900)}.{rng.randint(0, 99):02d}"


def _note(rng: random.Random) -> str:
    return f"{rng.choice(_WORDS)} {rng.randint(1, 1_000_000)}"
