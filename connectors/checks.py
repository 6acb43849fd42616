"""What a field takes without a look by pydantic, written as Python: the lines that `connectors.compiled` puts together.

Each check leaves a value's stored text in `t`, or raises Doubt; whoever meets Doubt asks pydantic, which decides. So a
check may be as narrow as it likes, but must never take what pydantic refuses, or make another value of it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, get_args, get_origin

import orjson
from annotated_types import Ge, Le, MaxLen
from pydantic.fields import FieldInfo
from sqlmodel.main import FieldInfoMetadata

from db.models import columns as c
from db.models.base import Value
from db.models.rows import json_ready, text_of


class Doubt(Exception):
    """The quick way cannot tell; pydantic has to."""


WHITE: Final = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What pydantic strips; Python's own strip takes four control characters more."""
_DIGITS: Final = 100
_PLAIN: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,6})?").fullmatch
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
).fullmatch
_days: Final[set[str]] = set()
_DAYS_KEPT: Final = 20_000


def decimal(value: Any) -> str:
    """Take what is a decimal at first sight, other than unsigned text."""
    kind = value.__class__
    if kind is str and value.startswith("-"):
        digits = value[1:]
        if digits.isascii() and len(digits) <= _DIGITS and digits.replace(".", "", 1).isdigit():
            return str(value)
    if kind is int and -(10**_DIGITS) < value < 10**_DIGITS:
        return str(value)
    if kind is Decimal and value.is_finite() and abs(value.adjusted()) < _DIGITS:
        text = format(value, "f")
        if len(text) <= _DIGITS:
            return text
    raise Doubt


def plain_decimal(value: Any) -> str:
    """Take a decimal that Python writes as it came."""
    if value.__class__ is str and _PLAIN(value):
        return str(value)
    if value.__class__ is Decimal and _PLAIN(text := str(value)):
        return text
    raise Doubt


def day(value: Any) -> str:
    """Take a date, or its text."""
    if value.__class__ is date:
        return str(value.isoformat())
    if value.__class__ is not str or len(value) != 10 or value[4] != "-" or value[7] != "-" or not value.isascii():
        raise Doubt
    date.fromisoformat(value)
    if len(_days) < _DAYS_KEPT:
        _days.add(value)
    return str(value)


def instant(value: Any) -> str:
    """Take a point in time with its zone, or its text."""
    if value.__class__ is datetime and value.tzinfo is not None:
        return str(value.isoformat())
    if value.__class__ is not str or not _INSTANT(value):
        raise Doubt
    return datetime.fromisoformat(value).isoformat()


def texts(value: Any) -> list[str]:
    """Take a list of texts."""
    if value.__class__ is not list:
        raise Doubt
    for each in value:
        if each.__class__ is not str:
            raise Doubt
    return [each.strip(WHITE) for each in value]


def json_text(value: Any) -> str:
    """Write a value as JSON; a key that is no text is for pydantic to judge."""
    return orjson.dumps(value, default=json_ready).decode()


@dataclass(slots=True)
class Code:
    """Lines of a function, and the constants they name."""

    lines: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)

    def constant(self, value: Any) -> str:
        """Give a constant a name."""
        name = f"k{len(self.names)}"
        self.names[name] = value
        return name

    def add(self, text: str, *, indent: int = 1) -> None:
        """Add lines."""
        self.lines += ["    " * indent + line for line in text.splitlines()]

    def function(self, name: str, signature: str) -> Callable[..., Any]:
        """Make the function."""
        source = "\n".join([f"def {name}({signature}):", *self.lines])
        # What is run was written here, from the names in a mapping, which are part of the program.
        exec(compile(source, f"<{name}>", "exec"), self.names)  # noqa: S102
        made: Callable[..., Any] = self.names[name]
        return made


def check(code: Code, info: FieldInfo, *, json: bool = False, indent: int = 1) -> None:
    """Add the lines that take `v` for a field, and leave in `t` its stored text, or its JSON value where `json`."""
    limits = {type(each): each for each in info.metadata if not isinstance(each, FieldInfoMetadata)}
    told = _check(code, c.plain_type(info.annotation), limits, json=json)
    missing = _missing(code, info, json=json)
    code.add(f"if v is None:\n    {missing}\nel{told}", indent=indent)


def _missing(code: Code, info: FieldInfo, *, json: bool) -> str:
    if info.is_required():
        return "raise Doubt"
    default = info.get_default(call_default_factory=True)
    if json:
        return f"t = {code.constant(default)}" if default is None else "raise Doubt"
    return f"t = {text_of(default)!r}"


def _check(code: Code, plain: Any, limits: Mapping[Any, Any], *, json: bool) -> str:
    code.names.update(Doubt=Doubt, WHITE=WHITE, DAYS=_days, decimal=decimal, plain_decimal=plain_decimal)
    code.names.update(day=day, instant=instant, texts=texts, json_text=json_text)
    if plain is str and limits.keys() <= {MaxLen}:
        return _text(limits)
    if plain is int and limits.keys() <= {Ge, Le}:
        return _integer(limits, json=json)
    if limits:
        return "se:\n    raise Doubt"
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        words, kind = code.constant({each.value: each.value for each in plain}), code.constant(plain)
        return (
            f"if v.__class__ is str or v.__class__ is {kind}:\n    t = {words}.get(v)\n"
            "    if t is None:\n        raise Doubt\nelse:\n    raise Doubt"
        )
    simple = {
        Decimal: "se:\n    t = plain_decimal(v)" if json else _DECIMAL,
        date: "se:\n    t = v if v.__class__ is str and v in DAYS else day(v)",
        datetime: "se:\n    raise Doubt" if json else "se:\n    t = instant(v)",
        bool: _boolean(json=json),
    }
    return simple.get(plain) or _document(code, plain, json=json)


_DECIMAL: Final = f"""\
if v.__class__ is str and v.isascii() and len(v) <= {_DIGITS} and v.replace(".", "", 1).isdigit():
    t = v
else:
    t = decimal(v)"""


def _text(limits: Mapping[Any, Any]) -> str:
    longest = f"    if len(t) > {limits[MaxLen].max_length}:\n        raise Doubt\n" if limits else ""
    return (
        "if v.__class__ is str:\n    t = v.strip()\n    if t is not v:\n        t = v.strip(WHITE)\n"
        f"{longest}else:\n    raise Doubt"
    )


def _integer(limits: Mapping[Any, Any], *, json: bool) -> str:
    least = limits[Ge].ge if Ge in limits else -(2**31)
    most = limits[Le].le if Le in limits else 2**31 - 1
    told = "v" if json else "str(v)"
    return f"if v.__class__ is int and {least} <= v <= {most}:\n    t = {told}\nelse:\n    raise Doubt"


def _boolean(*, json: bool) -> str:
    told = "v" if json else '"true" if v else "false"'
    return f"if v is True or v is False:\n    t = {told}\nelse:\n    raise Doubt"


def _document(code: Code, plain: Any, *, json: bool) -> str:
    made = _made(code, plain)
    if made is None:
        return "se:\n    raise Doubt"
    return f"se:\n    t = {made}" if json else f"se:\n    t = json_text({made})"


def _made(code: Code, plain: Any) -> str | None:
    """Give the expression that makes a JSON value of `v`."""
    if isinstance(plain, type) and issubclass(plain, Value):
        return f"{code.constant(value_check(plain))}(v)"
    inner = get_args(plain)
    if get_origin(plain) is list and inner == (str,):
        return "texts(v)"
    if get_origin(plain) is list and isinstance(inner[0], type) and issubclass(inner[0], Value):
        return f"{code.constant(_list_check(value_check(inner[0])))}(v)"
    if get_origin(plain) is dict and inner[0] is str:
        return f"{code.constant(_object)}(v)"
    return None


def _object(value: Any) -> Any:
    if value.__class__ is not dict:
        raise Doubt
    for key in value:
        if key.__class__ is not str or key.strip() is not key:  # pydantic strips keys, too
            raise Doubt
    return value


def _list_check(one: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def many(value: Any) -> list[Any]:
        if value.__class__ is not list:
            raise Doubt
        return [one(each) for each in value]

    return many


def value_check(kind: type[Value]) -> Callable[[Any], Any]:
    """Make the function that takes a value inside a record: an object, or an instance, which was validated before."""
    code = Code()
    told = code.constant(kind)
    code.add(f"if v.__class__ is {told}:\n    return v.model_dump(mode='json', exclude_none=True)")
    code.add("if v.__class__ is not dict:\n    raise Doubt\nn, out, given = 0, {}, v")
    for name, info in kind.model_fields.items():
        code.add(f"if {name!r} in given:\n    n += 1\n    v = given[{name!r}]")
        check(code, info, json=True, indent=2)
        code.add(f"if t is not None:\n    out[{name!r}] = t", indent=2)
        default = info.get_default(call_default_factory=True)
        if info.is_required():
            code.add("else:\n    raise Doubt")
        elif default is not None:
            code.add(f"else:\n    out[{name!r}] = {orjson.loads(json_text(default))!r}")
    code.add("if n != len(given):\n    raise Doubt\nreturn out")
    return code.function(f"take_{kind.__name__}", "v")
