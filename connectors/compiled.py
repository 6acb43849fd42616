"""Mappings, compiled: a function per mapping that makes a record's rows of text straight from an item.

The mapping stays data; this is its quick reading. Where the function meets anything but the ordinary, `project` maps
the item and pydantic validates it, so verdicts, values and reasons are the same on both ways.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from connectors.checks import Code, Doubt, check, json_text
from connectors.errors import MappingError
from connectors.mapping import Each, EntityMapping, To, as_is, at, every, project, unit
from db.models.base import Fields
from db.models.rows import Record, Row, child_fields, record_of, stored_names, text_of

Compiled = Callable[[Mapping[str, Any], Mapping[str, str]], Record]
_REFUSED: Final = (Doubt, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


def record(mapping: EntityMapping, body: Mapping[str, Any], *, units: Mapping[str, str], plain: bool = True) -> Record:
    """Make the rows of an item.

    Args:
        mapping: The entity's mapping.
        body: The raw item.
        units: Native unit → UN/ECE Rec 20 code.
        plain: False where the item is known to hold characters that need a closer look.

    Raises:
        MappingError: The item cannot be mapped, or not be stored; the message names the field.
    """
    if plain:
        try:
            return compiled(mapping)(body, units)
        except _REFUSED:
            pass  # said again below, with the reason
    try:
        return record_of(project(mapping, body, units=units))
    except ValueError as error:
        raise MappingError(str(error)) from error


def compiled(mapping: EntityMapping) -> Compiled:
    """Give the function of a mapping; made once."""
    found: Compiled | None = mapping.cache.get("compiled")
    if found is None:
        found = mapping.cache["compiled"] = _compile(mapping)
    return found


def _compile(mapping: EntityMapping) -> Compiled:
    own = _row(mapping.record, mapping.fields)
    children = [_children(mapping.part(name), kind) for name, kind in child_fields(mapping.record).items()]
    if len(children) == 1:
        (only,) = children
        return lambda body, units: Record(own(body, units), (only(body, units),))
    return lambda body, units: Record(own(body, units), tuple(child(body, units) for child in children))


def _children(part: To | Each | None, kind: type[Fields]) -> Callable[..., tuple[Row, ...]]:
    if part is None:
        return lambda _body, _units: ()
    if isinstance(part, To):
        return _doubt
    return _elements(part, _row(kind, part.fields))


def _doubt(_body: Any, _units: Any) -> tuple[Row, ...]:
    raise Doubt


def _elements(part: Each, one: Callable[..., Any]) -> Callable[..., tuple[Any, ...]]:
    code = Code(names={"Doubt": Doubt, "at": at, "one": one, "when": part.when})
    code.add(f"found = {_read(code, part.source)}")
    code.add("if found is None:\n    return ()\nif found.__class__ is not list:\n    raise Doubt\nmade = []")
    code.add("for each in found:\n    if each.__class__ is not dict:\n        raise Doubt")
    if part.when is not every:
        code.add("if not when(each):\n    continue", indent=2)
    code.add("made.append(one(each, units))", indent=2)
    code.add("return tuple(made)")
    return code.function(f"read_{part.target}", "body, units")


def _row(kind: type[Fields], parts: Sequence[To | Each]) -> Callable[..., Row]:
    """Make the function that gives an item's row."""
    code = Code(names={"Doubt": Doubt, "at": at, "json_text": json_text})
    by_name = {part.target: part for part in parts}
    told = []
    for n, name in enumerate(stored_names(kind)):
        part, info = by_name.get(name), kind.model_fields[name]
        if part is None and not info.is_required():
            told.append(repr(text_of(info.get_default(call_default_factory=True))))
            continue
        _value(code, part)
        check(code, info)
        code.add(f"r{n} = t")
        told.append(f"r{n}")
    code.add(f"return ({', '.join(told)},)")
    return code.function(f"row_of_{kind.__name__}", "body, units")


def _value(code: Code, part: To | Each | None) -> None:
    """Add the lines that leave a field's value in `v`."""
    if part is None:
        code.add("raise Doubt")
        return
    if isinstance(part, Each):
        code.add(f"v = list({code.constant(_elements(part, _values(part.fields)))}(body, units))")
        return
    reads = [_read(code, path) for path in part.paths]
    if part.read is as_is and len(reads) == 1:
        code.add(f'v = {reads[0]}\nif v == "":\n    v = None')
    elif part.read is unit and len(reads) == 1:
        code.add(f"v = {reads[0]} or None\nif v is not None:\n    v = units.get(v, v)")
    else:
        code.add(f"v = {code.constant(part.read)}({', '.join(reads)})")


def _values(parts: Sequence[To]) -> Callable[..., dict[str, Any]]:
    """Make the function that gives an element's values by name, for a list inside a record."""
    code = Code(names={"at": at})
    code.add("made = {}")
    for part in parts:
        _value(code, part)
        code.add(f"if v is not None:\n    made[{part.target!r}] = v")
    code.add("return made")
    return code.function("values_of", "body, units")


def _read(code: Code, path: str) -> str:
    """Give the expression that reads a path of `body`."""
    if "/" not in path:
        return f"body.get({path!r})"
    first, rest = path.split("/", 1)
    if "/" in rest:
        return f"at(body, {path!r})"
    name = f"p{len(code.names)}"
    code.names[name] = None  # keeps the name taken; the function has one of its own
    code.add(f"{name} = body.get({first!r})")
    code.add(f"{name} = {name}.get({rest!r}) if {name}.__class__ is dict else at(body, {path!r})")
    return name
