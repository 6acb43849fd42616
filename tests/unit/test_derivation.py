"""One declaration gives the graph: a type with its relations, and an input, from the classes that are stored."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import strawberry
from graphql import GraphQLInputObjectType, GraphQLObjectType

from db.models.inventory.inventory_level import InventoryLevel
from db.models.items.item import ItemFields
from db.models.purchasing.purchase_order import PurchaseOrderStatus
from db.types import InvalidId, Reference, encode_id
from graph.entity import entity
from graph.inputs import ReferenceInput, given, record_input

ITEM = UUID("01930000000070008000000000000001")


@strawberry.type(description="Where it stands.")
class Place:
    name: str = strawberry.field(description="Its name.")


class InventoryLevelOfTest:
    """How much lies somewhere."""

    connection: Place = strawberry.field(description="Whose it is.")
    item: Place | None = strawberry.field(description="What lies there.")


InventoryLevelOfTest.__name__ = InventoryLevelOfTest.__qualname__ = "InventoryLevel"
Derived: Any = entity(InventoryLevel)(InventoryLevelOfTest)


@strawberry.type
class Query:
    @strawberry.field
    def level(self) -> Derived | None:
        return None


@record_input(ItemFields, "code", "type", "standard_cost", "custom_fields")
class ItemChange:
    """What to change of an item."""

    replaces: ReferenceInput | None = strawberry.field(default=strawberry.UNSET, description="What it replaces.")


@strawberry.type
class Mutation:
    @strawberry.mutation
    def change(self, to: ItemChange) -> bool:
        return to is not None


SCHEMA = strawberry.Schema(query=Query, mutation=Mutation)


def fields_of(name: str) -> dict[str, tuple[str, str | None]]:
    """Give GraphQL name → type and description."""
    found = SCHEMA._schema.type_map[name]
    assert isinstance(found, (GraphQLObjectType, GraphQLInputObjectType))
    return {key: (str(field.type), field.description) for key, field in found.fields.items()}


def test_a_type_has_the_public_fields_of_its_table_with_type_nullability_and_description() -> None:
    assert fields_of("InventoryLevel") == {
        "id": ("ID!", "Our own id."),
        "sourceId": ("String!", "The source's own key."),
        "version": ("Int!", "Counts the record's versions, from 1."),
        "sourceUpdatedAt": ("DateTime", "When the source says it changed, UTC."),
        "syncedAt": ("DateTime!", "When this version was stored, UTC."),
        "deletedAt": ("DateTime", "When it was found gone from the source, UTC."),
        "itemCode": ("String", "Code of the item, material or product."),
        "site": ("String", "The source's code of the site, plant or company."),
        "location": ("String", "The source's code of the warehouse or store."),
        "bin": ("String", "Bin or place within the location."),
        "lot": ("String", "Lot, batch or serial number."),
        "stockClass": ("StockClass!", "What may be done with it."),
        "nativeStockClass": ("String", "The source's own stock type, word for word."),
        "onHand": ("Decimal", "How much is there."),
        "reserved": ("Decimal", "How much of it is promised."),
        "available": ("Decimal", "How much of it can be taken."),
        "onOrder": ("Decimal", "How much is ordered and not yet there."),
        "unit": (
            "String",
            "Unit of measure: UN/ECE Rec 20 where the connection maps it, else the source's own.",
        ),
        "nativeUnit": ("String", "The source's own unit of measure."),
        "asOf": ("DateTime", "When the source says the quantity held, UTC; most sources do not say."),
        "customFields": ("JSON!", "Fields beyond the model."),
        "connection": ("Place!", "Whose it is."),
        "item": ("Place", "What lies there."),
    }


def test_a_type_that_does_not_state_a_relation_of_its_table_is_refused() -> None:
    class Level:
        item: Place | None = strawberry.field(description="What lies there.")

    Level.__name__ = "InventoryLevel"

    with pytest.raises(TypeError, match=r"does not state the relations \['connection'\] of InventoryLevel"):
        entity(InventoryLevel)(Level)


def test_a_type_of_another_name_than_its_table_is_refused() -> None:
    class Level:
        connection: Place
        item: Place | None

    with pytest.raises(TypeError, match="Level does not state"):
        entity(InventoryLevel)(Level)


def test_an_input_has_the_named_fields_all_optional_and_what_it_states_itself() -> None:
    assert fields_of("ItemChange") == {
        "replaces": ("ReferenceInput", "What it replaces."),
        "code": ("String", "The code people know the item by."),
        "type": ("ItemType", "What it is to its system."),
        "standardCost": ("Decimal", "Cost of one base unit."),
        "customFields": ("JSON", "Fields beyond the model."),
    }


def test_only_what_the_caller_set_is_given_and_null_is_something() -> None:
    change: Any = ItemChange

    assert given(change()) == {}
    assert given(change(code=None, standard_cost=Decimal("1.50"))) == {"code": None, "standard_cost": Decimal("1.50")}


def test_enums_and_references_are_given_in_our_own_words() -> None:
    change: Any = ItemChange
    by_id = ReferenceInput(id=strawberry.ID(encode_id("Item", ITEM)))

    assert given(change(type=PurchaseOrderStatus.SENT, replaces=by_id)) == {
        "type": "SENT",
        "replaces": Reference(id=ITEM),
    }
    assert given(change(replaces=ReferenceInput(code="BOLT-8"))) == {"replaces": Reference(code="BOLT-8")}
    assert given(change(replaces=ReferenceInput(source_id="17"))) == {"replaces": Reference(source_id="17")}


def test_a_reference_by_a_text_that_is_no_id_is_refused() -> None:
    change: Any = ItemChange

    with pytest.raises(InvalidId):
        given(change(replaces=ReferenceInput(id=strawberry.ID("17"))))
