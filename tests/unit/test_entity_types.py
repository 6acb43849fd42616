"""Types and inputs derived from what is declared once."""

import re
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import strawberry
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, parse
from sqlmodel import SQLModel

from db.models import columns as c
from db.models.base import Fields
from db.models.inputs import INPUTS, REFERENCES
from db.models.purchasing.purchase_order import Progress, PurchaseOrder, PurchaseOrderFields, PurchaseOrderLineFields
from db.models.registry import READABLE
from db.shapes import SHAPES, public_name
from db.types import Entity, InvalidId, Operation, Reference, encode_id
from graph.entity import entity, enumeration, graphql_type
from graph.errors import ApiError
from graph.inputs import AddressInput, ReferenceInput, given, json_object, without_nulls
from graph.mutations.purchasing import PurchaseOrderCreate, PurchaseOrderLineCreate
from graph.schema import make_schema, sdl

SCHEMA = make_schema()._schema
CAMEL = re.compile(r"_([a-z])")


def camel(name: str) -> str:
    return CAMEL.sub(lambda found: found[1].upper(), name)


def fields_of(type_name: str) -> dict[str, Any]:
    found = SCHEMA.type_map[type_name]
    assert isinstance(found, GraphQLObjectType | GraphQLInputObjectType | GraphQLInterfaceType)
    return dict(found.fields)


@pytest.mark.parametrize("table", READABLE, ids=lambda table: table.__name__)
def test_a_readable_type_has_its_columns_and_relations_and_nothing_else(table: type[SQLModel]) -> None:
    shape = SHAPES[table.__name__]

    assert set(fields_of(table.__name__)) == {camel(name) for name in (*shape.columns, *shape.relations)}


@pytest.mark.parametrize("table", READABLE, ids=lambda table: table.__name__)
def test_a_derived_field_is_described_and_may_be_null_as_its_column_may(table: type[SQLModel]) -> None:
    shape, told = SHAPES[table.__name__], fields_of(table.__name__)
    by_name: dict[str, Any] = {public_name(name): info for name, info in table.model_fields.items()}
    by_name |= getattr(table, "computed", {})

    for name, column in shape.columns.items():
        if name == "id":
            continue
        field = told[camel(name)]
        assert field.description == by_name[name].description
        assert str(field.type).endswith("!") is not column.nullable, name


def test_every_public_field_of_an_order_has_its_type() -> None:
    told = {name: str(field.type) for name, field in fields_of("PurchaseOrder").items()}
    wanted = {
        "orderNumber": "String",
        "status": "PurchaseOrderStatus!",
        "orderDate": "Date",
        "totalNet": "Decimal",
        "paymentTerms": "PaymentTerms",
        "shipTo": "Address",
        "customFields": "JSON!",
        "syncedAt": "DateTime!",
        "version": "Int!",
        "id": "ID!",
        "vendor": "Vendor",
        "lines": "[PurchaseOrderLine!]!",
        "connection": "ConnectedSystem!",
    }

    public = {n for n, i in PurchaseOrderFields.model_fields.items() if c.declared(i, "public") is not False}
    assert {camel(name) for name in public} <= set(told)
    assert {name: told[name] for name in wanted} == wanted


@pytest.mark.parametrize("hidden", ["vendorSourceId", "contentHash", "organizationId", "connectionId"])
def test_what_is_not_public_is_no_field(hidden: str) -> None:
    assert hidden not in fields_of("PurchaseOrder")


def test_a_class_that_forgets_a_relation_is_refused() -> None:
    forgetful = type("PurchaseOrder", (), {"__annotations__": {"connection": str}})

    with pytest.raises(TypeError, match=r"PurchaseOrder does not state the relations \['lines', 'vendor'\]"):
        entity(PurchaseOrder)(forgetful)


def test_a_class_of_another_name_is_refused() -> None:
    class Order:
        """An order."""

    with pytest.raises(TypeError, match="Order does not state the relations"):
        entity(PurchaseOrder)(Order)


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        (str, str),
        (str | None, str | None),
        (Decimal | None, Decimal | None),
        (UUID, strawberry.ID),
        (list[str], list[str]),
    ],
)
def test_a_plain_annotation_is_told_as_its_scalar(annotation: Any, told: Any) -> None:
    assert graphql_type(annotation) == told


def test_a_vocabulary_is_one_enum_wherever_it_stands() -> None:
    assert enumeration(Progress) is enumeration(Progress)
    found = SCHEMA.type_map["Progress"]
    assert isinstance(found, GraphQLEnumType)
    assert list(found.values) == ["NONE", "PARTIAL", "FULL", "UNKNOWN"]
    assert found.description == "How much of an order was received or billed."


@pytest.mark.parametrize(
    ("name", "record", "required", "optional"),
    [
        (
            "PurchaseOrderCreate",
            PurchaseOrderFields,
            {"vendor", "lines"},
            {"currency", "orderDate", "requiredDate", "notes", "customFields", "paymentTerms", "shipTo"}
            | {"vendorReference"},
        ),
        (
            "PurchaseOrderLineCreate",
            PurchaseOrderLineFields,
            {"quantity"},
            {"item", "location", "description", "unit", "unitPrice", "requiredDate", "customFields"}
            | {"vendorItemCode", "taxCode", "accountAssignment"},
        ),
    ],
)
def test_an_input_asks_for_what_it_states_and_offers_the_rest(
    name: str, record: type[Fields], required: set[str], optional: set[str]
) -> None:
    told = fields_of(name)
    snake = {camel(each): info for each, info in record.model_fields.items()}

    assert {each for each, field in told.items() if str(field.type).endswith("!")} == required
    assert set(told) - required == optional
    stated = {"vendor", "lines", "paymentTerms", "shipTo", "quantity", "item", "location"}
    for each in optional - stated:
        assert told[each].description == snake[each].description


@pytest.mark.parametrize("write", INPUTS, ids=lambda write: f"{write[0]}-{write[1]}")
def test_every_declared_input_is_a_field_of_its_record_or_a_reference(write: tuple[Entity, Operation]) -> None:
    given = INPUTS[write]

    assert [name for name in given.fields if name not in {*given.record.model_fields, *REFERENCES}] == []
    lines = given.line.model_fields if given.line else {}
    assert [name for name in given.lines if name not in {*lines, *REFERENCES}] == []


def test_only_what_a_caller_set_is_given() -> None:
    order: Any = PurchaseOrderCreate
    line: Any = PurchaseOrderLineCreate
    vendor = UUID(int=7)
    asked = order(
        vendor=ReferenceInput(id=strawberry.ID(encode_id("Vendor", vendor))),
        lines=[line(quantity=Decimal("1.50"), item=ReferenceInput(code="A-1"), description=None)],
        payment_terms=ReferenceInput(source_id="30"),
        ship_to=AddressInput(city="Hamburg"),
        notes=None,
    )

    assert given(asked) == {
        "vendor": Reference(id=vendor),
        "lines": [{"quantity": Decimal("1.50"), "item": Reference(code="A-1"), "description": None}],
        "payment_terms": Reference(source_id="30"),
        "ship_to": {
            "name": None,
            "lines": [],
            "city": "Hamburg",
            "region": None,
            "postal_code": None,
            "country": None,
            "site_code": None,
        },
        "notes": None,
    }


def test_a_reference_by_a_wrong_id_is_refused() -> None:
    order: Any = PurchaseOrderCreate
    asked = order(vendor=ReferenceInput(id=strawberry.ID("v-1")), lines=[])

    with pytest.raises(InvalidId):
        given(asked)


@pytest.mark.parametrize(("value", "told"), [(None, {}), ({}, {}), ({"a": [1]}, {"a": [1]})])
def test_a_json_argument_is_an_object_or_nothing(value: Any, told: Any) -> None:
    assert json_object(value, "metadata") == told


@pytest.mark.parametrize("value", [[], "x", 1, True, False, 0, ""])
def test_a_json_argument_of_another_kind_is_refused_by_its_name(value: Any) -> None:
    with pytest.raises(ApiError) as refused:
        json_object(value, "metadata")

    assert refused.value.message == "metadata is a JSON object."
    assert (refused.value.extensions or {})["code"] == "BAD_USER_INPUT"


def test_nulls_are_left_out_and_other_empty_values_kept() -> None:
    assert without_nulls({"a": None, "b": "", "c": 0, "d": [], "e": False}) == {"b": "", "c": 0, "d": [], "e": False}


def undescribed(*, arguments: bool) -> list[str]:
    """List what the schema does not describe: arguments, or else types, fields and input fields."""
    types = {name: of for name, of in SCHEMA.type_map.items() if not name.startswith("__")}
    fields = [(f"{name}.{n}", field) for name, of in types.items() for n, field in getattr(of, "fields", {}).items()]
    declared: list[tuple[str, Any]] = [*types.items(), *fields]
    if arguments:
        declared = [(f"{name}({n})", each) for name, f in fields for n, each in getattr(f, "args", {}).items()]
    return [name for name, each in declared if not each.description]


def test_every_type_field_and_input_field_is_described() -> None:
    assert undescribed(arguments=False) == []


def test_every_argument_is_described() -> None:
    assert undescribed(arguments=True) == []


def test_the_printed_schema_is_one_that_parses() -> None:
    assert parse(sdl()).definitions
