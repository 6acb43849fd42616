"""Units of measure: the UN/ECE Recommendation 20 codes that connections map their own units to."""

from collections.abc import Mapping
from typing import Final

REC20: Final[Mapping[str, str]] = {
    "3B": "megajoule",
    "ARE": "are",
    "BX": "box",
    "C62": "one",
    "CMK": "square centimetre",
    "CMQ": "cubic centimetre",
    "CMT": "centimetre",
    "CT": "carton",
    "CTM": "metric carat",
    "DAY": "day",
    "DZN": "dozen",
    "E48": "service unit",
    "EA": "each",
    "FOT": "foot",
    "FTK": "square foot",
    "FTQ": "cubic foot",
    "GLL": "gallon (US)",
    "GRM": "gram",
    "H87": "piece",
    "HAR": "hectare",
    "HLT": "hectolitre",
    "HUR": "hour",
    "INH": "inch",
    "INK": "square inch",
    "INQ": "cubic inch",
    "JOU": "joule",
    "KGM": "kilogram",
    "KMT": "kilometre",
    "KWH": "kilowatt hour",
    "LBR": "pound",
    "LTR": "litre",
    "MGM": "milligram",
    "MIN": "minute",
    "MLT": "millilitre",
    "MMT": "millimetre",
    "MON": "month",
    "MTK": "square metre",
    "MTQ": "cubic metre",
    "MTR": "metre",
    "MWH": "megawatt hour",
    "ONZ": "ounce",
    "PR": "pair",
    "SEC": "second",
    "SET": "set",
    "SMI": "mile",
    "TNE": "tonne",
    "WEE": "week",
    "YDK": "square yard",
    "YRD": "yard",
}
"""Code → name, of the units that connectors map by default; a connection may map to others.

Source: UN/ECE Recommendation 20, Codes for Units of Measure Used in International Trade.
"""

SAME_COUNT: Final[Mapping[str, str]] = {"C62": "EA", "H87": "EA"}
"""What counts things one by one is told as EA by every connector; writes take the near synonyms, too."""
