"""A compiled mapping takes nothing that pydantic refuses, and makes of all it takes what pydantic makes of it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.checks import Doubt
from connectors.compiled import compiled, record
from connectors.errors import MappingError
from connectors.mapping import Each, EntityMapping, To, project, unit
from connectors.registry import CONNECTORS
from db.models import columns as c
from db.models.base import Fields, Value
from db.models.parties.vendor import Address
from db.models.purchasing.purchase_order import LineStatus, Progress, PurchaseOrderRecord
from db.models.registry import ENTITIES
from db.models.rows import NUL, Record, child_fields, record_of, stored_names
from db.types import Exact


class Part(Value):
    """A value with one of each kind."""

    name: str | None = c.text("Name.", max_length=5)
    key: str = c.text("Key.", default=c.REQUIRED)
    count: int | None = c.integer("Count.", default=None, ge=0, le=9)
    day: date | None = c.day("Day.")
    amount: Exact | None = c.number("Amount.")
    tags: list[str] = c.texts("Tags.")
    state: Progress = c.choice("State.", default=Progress.NONE)
    there: bool = c.column("There.", sa_type=None, default=True)
    more: dict[str, Any] | None = c.document("More.")
    address: Address | None = c.document("Address.")


class LineFields(Fields):
    """A line with one of each kind."""

    key: str = c.text("Key.", max_length=4, default=c.REQUIRED)
    amount: Exact | None = c.number("Amount.")
    parts: list[Part] = c.document("Parts.", default_factory=list)


class AllFields(Fields):
    """A record with one of each kind."""

    text: str | None = c.text("Text.", max_length=5)
    needed: str = c.text("Needed.", default=c.REQUIRED)
    state: Progress = c.choice("State.", default=Progress.UNKNOWN)
    amount: Exact | None = c.number("Amount.")
    day: date | None = c.day("Day.")
    at: datetime | None = c.instant("At.")
    there: bool = c.column("There.", sa_type=None, default=False)
    count: int | None = c.integer("Count.", default=None, ge=1, le=5)
    whole: int | None = c.integer("Whole.", default=None)
    part: Part | None = c.document("Part.")
    parts: list[Part] = c.document("Parts.", default_factory=list)
    more: dict[str, Any] = c.document("More.", default_factory=dict)
    lines: list[LineFields] = c.document("Lines.", default_factory=list)


def mapped_as_they_are(kind: type[Fields]) -> EntityMapping:
    """Map each field from the key of its name; lists are read from `<name>./rows`."""
    parts: list[To | Each] = [To(name, name) for name in stored_names(kind)]
    parts += [
        Each(name, f"{name}./rows", tuple(To(inner, inner) for inner in stored_names(child)))
        for name, child in child_fields(kind).items()
    ]
    return EntityMapping(kind, tuple(parts))


TEXTS = st.one_of(
    st.text(max_size=7),
    st.sampled_from(["", " ", "a", " a ", "\x1fa", "a\x1c", "\u2003a", "abcde ", "abcdef", "a\tb\nc\\d", "\ufeffa"]),
)
NUMBERS = ["0", "-0", "12.50", "007", "1.", ".5", "-.5", "-1.", "-", ".", "1e3", "1E-7", "1_000", " 1", "+1", "NaN"]
NUMBERS += ["Infinity", "12,5", "1.2.3", "--1", "-1.2.3", "0.0000001", "1" * 99, "1" * 101, "1" * 300, "\u0661", "²"]
NUMBERS += ["9" * 150 + "." + "9" * 150, "1E+150", "1E+500", "1E-500", "0x1"]
DECIMALS = [Decimal(text) for text in ("0", "1E+3", "1E-9", "-12.50", "1E+150", "1E-150", "1E+900", "NaN", "-Infinity")]
DECIMALS += [Decimal("1." + "0" * n) for n in (90, 150, 250)]
DAYS = ["2026-02-28", "2026-02-30", "2026-2-3", "20260203", "2026-W01-1", "0000-01-01", "0001-01-01", "9999-12-31"]
DAYS += ["2026-02-03T00:00:00", "2026-02-03T10:00:00", "1700000000", "2026/02/03", "2026-02-0\u0663", " 2026-02-03"]
INSTANTS = ["2026-02-03T10:00:00Z", "2026-02-03T10:00:00.1+02:00", "2026-02-03T10:00:00.123456-00:00", "2026-02-03"]
INSTANTS += [
    "2026-02-03T24:00:00Z",
    "2026-02-03T10:00:00",
    "2026-02-03 10:00:00Z",
    "2026-02-03T10:00:60Z",
    "1700000000",
]
INSTANTS += ["2026-02-30T10:00:00Z", "2026-02-03T10:00:00+25:00", "2026-02-03T10:00:00.1234567Z", "2026-02-03T10:00Z"]
ODD: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    5,
    6,
    -1,
    2**31,
    -(2**31) - 1,
    10**400,
    1.5,
    float("nan"),
    b"a",
    (),
    [],
    {},
    ["a"],
]
ODD += [
    {"a": 1},
    {1: 2},
    [None],
    object,
    Progress.FULL,
    LineStatus.CLOSED,
    Address(name="x"),
    Address(lines=["a", " b "]),
]
ODD += [date(2026, 2, 3), datetime(2026, 2, 3, tzinfo=UTC), datetime(2026, 2, 3)]  # noqa: DTZ001  (the naive one is odd)
ODD += [datetime(2026, 2, 3, 4, tzinfo=timezone(timedelta(hours=5, minutes=30)))]
JUNK = st.one_of(st.sampled_from([*ODD, *NUMBERS, *DECIMALS, *DAYS, *INSTANTS]), TEXTS, st.integers(), st.booleans())


def values_for(annotation: Any) -> st.SearchStrategy[Any]:
    """Give what a field may hold, mostly as it should be."""
    plain = c.plain_type(annotation)
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        return st.sampled_from([*plain, *(each.value for each in plain), "?", ""])
    if isinstance(plain, type) and issubclass(plain, Value):
        return objects(plain)
    if get_origin(plain) is list:
        inner = get_args(plain)[0]
        return st.lists(values_for(inner), max_size=2)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        str: TEXTS,
        Decimal: st.one_of(
            st.sampled_from([*NUMBERS, *DECIMALS]),
            st.decimals(allow_nan=False, allow_infinity=False).map(str),
            st.decimals(min_value=-10_000, max_value=10_000, places=3),
            st.integers(),
        ),
        date: st.one_of(st.dates().map(date.isoformat), st.dates(), st.sampled_from(DAYS)),
        datetime: st.one_of(
            st.datetimes(timezones=st.just(UTC)),
            st.datetimes().map(lambda at: at.isoformat() + "Z"),
            st.sampled_from(INSTANTS),
        ),
        bool: st.booleans(),
        int: st.integers(min_value=-1, max_value=11),
    }
    return simple.get(plain, st.dictionaries(st.text(max_size=3), JUNK, max_size=2))


def objects(kind: type[Value] | type[Fields]) -> st.SearchStrategy[dict[str, Any]]:
    """Give an object of a class's fields, some left out, some of junk, seldom one too many."""
    fields = {name: maybe(values_for(info.annotation)) for name, info in kind.model_fields.items()}
    return st.fixed_dictionaries(
        {}, optional={**fields, "unheard of": st.nothing() if issubclass(kind, Fields) else JUNK}
    )


def maybe(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly a good value."""
    return st.integers(0, 19).flatmap(lambda n: JUNK if n == 0 else st.none() if n == 1 else good)


def bodies(kind: type[Fields]) -> st.SearchStrategy[dict[str, Any]]:
    """Give items for `mapped_as_they_are`."""
    own = {name: maybe(values_for(kind.model_fields[name].annotation)) for name in stored_names(kind)}
    rows = {
        f"{name}.": st.one_of(st.fixed_dictionaries({"rows": st.lists(maybe(objects(child)), max_size=3)}), JUNK)
        for name, child in child_fields(kind).items()
    }
    return st.fixed_dictionaries({}, optional={**own, **rows})


def meaning(made: Record, kind: type[Fields]) -> Any:
    """Give the values of rows: numbers by value and digits, not by how they are written."""
    own = [meant(text, kind, name) for text, name in zip(made.values, stored_names(kind), strict=True)]
    children = [
        [[meant(text, child, name) for text, name in zip(row, stored_names(child), strict=True)] for row in rows]
        for rows, child in zip(made.children, child_fields(kind).values(), strict=True)
    ]
    return own, children


def meant(text: str | None, kind: type[Fields], name: str) -> Any:
    decimal = c.plain_type(kind.model_fields[name].annotation) is Decimal
    return Decimal(text).as_tuple() if text is not None and decimal else text


def texts_of(value: Any) -> str:
    """Give all texts inside, as they are."""
    if isinstance(value, dict):
        return "".join(f"{key}{texts_of(each)}" for key, each in value.items())
    return "".join(map(texts_of, value)) if isinstance(value, list) else str(value)


def check_against_pydantic(mapping: EntityMapping, body: Mapping[str, Any], units: Mapping[str, str]) -> bool:
    """Compare the two ways; tells whether the quick one took the item."""
    if "\x00" in texts_of(body):
        return False  # it is known by then, and goes the other way
    try:
        quick = compiled(mapping)(body, units)
    except (Doubt, ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        return False
    slow = record_of(project(mapping, body, units=units))
    assert meaning(quick, mapping.record) == meaning(slow, mapping.record)
    return True


KINDS: list[type[Fields]] = [spec.record for spec in ENTITIES]
ALL: list[type[Fields]] = [AllFields, *KINDS]
MAPPINGS = {kind: mapped_as_they_are(kind) for kind in ALL}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_the_quick_way_takes_pydantic_takes_as_the_same(kind: type[Fields], data: st.DataObject) -> None:
    """Off: any one check in connectors/checks.py, e.g. `value.isascii()` in `day`, or `.strip(WHITE)`."""
    check_against_pydantic(MAPPINGS[kind], data.draw(bodies(kind)), {})


@settings(max_examples=300, deadline=None)
@given(body=bodies(AllFields))
def test_fields_of_every_kind_are_taken_as_pydantic_takes_them(body: dict[str, Any]) -> None:
    """Off: as above."""
    check_against_pydantic(MAPPINGS[AllFields], body, {})


@pytest.mark.parametrize("name", [name for name in AllFields.model_fields if name != "lines"])
@pytest.mark.parametrize("inside", [False, True])
def test_each_odd_value_is_judged_as_pydantic_judges_it(name: str, *, inside: bool) -> None:
    texts = ["", " ", " a", "a\x1c", "\x1fa", "\u3000a", "abcdef", "FULL", "NONE", " FULL", "full", "a\x85", "\u200ba"]
    for value in [*ODD, *NUMBERS, *DECIMALS, *DAYS, *INSTANTS, *texts]:
        body = {"needed": "x", name: value}
        if inside and name in Part.model_fields:
            body = {"needed": "x", "part": {"key": "k", name: value}, "parts": [{"key": "k", name: value}]}
        check_against_pydantic(MAPPINGS[AllFields], body, {})


GOOD: dict[str, Any] = {
    "text": "abcde",
    "needed": " x ",
    "state": "FULL",
    "amount": "12.50",
    "day": "2026-02-03",
    "at": "2026-02-03T10:00:00.5Z",
    "there": True,
    "count": 5,
    "whole": -7,
    "part": {
        "key": "k",
        "amount": "-1.5",
        "tags": ["a"],
        "day": "2026-02-03",
        "address": {"name": "n"},
        "more": {"x": 1},
    },
    "parts": [{"key": "k"}, {"key": "l", "count": 0, "there": False, "state": "NONE"}],
    "more": {"ü": [1, "two", None, {"three": 3.5}]},
    "lines.": {"rows": [{"key": "1", "amount": "-3.25", "parts": [{"key": "p"}]}, {"key": "2"}]},
}


PART = (
    '{"key":"k","day":"2026-02-03","amount":"-1.5","tags":["a"],"state":"NONE","there":true,"more":{"x":1},'
    '"address":{"name":"n","lines":[]}}'
)
PARTS = (
    '[{"key":"k","tags":[],"state":"NONE","there":true},{"key":"l","count":0,"tags":[],"state":"NONE","there":false}]'
)


def test_an_ordinary_item_goes_the_quick_way() -> None:
    assert check_against_pydantic(MAPPINGS[AllFields], GOOD, {})
    assert compiled(MAPPINGS[AllFields])(GOOD, {}) == Record(
        (
            "abcde",
            "x",
            "FULL",
            "12.50",
            "2026-02-03",
            "2026-02-03T10:00:00.500000+00:00",
            "true",
            "5",
            "-7",
            PART,
            PARTS,
            '{"ü":[1,"two",null,{"three":3.5}]}',
        ),
        ((("1", "-3.25", '[{"key":"p","tags":[],"state":"NONE","there":true}]'), ("2", None, "[]")),),
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"needed": None}, "needed: Field required"),
        ({"text": "abcdef"}, "text: String should have at most 5 characters (got 'abcdef')"),
        ({"text": "a\x00"}, NUL),
        ({"more": {"a": "b\x00"}}, NUL),
        ({"lines.": {"rows": [{"key": "1"}, {"key": "\x00"}]}}, NUL),
        (
            {"lines.": {"rows": [{"key": "12345"}]}},
            "lines.0.key: String should have at most 4 characters (got '12345')",
        ),
        ({"lines.": {"rows": [None]}}, "lines from lines./rows: not a list of objects"),
        ({"amount": "1E+500"}, "amount: Value error, a number of more than 200 digits"),
    ],
)
def test_what_is_refused_is_refused_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(MappingError) as failed:
        record(MAPPINGS[AllFields], {**GOOD, **changes}, units={}, plain="\x00" not in texts_of(changes))

    assert str(failed.value).startswith(reason)


def test_a_text_that_only_writes_a_nul_is_kept() -> None:
    r"""The six characters \u0000, in JSON `\\u0000`, are no NUL."""
    made = record(MAPPINGS[AllFields], {**GOOD, "more": {"a": "\\u0000"}, "text": "\\u00"}, units={}, plain=False)

    assert made.values[0] == "\\u00"
    assert made.values[11] == '{"a":"\\\\u0000"}'


def test_paths_units_conditions_and_converters_are_read_alike() -> None:
    def joined(one: Any, two: Any) -> str:
        return f"{one}-{two}"

    lines = Each(
        "lines", "a/b", (To("source_line_id", "n"), To("line_number", ("n", "m/o"), joined), To("unit", "u", unit))
    )
    mapping = EntityMapping(
        PurchaseOrderRecord,
        (
            To("order_number", "deep/er/est"),
            To("status", "s"),
            Each("lines", "a/b", lines.fields, lambda row: row["n"] != "2"),
        ),
    )
    rows = [
        {"n": "1", "m": {"o": 5}, "u": "kg"},
        {"n": "2"},
        {"n": "3", "m": "no object", "u": "?"},
        {"n": "4", "u": ""},
    ]
    body = {"deep": {"er": {"est": "PO"}}, "s": "SENT", "a": {"b": rows}}

    assert check_against_pydantic(mapping, body, {"kg": "KGM"})
    made = compiled(mapping)(body, {"kg": "KGM"})
    names = stored_names(child_fields(PurchaseOrderRecord)["lines"])
    told = [[row[names.index(name)] for name in ("source_line_id", "line_number", "unit")] for row in made.children[0]]
    assert told == [["1", "1-5", "KGM"], ["3", "3-None", "?"], ["4", "4-None", None]]
    for odd in ({**body, "a": {"b": "no list"}}, {**body, "a": {"b": [1]}}, {**body, "deep": 1}, {**body, "a": None}):
        check_against_pydantic(mapping, odd, {})


def test_a_condition_that_breaks_breaks_on_both_ways() -> None:
    part = Each("lines", "rows", (To("source_line_id", "n"), To("line_number", "n")), when=lambda row: row["missing"])

    with pytest.raises(KeyError):
        record(EntityMapping(PurchaseOrderRecord, (To("status", "s"), part)), {"s": "SENT", "rows": [{}]}, units={})


@pytest.mark.parametrize(
    "mapping",
    [
        pytest.param(mapping, id=f"{connector.spec.slug}-{entity.value}")
        for connector in CONNECTORS
        for entity, mapping in connector.mappings.items()
    ],
)
def test_each_connector_s_mapping_compiles(mapping: EntityMapping) -> None:
    assert callable(compiled(mapping))
