"""Odoo's units of measure, by their English names, and UN/ECE Recommendation 20.

Source: data files of Odoo's module uom, versions 16 to 19; UN/ECE Rec 20. The connector asks for English, since names
of units are translated.
"""

from collections.abc import Mapping
from typing import Final

from db.units import SAME_COUNT

REC20: Final[Mapping[str, str]] = {
    "Units": "EA",
    "Dozens": "DZN",
    "Dozen": "DZN",
    "Hours": "HUR",
    "Days": "DAY",
    "Minutes": "MIN",
    "kg": "KGM",
    "g": "GRM",
    "mg": "MGM",
    "t": "TNE",
    "Ton": "TNE",
    "lb": "LBR",
    "oz": "ONZ",
    "L": "LTR",
    "ml": "MLT",
    "gal (US)": "GLL",
    "m": "MTR",
    "km": "KMT",
    "cm": "CMT",
    "mm": "MMT",
    "ft": "FOT",
    "in": "INH",
    "yd": "YRD",
    "mi": "SMI",
    "m²": "MTK",
    "ft²": "FTK",
    "m³": "MTQ",
    "ft³": "FTQ",
    "in³": "INQ",
    "kWh": "KWH",
    "Pair": "PR",
    "Set": "SET",
}


def unit_map(own: Mapping[str, str]) -> dict[str, str]:
    """Give a connection's map, name → code: Odoo's own units, and the connection's instead of them."""
    return {**REC20, **own}


def native(unit: str, units: Mapping[str, str]) -> tuple[str, ...]:
    """Give the names that a unit of the caller may stand for: those mapped to its code, else the unit itself.

    Args:
        unit: A Rec 20 code or a name of Odoo's.
        units: Name → code, of the connection; its own codes come before synonyms.
    """
    for code in (unit, SAME_COUNT.get(unit)):
        names = tuple(name for name, mapped in units.items() if mapped == code)
        if names:
            return (unit, *names) if unit in units else names
    return (unit,)
