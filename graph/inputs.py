"""Write inputs derived from the records, and what all mutations share."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields as dataclass_fields
from enum import Enum
from typing import Any, Final, TypeVar

import strawberry

from db.models import columns as c
from db.models.base import Fields
from db.models.inputs import INPUTS, REFERENCES
from db.models.maintenance.work_order import WorkOrderTask
from db.models.parties.vendor import Address
from db.types import Entity, ErrorCode, Operation, Problem, Reference, decode_id
from graph.entity import enumeration, graphql_type, summary
from graph.errors import bad_input

T = TypeVar("T")
CODES: Final = enumeration(ErrorCode)


GIVEN: Final = strawberry.argument(description="What is asked.")


@strawberry.type(description="Why a mutation did not do what was asked; nothing else was changed.")
class UserError:
    """Why a mutation did not do what was asked."""

    code: CODES = strawberry.field(description="What kind of problem it is.")  # type: ignore[valid-type]
    path: list[str] | None = strawberry.field(description="Where in the input, from its top.")
    message: str = strawberry.field(description="One sentence for people.")
    source_message: str | None = strawberry.field(description="The source system's own words.")


def user_error(problem: Problem) -> UserError:
    """Tell a problem."""
    return UserError(
        code=problem.code,
        path=list(problem.path) if problem.path else None,
        message=problem.message,
        source_message=problem.source_message,
    )


@strawberry.input(
    one_of=True, description="Names one thing of the connection. Nothing, or more than one, found is a userError."
)
class ReferenceInput:
    """Names one thing of the connection."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="Our id.")
    source_id: str | None = strawberry.field(default=strawberry.UNSET, description="The source's own key.")
    code: str | None = strawberry.field(default=strawberry.UNSET, description="The number or code as people know it.")


def given(of: Any) -> dict[str, Any]:
    """Give the fields that a caller set, in our names: references resolved later, enums as text."""
    return {
        field.name: _plain(getattr(of, field.name))
        for field in dataclass_fields(of)
        if getattr(of, field.name) is not strawberry.UNSET
    }


def _plain(value: Any) -> Any:
    if isinstance(value, ReferenceInput):
        source_id, code = value.source_id or None, value.code or None
        return Reference(decode_id(value.id)[1] if value.id else None, source_id, code)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if hasattr(type(value), "__strawberry_definition__"):
        return given(value)
    return value


@strawberry.input(description="A postal address.")
class AddressInput:
    """A postal address."""

    name: str | None = strawberry.field(default=None, description="Addressee.")
    lines: list[str] = strawberry.field(default_factory=list, description="Street lines.")
    city: str | None = strawberry.field(default=None, description="City.")
    region: str | None = strawberry.field(default=None, description="State, province or region.")
    postal_code: str | None = strawberry.field(default=None, description="Postal code.")
    country: str | None = strawberry.field(default=None, description="Country, ISO 3166-1 alpha-2.")
    site_code: str | None = strawberry.field(
        default=None, description="The source's code of the site, plant or warehouse."
    )


if set(Address.model_fields) != {field.name for field in dataclass_fields(AddressInput)}:
    raise TypeError("AddressInput and Address have come apart")


@strawberry.input(description="One step of a work order.")
class WorkOrderTaskInput:
    """One step of a work order."""

    description: str = strawberry.field(description="What is to be done.")


_VALUES: Final[dict[Any, Any]] = {
    Address: AddressInput,
    list[Address]: list[AddressInput],
    list[WorkOrderTask]: list[WorkOrderTaskInput],
}
"""JSON value inside a record → its input."""


def write_input(entity: Entity, operation: Operation, *, line: bool = False) -> Callable[[type[T]], type[T]]:
    """Complete an input with the fields of a write (see db.models.inputs), all of them optional.

    The class statement holds what is required, and what is no field of the record; limits are checked once, by the
    record itself.
    """
    declared = INPUTS[entity, operation]
    record = declared.line if line else declared.record
    if record is None:
        raise TypeError(f"{entity} has no lines")
    names = declared.lines if line else declared.fields

    def complete(of: type[T]) -> type[T]:
        stated = inspect.get_annotations(of)
        derived = {name: _field(record, name) for name in names if name not in stated}
        of.__annotations__ = stated | {name: annotation for name, (annotation, _) in derived.items()}
        for name, (_, description) in derived.items():
            setattr(of, name, strawberry.field(default=strawberry.UNSET, description=description))
        return strawberry.input(of, description=summary(of))

    return complete


def _field(record: type[Fields], name: str) -> tuple[Any, str | None]:
    if name in REFERENCES:
        return ReferenceInput | None, REFERENCES[name]
    info = record.model_fields[name]
    plain = c.plain_type(info.annotation)
    return (_VALUES[plain] if plain in _VALUES else graphql_type(plain)) | None, info.description


def json_object(value: Any, name: str) -> dict[str, Any]:
    """Give a JSON argument as an object; null is an empty one.

    Raises:
        ApiError: BAD_USER_INPUT where it is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad_input(f"{name} is a JSON object.")
    return value


def without_nulls(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is null: on a create, null and nothing are the same."""
    return {name: value for name, value in values.items() if value is not None}
