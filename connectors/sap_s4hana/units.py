"""SAP's units of measure and UN/ECE Recommendation 20.

SAP tells units as its external commercial codes, by language (`ST` is the German `PC`). A piece is H87 in
Rec 20 and EA an "each"; SAP's PC, ST and EA are all read as EA, the code that trading partners use for
things that are counted. A connection may map them otherwise.
"""

from collections.abc import Mapping
from typing import Final

from db.units import SAME_COUNT

REC20: Final[Mapping[str, str]] = {
    "PC": "EA",
    "ST": "EA",
    "EA": "EA",
    "KG": "KGM",
    "G": "GRM",
    "MG": "MGM",
    "TO": "TNE",
    "T": "TNE",
    "LB": "LBR",
    "OZ": "ONZ",
    "M": "MTR",
    "CM": "CMT",
    "MM": "MMT",
    "KM": "KMT",
    "FT": "FOT",
    "IN": "INH",
    '"': "INH",
    "YD": "YRD",
    "M2": "MTK",
    "FT2": "FTK",
    "M3": "MTQ",
    "CCM": "CMQ",
    "L": "LTR",
    "ML": "MLT",
    "HL": "HLT",
    "GAL": "GLL",
    "H": "HUR",
    "HR": "HUR",
    "STD": "HUR",
    "MIN": "MIN",
    "D": "DAY",
    "DAY": "DAY",
    "TAG": "DAY",
    "WK": "WEE",
    "MON": "MON",
    "DZ": "DZN",
    "PAA": "PR",
    "SET": "SET",
    "LE": "E48",
}
"""SAP's external unit → Rec 20 code."""

_PREFERRED: Final[Mapping[str, str]] = {"EA": "PC", "TNE": "TO", "INH": "IN", "HUR": "H", "DAY": "DAY"}
"""What to write where several of SAP's units are read as one code."""


def units_of(overrides: Mapping[str, str]) -> dict[str, str]:
    """Give a connection's map, its own entries first."""
    return {**REC20, **overrides}


def native_unit(code: str, *, overrides: Mapping[str, str]) -> str:
    """Give SAP's unit for a Rec 20 code; what is no Rec 20 code of the map is taken as SAP's own unit."""
    for native, rec20 in overrides.items():
        if rec20 == code:
            return native
    if code in overrides:
        return code
    code = SAME_COUNT.get(code, code)
    if code in _PREFERRED:
        return _PREFERRED[code]
    return next((native for native, rec20 in REC20.items() if rec20 == code), code)
