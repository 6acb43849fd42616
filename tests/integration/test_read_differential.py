"""The product's answers beside those of an oracle that shares no SQL: equal, key by key, in their order."""

from random import Random
from typing import Any, Final

import orjson
import pytest
from graphql import build_schema

from db.scope import Scope
from db.types import PREFIXES, encode_id, new_id
from graph.schema import sdl
from tests.factories.rows import EPOCH
from tests.fixtures.documents import Document, Vocabulary
from tests.fixtures.mixed import AMOUNTS, DAYS, INSTANTS, LATER, TEXTS, fill
from tests.fixtures.oracle import LEFT_OUT, Oracle, loaded
from tests.fixtures.reading import Shelf
from tests.fixtures.telling import told_value

LISTS: Final = ("purchaseOrders", "workOrders", "vendors", "items", "inventoryLevels", "syncRuns", "writeOperations")
SUMMARIES: Final = ("purchaseOrderSummary", "workOrderSummary", "inventoryLevelSummary", "itemSummary")
ROOTS: Final = (
    *LISTS,
    *LISTS,
    *SUMMARIES,
    "connections",
    "systems",
    "connection",
    "purchaseOrder",
    "vendor",
    "node",
    "nodes",
)
VALUES: Final[dict[str, list[Any]]] = {
    "first": [0, 1, 2, 3, 7],
    "last": [0, 1, 3],
    "types": ["PurchaseOrder", "WorkOrder", "Vendor", "Item", "InventoryLevel"],
    "String": [*filter(None, TEXTS), "", "v0", "o1", "EUR"],
    "Int": [0, 1, 5],
    "Boolean": [True, False],
    "Date": [told_value(day, "") for day in DAYS if day],
    "DateTime": [told_value(at, "") for at in INSTANTS if at],
    "asOf": [told_value(at, "") for at in (EPOCH, *INSTANTS, *LATER) if at],
    "Decimal": [*(told_value(amount, "") for amount in AMOUNTS if amount is not None), "100.000045"],
    "MetadataFilter": [
        {"name": "site", "eq": "a"},
        {"name": "site", "isNull": True},
        {"name": "n", "in": ["1", "2"]},
        {"name": "site", "prefix": "a"},
        {"name": "list"},
    ],
    "LabelsFilter": [{"has": "red"}, {"hasAny": ["red", "blue"]}, {"has": "red", "hasAny": ["blue"]}, {"hasAny": []}],
    "CustomFieldFilter": [
        {"name": "colour", "eq": "red"},
        {"name": "colour", "isNull": True},
        {"name": "n", "in": ["1", "2"]},
        {"name": "ok", "prefix": "t"},
        {"name": "list"},
    ],
}
RECORDS: Final = ["PurchaseOrder", "WorkOrder", "Vendor", "Item", "InventoryLevel"]


async def prepared(shelf: Shelf) -> tuple[Oracle, dict[Scope, Vocabulary]]:
    """Fill the shelf; gives the oracle, and what documents of the organization and of the connection may say."""
    await fill(shelf)
    schema = build_schema(sdl())
    rows = await loaded(shelf.database, shelf.own)
    ids = {
        name: [encode_id(name, row.id) for row in rows[name]] + [encode_id(name, new_id())]
        for name in rows.keys() & PREFIXES.keys()
    }
    values: dict[str, list[Any]] = {
        **VALUES,
        **{f"{name}.id": keys for name, keys in ids.items()},
        **{f"Query.{name[0].lower()}{name[1:]}.id": keys for name, keys in ids.items()},
        "Query.node.id": [key for name in RECORDS for key in ids[name][::4]],
        "Query.connection.id": ids["ConnectedSystem"],
        "connectionId": ids["ConnectedSystem"][:-1],
    }
    values["ids"] = [Random(n).choices(values["Query.node.id"], k=5) for n in range(20)]
    wide, own = (
        Vocabulary(schema, ROOTS, LEFT_OUT, {**values, **more})
        for more in ({}, {"connectionId": [shelf.connection_id]})
    )
    return Oracle(schema, rows, shelf.own), {shelf.product.scope: wide, shelf.own: own}


def told(data: Any) -> str:
    """Write an answer down, its keys in the order they came."""
    return orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()


@pytest.mark.parametrize("count", [300, pytest.param(5_000, marks=pytest.mark.slow)])
async def test_documents_made_from_the_schema_are_answered_alike(shelf: Shelf, count: int) -> None:
    """By the connection's token, and by the organization's key for both connections.

    To see it fail, give `lte` another operator in `db.predicates`, leave `only` out of the joins of `db.page`, or list
    the rows that are gone in `db.lists`.
    """
    oracle, vocabularies = await prepared(shelf)
    for seed in range(count):
        scope, key = [(shelf.own, shelf.token), (shelf.product.scope, shelf.product.key)][seed % 2]
        query, variables = Document(vocabularies[scope], Random(seed)).made()
        oracle.scope = scope

        status, body = await shelf.product.post(query, key=key, **variables)

        assert (status, body.get("errors")) == (200, None), (seed, query, variables)
        assert told(body["data"]) == told(oracle.answer(query, variables)), (seed, query, variables)
