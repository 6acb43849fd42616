"""Text that a statement puts together: what is known when it is written, and SQL between.

Each `||` costs Postgres a call, and a copy of what stands before it. So what is known is joined here, a null brings its
key with it, and the rest is joined in halves: nothing is copied more often than the halves are halved.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson


@dataclass(frozen=True, slots=True)
class Known:
    """Text that is known when the statement is written."""

    text: str


Piece = Known | str
"""A known text, or the SQL of one: a name, a call, a cast, a CASE or what stands in brackets."""


@dataclass(frozen=True, slots=True)
class Told:
    """JSON text.

    Attributes:
        pieces: It, in order.
        missing: What is told where one of them is null; None where none is.
    """

    pieces: tuple[Piece, ...]
    missing: str | None = None

    @property
    def sql(self) -> str:
        """The SQL that gives it."""
        return joined(self.pieces) if self.missing is None else _or(self.pieces, self.missing)


def literal(text: str) -> str:
    """Quote text of our own or a key of the caller's as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def known(text: str) -> Told:
    """Tell a text that is known."""
    return Told((Known(text),))


def quoted(sql: str, missing: str | None = None) -> Told:
    """Tell a text that needs no escapes as a JSON string."""
    return Told((Known('"'), sql, Known('"')), missing)


def listed(sql: str) -> Told:
    """Tell a JSON list from the SQL of its elements' text, with commas; null where there are none."""
    return Told((Known("["), f"coalesce({sql}, '')", Known("]")))


def told_object(parts: Iterable[tuple[str, Told]]) -> Told:
    """Tell a JSON object from key → its JSON."""
    pieces: list[Piece] = []
    head = "{"
    for key, told in parts:
        head += orjson.dumps(key).decode() + ":"
        if told.missing is None:
            pieces += [Known(head), *told.pieces]
        else:
            if pieces and isinstance(last := pieces[-1], Known):
                head = last.text + head
                pieces.pop()
            pieces.append(_or((Known(head), *told.pieces), head + told.missing))
        head = ","
    return Told((*pieces, Known("}"))) if pieces else known("{}")


def joined(pieces: Sequence[Piece]) -> str:
    """Give the SQL of pieces one after the other."""
    merged: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, Known) and merged and isinstance(last := merged[-1], Known):
            merged[-1] = Known(last.text + piece.text)
        else:
            merged.append(piece)
    return _halves([literal(each.text) if isinstance(each, Known) else each for each in merged])


def _or(pieces: Sequence[Piece], missing: str) -> str:
    return f"coalesce({joined(pieces)}, {literal(missing)})"


def _halves(texts: Sequence[str]) -> str:
    if len(texts) < 4:  # of three, one is copied twice either way
        return " || ".join(texts)
    half = len(texts) // 2
    return f"({_halves(texts[:half])}) || ({_halves(texts[half:])})"
