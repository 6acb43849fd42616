"""Demo purchase orders: each a function of its number, in all statuses, some old."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sandbox.netsuite.seed.masters import ITEMS, LOCATIONS, item_type, subsidiary_of
from sandbox.netsuite.store import Row
from sandbox.netsuite.suiteql.functions import stored
from sandbox.netsuite.system import NetSuite

_STATUSES: Final = "BBBBABDBEFBGBCBHBBDB"
_MIXED: Final = 2_654_435_761  # Knuth's multiplier: neighbouring numbers get values far apart
_QUIET: Final = timedelta(days=2)
_RECENT_DAYS: Final = 60
_BATCH: Final = 2000
_COLUMNS: Final = (
    *("uniquekey", "id", "linesequencenumber", "transaction", "mainline", "taxline", "item", "itemtype", "memo"),
    *("quantity", "quantityshiprecv", "quantitybilled", "units", "rate", "foreignamount", "netamount"),
    *("expectedreceiptdate", "isclosed", "location", "subsidiary", "entity", "linelastmodifieddate"),
    *("linecreateddate", "custcol_grade", "custcol_weight"),
)
_AMOUNT: Final = _COLUMNS.index("foreignamount")


@dataclass(frozen=True, slots=True)
class _Masters:
    """What orders refer to: vendors and items that are active."""

    vendors: tuple[int, ...]
    items: tuple[int, ...]


def seed_orders(system: NetSuite, count: int, *, lines: int, rng_seed: int, old_each: int, today: date) -> None:
    """Make orders with one to `lines` lines."""
    masters = _Masters(
        tuple(n for n in range(1, system.store.count("vendor") + 1) if n % 11),
        tuple(n for n in range(1, system.store.count("item") + 1) if n % 50),
    )
    store = system.store
    for start in range(1, count + 1, _BATCH):
        headers, rows = [], []
        for n in range(start, min(start + _BATCH, count + 1)):
            header = _header(system, n, masters, _day(n, old_each, rng_seed, today), rng_seed)
            own = list(_lines(header, masters, lines, rng_seed))
            header["foreigntotal"] = total = round(sum(line[_AMOUNT] for line in own), 2)
            headers.append(tuple(header.values()))
            rows.append(_main_line(header, -total))
            rows += own
        store.pour("transaction", tuple(header), headers)
        store.pour("transactionline", _COLUMNS, rows)
    store.fill("transactionaddress", [_address(n) for n in range(1, len(LOCATIONS) + 1)])


def mixed(n: int, rng_seed: int) -> int:
    """Give a number that looks drawn, and is the same each time."""
    return (n + rng_seed * 7_919) * _MIXED % 4_294_967_296


def _day(n: int, old_each: int, rng_seed: int, today: date) -> date:
    old = old_each and n % old_each == 0
    return today - _QUIET - timedelta(days=(95 if old else 0) + mixed(n, rng_seed) % _RECENT_DAYS)


def _header(system: NetSuite, n: int, masters: _Masters, day: date, rng_seed: int) -> Row:
    draw = mixed(n, rng_seed)
    vendor = masters.vendors[draw % len(masters.vendors)]
    letter = _STATUSES[draw // 11 % len(_STATUSES)]
    moment = datetime.combine(day, time(draw % 24, draw // 24 % 60, draw // 1440 % 60), UTC)
    subsidiary = subsidiary_of(vendor)
    location = 1 if subsidiary == 1 else 3
    need = day + timedelta(days=14 + draw % 30)
    return {
        "id": n,
        "tranid": f"PO{n:05d}",
        "transactionnumber": f"PURCHORD{n}",
        "type": "PurchOrd",
        "recordtype": "purchaseorder",
        "abbrevtype": "PURCHORD",
        "trandate": f"{day} 00:00:00".encode(),
        "entity": vendor,
        "status": letter,
        "approvalstatus": {"A": 1, "C": 3}.get(letter, 2),
        "currency": 1 if subsidiary == 1 else 2,
        "exchangerate": 1.0,
        "otherrefnum": f"Q-{draw % 9000}" if draw % 3 == 0 else None,
        "memo": None if draw % 4 else "Ring twice: Tor 3, Süd",
        "terms": vendor % 3 + 1,
        "duedate": f"{need} 00:00:00".encode() if draw % 2 else None,
        "shipdate": None,
        "employee": 1,
        "shippingaddress": location,
        "billingaddress": None,
        "createddate": stored(system.local(moment)),
        "createdby": 1,
        "lastmodifiedby": 1,
        "voided": "F",
        "posting": "F",
        "void": "F",
        "custbody_project_code": f"PRJ-{draw % 40}" if draw % 5 == 0 else None,
        "custbody_confirmed": "T" if draw % 2 else "F",
        "custbody_need_by": f"{need} 00:00:00".encode() if draw % 7 == 0 else None,
        "externalid": None,
        "foreigntotal": 0.0,
        "_subsidiary": subsidiary,
        "_location": location,
        **system.stamped(moment + timedelta(hours=draw % 30)),
    }


def _main_line(header: Row, amount: float) -> tuple[Any, ...]:
    key = header["id"]
    own = (key * 1000, 0, 0, key, "T", "F", None, None, header["memo"], None, None, None, None, None, amount, amount)
    return own + _of_header(header, "F") + (None, None)


def _lines(header: Row, masters: _Masters, most: int, rng_seed: int) -> Iterator[tuple[Any, ...]]:
    key, letter = header["id"], header["status"]
    shared = _of_header(header, "T" if letter == "H" else "F")
    for place in range(1, 2 + mixed(key * 31, rng_seed) % most):
        draw = mixed(key * 31 + place, rng_seed)
        item = masters.items[draw % len(masters.items)]
        text, _, unit, price = ITEMS[(item - 1) % len(ITEMS)]
        quantity = float(draw // 7 % 400 + 1)
        received, billed = _done(letter, quantity, place)
        amount = round(quantity * price, 2)
        yield (
            key * 1000 + place, place, place, key, "F", "F", item, item_type(item), f"{text} {item}", quantity,
            received, billed, unit, price, amount, amount, *shared,
            "ABC"[draw % 3] if draw % 4 == 0 else None,
            (draw % 5000) / 1000 if draw % 6 == 0 else None,
        )  # fmt: skip


def _of_header(header: Row, closed: str) -> tuple[Any, ...]:
    """Give what a line takes from its order."""
    return (
        header["duedate"], closed, header["_location"], header["_subsidiary"], header["entity"],
        header["lastmodifieddate"], header["createddate"],
    )  # fmt: skip


def _done(letter: str, quantity: float, place: int) -> tuple[float, float]:
    """Tell what of a line was received and billed."""
    half = float(max(1, int(quantity // 2)))
    match letter:
        case "D":
            return (half, half) if place == 1 else (0.0, 0.0)
        case "E":
            return (half, 0.0) if place == 1 else (0.0, 0.0)
        case "F":
            return quantity, 0.0
        case "G":
            return quantity, quantity
        case _:
            return 0.0, 0.0


def _address(location: int) -> Row:
    return {
        "nkey": location,
        "addressee": LOCATIONS[location - 1][1],
        "addr1": f"Dock Road {location}",
        "city": "Tampere" if location == 3 else "Oakland",
        "zip": f"{94000 + location}",
        "country": "DE" if location == 3 else "US",
    }
