"""Custom fields as rows: kept by the database whoever writes the record, and found by filters."""

from typing import Any

import pytest
from sqlmodel import col, delete, select, update

from db.models.custom import LONGEST_VALUE, CustomValue
from db.models.registry import ENTITIES, EntitySpec
from db.shapes import SHAPES
from tests.factories.assets import make_asset
from tests.factories.inventory import make_inventory_level
from tests.factories.items import make_item
from tests.factories.locations import make_location
from tests.factories.maintenance import make_work_order
from tests.factories.purchasing import make_purchase_order
from tests.fixtures.reading import Shelf

MAKERS: dict[str, Any] = {
    "PurchaseOrder": make_purchase_order,
    "WorkOrder": make_work_order,
    "Item": make_item,
    "InventoryLevel": make_inventory_level,
    "Asset": make_asset,
    "Location": make_location,
}
WITH_CUSTOM_FIELDS = [spec for spec in ENTITIES if SHAPES[spec.type_name].custom]


async def values(shelf: Shelf) -> list[tuple[str, str, str]]:
    """Give what is stored: entity, name, value."""
    async with shelf.database.read(shelf.own) as session:
        rows = await session.execute(select(CustomValue).order_by(col(CustomValue.name), col(CustomValue.value)))
        return [(row.entity, row.name, row.value) for row in rows.scalars()]


@pytest.mark.parametrize("spec", WITH_CUSTOM_FIELDS, ids=lambda spec: spec.type_name)
async def test_every_entity_keeps_its_custom_fields_as_rows(shelf: Shelf, spec: EntitySpec) -> None:
    """To see it fail, leave the table out of `_WITH_CUSTOM_FIELDS` in the migration."""
    table: Any = spec.table
    entity = spec.entity.value
    async with shelf.database.write(shelf.own) as session:
        for n in range(2):
            await MAKERS[spec.type_name](
                session, scope=shelf.own, source_id=f"r-{n}", custom_fields={"colour": f"c{n}"}
            )
    assert await values(shelf) == [(entity, "colour", "c0"), (entity, "colour", "c1")]
    own = col(table.source_id) == "r-0"

    async with shelf.database.write(shelf.own) as session:
        await session.execute(update(table).where(own).values(custom_fields={"size": 7, "colour": None}))
        await session.execute(update(table).where(own).values(version=2))
    assert await values(shelf) == [(entity, "colour", "c1"), (entity, "size", "7")]

    async with shelf.database.write(shelf.own) as session:
        await session.execute(delete(table).where(own))
    assert await values(shelf) == [(entity, "colour", "c1")]


async def test_only_single_values_become_rows(shelf: Shelf) -> None:
    custom = {
        "text": "a",
        "number": 12.50,
        "big": 12345678901234567890,
        "yes": True,
        "null": None,
        "list": [1],
        "object": {"a": 1},
        "empty": "",
        "n" * 201: "x",
    }
    async with shelf.database.write(shelf.own) as session:
        await make_purchase_order(session, scope=shelf.own, custom_fields=custom)

    assert {name: value for _, name, value in await values(shelf)} == {
        "text": "a",
        "number": "12.5",
        "big": "12345678901234567890",
        "yes": "true",
        "empty": "",
    }


async def test_a_long_value_is_found_by_its_beginning_only(shelf: Shelf) -> None:
    longest = "ä" * LONGEST_VALUE
    async with shelf.database.write(shelf.own) as session:
        await make_purchase_order(session, scope=shelf.own, source_id="fits", custom_fields={"n": longest})
        await make_purchase_order(session, scope=shelf.own, source_id="cut", custom_fields={"n": longest + "ä" * 9000})
    query = """query ($f: CustomFieldFilter!) {
      purchaseOrders(filter: {customFields: [$f]}) { nodes { sourceId } } }"""

    async def found(**given: Any) -> list[str]:
        nodes = (await shelf.gql(query, f={"name": "n", **given}))["purchaseOrders"]["nodes"]
        return [node["sourceId"] for node in nodes]

    assert await found(eq=longest) == ["fits"]
    assert await found(**{"in": [longest]}) == ["fits"]
    assert await found(prefix=longest) == ["fits", "cut"]
    assert await found(isNull=False) == ["fits", "cut"]
    assert await found(isNull=True) == []
