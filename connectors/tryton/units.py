"""Tryton's unit symbols and UN/ECE Recommendation 20.

Source: product/uom.xml of Tryton's product module 7.4; UN/ECE Rec 20. Tryton's `u` is any
countable thing and told as EA, as all connectors do; on writes the near synonyms C62 and H87 are taken for it too.
"""

from collections.abc import Mapping
from typing import Final

from db.units import SAME_COUNT

REC20: Final[Mapping[str, str]] = {
    "u": "EA",
    "kg": "KGM",
    "g": "GRM",
    "c": "CTM",
    "lb": "LBR",
    "oz": "ONZ",
    "s": "SEC",
    "min": "MIN",
    "h": "HUR",
    "d": "DAY",
    "m": "MTR",
    "km": "KMT",
    "cm": "CMT",
    "mm": "MMT",
    "ft": "FOT",
    "yd": "YRD",
    "in": "INH",
    "mi": "SMI",
    "m³": "MTQ",
    "l": "LTR",
    "cm³": "CMQ",
    "in³": "INQ",
    "ft³": "FTQ",
    "gal": "GLL",
    "m²": "MTK",
    "cm²": "CMK",
    "a": "ARE",
    "ha": "HAR",
    "in²": "INK",
    "ft²": "FTK",
    "yd²": "YDK",
    "J": "JOU",
    "MJ": "3B",
    "kW⋅h": "KWH",
    "MW⋅h": "MWH",
}


def unit_map(own: Mapping[str, str]) -> dict[str, str]:
    """Give a connection's map, symbol → code: Tryton's own units, and the connection's instead of them."""
    return {**REC20, **own}


def native(unit: str, units: Mapping[str, str]) -> tuple[str, ...]:
    """Give the symbols that a unit of the caller may stand for: those mapped to its code, else the unit itself.

    Args:
        unit: A Rec 20 code or a symbol of Tryton.
        units: Symbol → code, of the connection; its own codes come before synonyms.
    """
    for code in (unit, SAME_COUNT.get(unit)):
        symbols = tuple(symbol for symbol, mapped in units.items() if mapped == code)
        if symbols:
            return (unit, *symbols) if unit in units else symbols
    return (unit,)
