"""What became of a write whose answer was lost: decided by reading, never by guessing.

A record made (or stock adjusted) is looked for by our reference, where the source keeps one. A record changed,
cancelled or deleted is read, and compared with what it was before and with what it should have become:

- it is as it was: the change did not take effect;
- all that was asked holds, and some of it did not before: it did;
- part of it holds: the rest is sent, for setting a value twice does no harm; a line that was asked for counts as
  added where a new line of the record fits it;
- it changed, and nothing of what was asked holds: somebody else was there; a person has to look.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from decimal import Decimal
from typing import Any, Final

from connectors.base import Change, JsonObject, WriteSpec
from db.types import Operation
from jobs.packing import packed, unpacked

MOST_SENDS: Final = 2
_LOOK_SECONDS: Final = 0.5
_MOST_SECONDS: Final = 8.0
_CANCELLED: Final = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Applied:
    """It took effect, on this record."""

    source_id: str
    facts: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Absent:
    """It did not take effect, or not yet."""


@dataclass(frozen=True, slots=True)
class Rest:
    """A part of it took effect; `change` is what is missing."""

    change: Change


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nobody here can tell; `message` says why."""

    message: str


Verdict = Applied | Absent | Rest | Unclear


def look_delay(looks: int) -> float:
    """Give the seconds until the next look: soon at first, for most answers are lost after the effect."""
    return min(_LOOK_SECONDS * 2.0**looks, _MOST_SECONDS)


@dataclass(frozen=True, slots=True)
class Seen:
    """A record as it was read: the hash of its item, and its fields in our names where it could be mapped."""

    item_hash: bytes
    record: JsonObject | None


def before(change: Change, seen: Seen) -> JsonObject:
    """Give what has to be kept of a record to tell later whether a change took effect, as JSON."""
    record = seen.record or {}
    return {
        "hash": seen.item_hash.hex(),
        "values": packed({name: _stored(name, record) for name in change.values}),
        "status": _text(record.get("status")),
        "native_status": record.get("native_status"),
        "lines": [line["source_line_id"] for line in record.get("lines") or ()],
        "changed": packed(
            {str(line["source_line_id"]): _line(record, str(line["source_line_id"])) for line in change.change_lines}
        ),
    }


def judge(change: Change, was: Mapping[str, Any], now: Seen | None, spec: WriteSpec) -> Verdict:
    """Decide on a record changed, cancelled or deleted.

    Args:
        change: What was asked.
        was: What `before` gave when it was first sent.
        now: The record as it is; None where it is gone.
        spec: What the connector declares of the operation.
    """
    applied = Applied(str(change.source_id))
    if change.operation is Operation.DELETE:
        return applied if now is None else Absent()
    if now is None:
        return Unclear("The record is gone from the source.")
    if now.item_hash.hex() == was["hash"] or now.record is None:
        return Absent() if now.record is not None else Unclear("The record cannot be read any more.")
    if change.operation is Operation.CANCEL:
        return applied if _text(now.record.get("status")) == _CANCELLED else Absent()
    return _compared(change, list(_parts(change, was, now.record, spec)), applied)


def _compared(change: Change, parts: Sequence["_Part"], applied: Applied) -> Verdict:
    missing = [part for part in parts if part.holds is False]
    if not any(part.holds and not part.held for part in parts):
        return Unclear("The record changed meanwhile, and nothing of what was asked is to be seen in it.")
    if not missing:
        return applied
    return Rest(_only(change, [part for part in parts if not part.holds]))


@dataclass(frozen=True, slots=True)
class _Part:
    """One thing that was asked: whether it holds now and did before; None where that cannot be compared."""

    kind: str
    key: Any
    held: bool | None
    holds: bool | None


def _parts(change: Change, was: Mapping[str, Any], record: JsonObject, spec: WriteSpec) -> Iterator[_Part]:
    values = unpacked(was["values"])
    for name, given in change.values.items():
        held, holds = _same(name, given, values.get(name)), _same(name, given, _stored(name, record))
        yield _Part("values", name, held, holds)
    if change.source_fields:
        yield _Part("source_fields", None, None, None)
    lines = {str(line["source_line_id"]): line for line in record.get("lines") or ()}
    earlier = unpacked(was["changed"])
    for number, line in enumerate(change.change_lines):
        key = str(line["source_line_id"])
        yield _Part("change_lines", number, _fits(line, earlier.get(key)), _fits(line, lines.get(key)))
    for key in change.remove_lines:
        gone = key not in lines or _text(lines[key].get("status")) == _CANCELLED
        yield _Part("remove_lines", key, held=False, holds=gone)
    new = [line for key, line in lines.items() if key not in was["lines"]]
    for number, line in enumerate(change.add_lines):
        match = next((each for each in new if _fits(line, each) is not False), None)
        if match is not None:
            new.remove(match)
        yield _Part("add_lines", number, held=False, holds=match is not None)
    if change.transition is not None:
        ends, status = spec.transitions.get(change.transition, frozenset()), _text(record.get("status"))
        moved = was["native_status"] != record.get("native_status")
        yield _Part("transition", None, held=was["status"] in ends and not moved, holds=status in ends)


def _only(change: Change, parts: Sequence[_Part]) -> Change:
    """Give a change with these parts only; another's version stamp no longer fits it."""
    keys: dict[str, set[Any]] = {}
    for part in parts:
        keys.setdefault(part.kind, set()).add(part.key)
    return replace(
        change,
        values={name: value for name, value in change.values.items() if name in keys.get("values", ())},
        change_lines=tuple(line for n, line in enumerate(change.change_lines) if n in keys.get("change_lines", ())),
        add_lines=tuple(line for n, line in enumerate(change.add_lines) if n in keys.get("add_lines", ())),
        remove_lines=tuple(line for line in change.remove_lines if line in keys.get("remove_lines", ())),
        transition=change.transition if "transition" in keys else None,
        source_fields=change.source_fields if "source_fields" in keys else {},
        expected=None,
    )


def _stored(name: str, record: Mapping[str, Any]) -> Any:
    if name == "payment_terms_source_id":
        return (record.get("payment_terms") or {}).get("code")
    return record.get(name)


def _line(record: Mapping[str, Any], key: str) -> JsonObject | None:
    return next((line for line in record.get("lines") or () if str(line["source_line_id"]) == key), None)


def _fits(given: Mapping[str, Any], line: Mapping[str, Any] | None) -> bool | None:
    """Tell whether a line has what was asked of it; None where nothing of it can be compared."""
    if line is None:
        return False
    told = [_same(name, value, _stored(name, line)) for name, value in given.items() if name != "source_line_id"]
    if False in told:
        return False
    return True if True in told else None


def _same(name: str, given: Any, stored: Any) -> bool | None:
    """Compare a value asked for with a stored one; None where they are not of one kind."""
    if given is None or stored is None:
        empty = given in {None, ""} and stored in {None, ""}
        return True if empty else None if name.endswith("_source_id") else False
    if isinstance(given, Decimal) and isinstance(stored, (Decimal, int)):
        return given == stored
    if isinstance(given, datetime) and isinstance(stored, datetime):
        # Some sources keep the day of an instant only.
        return given == stored or (stored.time() == time() and given.date() == stored.date())
    if isinstance(given, (dict, list)) or isinstance(stored, (dict, list)):
        return True if given == stored else None
    equal = _text(given) == _text(stored)
    # Keys of some sources are told as codes in the record: unequal texts then prove nothing.
    return True if equal else None if name in {"payment_terms_source_id", "unit"} else False


def _text(value: Any) -> Any:
    return str(value).strip() if isinstance(value, str) else value
