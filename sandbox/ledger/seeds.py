"""Seeded rows: each a function of its number, made when it is asked for, so that half a million cost no memory."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

import orjson

ITEMS: Final = 500
_MIXED: Final = 2_654_435_761  # Knuth's multiplier: neighbouring numbers get values far apart
_SECONDS: Final = 60 * 86_400  # seeded rows changed within sixty days
_QUIET: Final = timedelta(days=2)
"""How long before the beginning the newest seeded row was changed: longer than any overlap."""
_STATUSES: Final = (b"APPROVED", b"APPROVED", b"SENT", b"PARTIALLY_RECEIVED", b"RECEIVED", b"CLOSED")
_LINE: Final = b'{"id":"%b-%d","item":"PART-%04d","quantity":"%d","uom":"pc","price":"%d.%02d","changed":"%b"}'
_ORDER: Final = (
    b'{"id":"%b","number":"L%d","status":"%b","vendor":"v%d","currency":"%b","notes":%b,"date":"%b","changed":"%b",'
    b'"version":0,"ship_to":{"name":"Store %d","street":"Long Street %d","city":"Porto","zip":"%05d","country":"PT"},'
    b'"lines":[%b]}'
)


@dataclass(frozen=True)
class Seeds:
    """How much there is from the beginning.

    Attributes:
        orders, lines, vendors: How many; lines of each order.
        width: Digits of a key.
        rng_seed: Another number gives other values.
        beginning: All of it changed before, by two days at least.
    """

    beginning: datetime
    orders: int = 0
    lines: int = 5
    vendors: int = 0
    width: int = 4
    rng_seed: int = 1

    @cached_property
    def newest(self) -> str:
        """The latest stamp that a seeded row can have."""
        return (self.beginning - _QUIET).isoformat()

    @cached_property
    def oldest_day(self) -> str:
        """The earliest date that a seeded order can have."""
        return (self.beginning - _QUIET - timedelta(seconds=_SECONDS)).date().isoformat()

    def key(self, n: int) -> str:
        """Give the key of a number."""
        return f"{n:0{self.width}d}"

    def keys(self) -> list[str]:
        """Give the keys of all seeded orders, in order."""
        return [self.key(n) for n in range(1, self.orders + 1)]

    def holds(self, key: str) -> bool:
        """Tell whether an order of this key was there from the beginning."""
        return key.isdigit() and len(key) >= self.width and 1 <= int(key) <= self.orders

    def stamp(self, key: str) -> str:
        """Give when an order was changed, as its row tells."""
        return (self.beginning - _QUIET - timedelta(seconds=self._mixed(int(key)) % _SECONDS)).isoformat()

    def order(self, key: str) -> bytes:
        """Give an order as JSON."""
        n, stamp, own = int(key), self.stamp(key).encode(), key.encode()
        mixed = self._mixed(n)
        rows = []
        for place in range(1, self.lines + 1):
            part = self._mixed(n * 31 + place)
            price = part % 90_000 + 10
            rows.append(_LINE % (own, place, part % ITEMS + 1, part // 7 % 400 + 1, price // 100, price % 100, stamp))
        return _ORDER % (
            own,
            n,
            _STATUSES[mixed % len(_STATUSES)],
            mixed % max(self.vendors, 1) + 1,
            (b"EUR", b"USD", b"PLN")[mixed % 3],
            b"null" if mixed % 4 else b'"Ring twice"',
            stamp[:10],
            stamp,
            mixed % 90 + 1,
            mixed % 200 + 1,
            mixed % 100_000,
            b",".join(rows),
        )

    def vendor(self, n: int) -> dict[str, Any]:
        """Give a vendor's row."""
        return {"id": f"v{n}", "code": f"V{n}", "name": f"Vendor {n}", "changed": self.newest, "version": 0}

    def document(self, key: str) -> dict[str, Any]:
        """Give an order's row."""
        row: dict[str, Any] = orjson.loads(self.order(key))
        return row

    def _mixed(self, n: int) -> int:
        return (n + self.rng_seed * 7_919) * _MIXED % 4_294_967_296
