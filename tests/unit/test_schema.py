"""The whole schema: what is readable is what the shapes hold, and everything says what it is."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
)
from strawberry.utils.str_converters import to_camel_case

from db.models.base import Many
from db.models.registry import ENTITIES
from db.shapes import SHAPES, Shape, value_fields
from graph.schema import make_schema

TYPES: Final[dict[str, GraphQLNamedType]] = {
    name: each for name, each in make_schema()._schema.type_map.items() if not name.startswith("__")
}
BUILT_IN: Final = {"String", "Int", "Float", "Boolean", "ID"}
NAMED: Final = {"text": "String", "integer": "Int", "decimal": "Decimal", "boolean": "Boolean", "date": "Date"} | {
    "instant": "DateTime",
    "id": "ID",
    "json": "JSON",
    "texts": "String",
}


def object_type(name: str) -> GraphQLObjectType:
    found = TYPES[name]
    assert isinstance(found, GraphQLObjectType)
    return found


@pytest.mark.parametrize("shape", SHAPES.values(), ids=lambda shape: shape.type_name)
def test_a_readable_type_has_the_columns_and_relations_of_its_shape_and_no_other_field(shape: Shape) -> None:
    told = set(object_type(shape.type_name).fields)

    assert told == {to_camel_case(name) for name in (*shape.columns, *shape.relations)}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=lambda shape: shape.type_name)
def test_a_column_is_told_in_its_kind_and_nullable_exactly_where_it_is_stored_so(shape: Shape) -> None:
    """Nobody nulls the parent of a null that the statement tells: the schema may promise no more than the table."""
    fields = object_type(shape.type_name).fields
    wrong = []
    for name, column in shape.columns.items():
        told = fields[to_camel_case(name)].type
        if isinstance(told, GraphQLNonNull) is column.nullable:
            wrong.append(f"{name}: {told}, stored {'null' if column.nullable else 'not null'}")
        if get_named_type(told).name != NAMED.get(column.kind, get_named_type(told).name):
            wrong.append(f"{name}: {told} for {column.kind}")
        if isinstance(get_named_type(told), GraphQLEnumType) is not (column.kind == "enum"):
            wrong.append(f"{name}: {told} for {column.kind}")

    assert wrong == []


@pytest.mark.parametrize("shape", SHAPES.values(), ids=lambda shape: shape.type_name)
def test_a_relation_to_many_is_never_null_and_points_at_its_target(shape: Shape) -> None:
    fields = object_type(shape.type_name).fields
    for name, relation in shape.relations.items():
        told = fields[to_camel_case(name)].type
        paged = isinstance(relation, Many) and relation.paged

        assert get_named_type(told).name == relation.target + ("Connection" if paged else "")
        if isinstance(relation, Many):
            assert isinstance(told, GraphQLNonNull)
            assert isinstance(told.of_type, GraphQLList) is not relation.paged


def test_a_value_inside_a_record_has_the_fields_of_its_class() -> None:
    values = {column.value for shape in SHAPES.values() for column in shape.columns.values() if column.value}

    assert {value.__name__ for value in values} >= {"Address", "PaymentTerms", "CustomerRef", "SourceError"}
    for value in values:
        assert set(object_type(value.__name__).fields) == {to_camel_case(name) for name in value_fields(value)}


@pytest.mark.parametrize("name", [spec.type_name for spec in ENTITIES])
def test_every_entity_is_a_node_with_a_field_for_one_and_a_list_of_many(name: str) -> None:
    query = object_type("Query").fields
    one = name[0].lower() + name[1:]

    assert [each.name for each in object_type(name).interfaces] == ["Node"]
    assert str(query[one].type) == name
    assert str(query[f"{one}s"].type) == f"{name}Connection!"
    pages = {"first", "after", "last", "before"}
    assert set(query[one].args) == {"id", "asOf"}
    assert set(query[f"{one}s"].args) == {"connectionId", "filter", "orderBy", "asOf", *pages}


def _undescribed() -> Iterator[str]:
    for name, each in TYPES.items():
        if name in BUILT_IN:
            continue
        if not each.description:
            yield name
        if isinstance(each, (GraphQLObjectType, GraphQLInputObjectType, GraphQLInterfaceType)):
            fields: dict[str, Any] = each.fields
            for key, field in fields.items():
                yield from (f"{name}.{key}({a})" for a, x in getattr(field, "args", {}).items() if not x.description)
                if not field.description:
                    yield f"{name}.{key}"
        if isinstance(each, GraphQLEnumType):
            yield from (f"{name}.{key}" for key, value in each.values.items() if not value.description)


def test_every_type_field_argument_and_value_says_what_it_is() -> None:
    assert list(_undescribed()) == []


def test_what_belongs_to_us_alone_is_told_nowhere() -> None:
    private = {"organizationId", "contentHash", "tokenHash", "leaseOwner", "fence", "checkpoints", "inputHash", "feeds"}
    told = {(name, key) for name in SHAPES for key in object_type(name).fields}

    assert {(name, key) for name, key in told if key in private} == set()
