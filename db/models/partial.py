"""Validate some fields of a record: what a caller sent, under the record's own limits."""

from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from db.models.base import Fields
from db.types import ErrorCode, Problem


@cache
def _partial(record: type[Fields], names: frozenset[str]) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for name in names:
        declared = record.model_fields[name]
        limits = [m for m in declared.metadata if type(m).__name__ != "FieldInfoMetadata"]
        fields[name] = (Annotated[declared.annotation, Field(), *limits], ...)
    config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    made: type[BaseModel] = create_model(f"{record.__name__}Part", __config__=config, **fields)
    return made


def checked(
    record: type[Fields], values: dict[str, Any], *, path: tuple[str, ...]
) -> tuple[dict[str, Any], list[Problem]]:
    """Validate the given fields of a record, and no others.

    Args:
        record: The class whose limits hold.
        values: Field → value, in our names.
        path: Where the values stand in the caller's input; field names are added in camel case.

    Returns:
        The values in the record's types, and what is wrong with them.
    """
    try:
        made = _partial(record, frozenset(values)).model_validate(values)
    except ValidationError as error:
        return {}, [
            Problem(ErrorCode.BAD_USER_INPUT, f"{each['msg']}.", (*path, *(camel(str(step)) for step in each["loc"])))
            for each in error.errors(include_url=False, include_input=False)
        ]
    return {name: getattr(made, name) for name in values}, []


def camel(name: str) -> str:
    """Give the API's name of a field: `order_date` → `orderDate`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
