"""NetSuite's units of measure and UN/ECE Recommendation 20.

An account names its units itself; these are the usual English names and abbreviations, and a connection may map
more. An "Each" and a "Piece" are both read as EA.
"""

from collections.abc import Mapping
from typing import Final

from db.units import SAME_COUNT

REC20: Final[Mapping[str, str]] = {
    "Each": "EA",
    "EA": "EA",
    "Ea": "EA",
    "ea": "EA",
    "Unit": "EA",
    "Units": "EA",
    "Piece": "EA",
    "Pieces": "EA",
    "PC": "EA",
    "pcs": "EA",
    "Kilogram": "KGM",
    "Kilograms": "KGM",
    "KG": "KGM",
    "kg": "KGM",
    "Gram": "GRM",
    "g": "GRM",
    "Metric Ton": "TNE",
    "Pound": "LBR",
    "Pounds": "LBR",
    "LB": "LBR",
    "lb": "LBR",
    "Ounce": "ONZ",
    "oz": "ONZ",
    "Meter": "MTR",
    "Metre": "MTR",
    "M": "MTR",
    "m": "MTR",
    "Centimeter": "CMT",
    "cm": "CMT",
    "Foot": "FOT",
    "Feet": "FOT",
    "ft": "FOT",
    "Inch": "INH",
    "in": "INH",
    "Liter": "LTR",
    "Litre": "LTR",
    "L": "LTR",
    "l": "LTR",
    "Gallon": "GLL",
    "gal": "GLL",
    "Hour": "HUR",
    "Hours": "HUR",
    "hr": "HUR",
    "Day": "DAY",
    "Dozen": "DZN",
    "DZ": "DZN",
    "dz": "DZN",
    "Pair": "PR",
    "Set": "SET",
    "Box": "BX",
}
"""NetSuite's usual unit name or abbreviation → Rec 20 code."""


def units_of(overrides: Mapping[str, str]) -> dict[str, str]:
    """Give a connection's map, its own entries first."""
    return {**REC20, **overrides}


def same_unit(asked: str, native: str | None, *, overrides: Mapping[str, str]) -> bool:
    """Tell whether a unit that was asked for, by Rec 20 code or by name, is one of NetSuite's names."""
    if native is None:
        return False
    known = units_of(overrides)
    told, own = known.get(asked, asked), known.get(native, native)
    return asked.casefold() == native.casefold() or SAME_COUNT.get(told, told) == SAME_COUNT.get(own, own)


def counts_pieces(asked: str, *, overrides: Mapping[str, str]) -> bool:
    """Tell whether a unit just counts: what accounts without units of measure count in."""
    told = units_of(overrides).get(asked, asked)
    return SAME_COUNT.get(told, told) == "EA"
