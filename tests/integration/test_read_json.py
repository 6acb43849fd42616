"""The JSON that the database writes: every key in its place, every value exact."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from db.types import encode_id
from tests.factories.parties import make_vendor
from tests.factories.purchasing import make_purchase_order, make_purchase_order_line
from tests.fixtures.reading import Shelf

AWKWARD = [
    "quotes \" and ' and `",
    "back\\slash \\n \\u0041 \\\\",
    "line\nfeed\ttab\rreturn",
    "controls \x01\x08\x0c\x1b\x1f\x7f",
    "separators \u2028 \u2029 and \u0085 and \ufeff",
    "emoji 🛠️ 👩🏽‍🔧, astral \U0001d4b3, combined e\u0301",
    "percent % under_score $1 ${x} :name {x} %s",
    "'; DROP TABLE purchase_order; --",
    "null",
    "<script>&amp;</script>",
]


async def text_of(shelf: Shelf, query: str, **variables: Any) -> str:
    """Ask, and give the answer's text as it came."""
    body = orjson.dumps({"query": query, "variables": variables})
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {shelf.token}"}
    async with shelf.product.http.post(f"{shelf.product.url}/graphql", data=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


async def add_order(shelf: Shelf, **values: Any) -> str:
    """Store an order; gives its public id."""
    async with shelf.database.write(shelf.own) as session:
        order = await make_purchase_order(session, scope=shelf.own, **values)
    return encode_id("PurchaseOrder", order.id)


async def test_keys_come_in_the_order_of_the_selection(shelf: Shelf) -> None:
    own_id = await add_order(shelf, order_number="7")
    query = """{ purchaseOrders { pageInfo { hasPreviousPage hasNextPage } nodes { z: status orderNumber a: orderNumber
        lines { itemCode } id currency b: __typename } totalCount } }"""

    told = await text_of(shelf, query)

    order = (
        f'{{"z":"APPROVED","orderNumber":"7","a":"7","lines":[],"id":"{own_id}","currency":null,"b":"PurchaseOrder"}}'
    )
    page = f'{{"pageInfo":{{"hasPreviousPage":false,"hasNextPage":false}},"nodes":[{order}],"totalCount":1}}'
    assert told.startswith(f'{{"data":{{"purchaseOrders":{page}}}')


async def test_long_aliases_with_one_beginning_stay_apart(shelf: Shelf) -> None:
    """Names in Postgres end at 63 bytes; keys of an answer do not."""
    await add_order(shelf, order_number="7")
    head = "a" * 69
    fields = " ".join(f"{head}{n}: {name}" for n, name in enumerate(["orderNumber", "status", "currency", "id"]))

    [node] = (await shelf.gql(f"{{ purchaseOrders {{ nodes {{ {fields} }} }} }}"))["purchaseOrders"]["nodes"]

    assert [len(key) for key in node] == [70] * 4
    assert [node[f"{head}{n}"] for n in range(3)] == ["7", "APPROVED", None]


async def test_an_object_may_have_six_hundred_fields(shelf: Shelf) -> None:
    """json_build_object takes 50 pairs."""
    await add_order(shelf, order_number="7")
    fields = " ".join(f"f{n}: orderNumber" for n in range(600))

    [node] = (await shelf.gql(f"{{ purchaseOrders {{ nodes {{ {fields} }} }} }}"))["purchaseOrders"]["nodes"]

    assert node == {f"f{n}": "7" for n in range(600)}


async def test_typenames_are_told_everywhere(shelf: Shelf) -> None:
    async with shelf.database.write(shelf.own) as session:
        await make_vendor(session, scope=shelf.own, source_id="v", addresses=[{"city": "Ulm"}])
        order = await make_purchase_order(
            session, scope=shelf.own, vendor_source_id="v", ship_to={"city": "Bonn"}, payment_terms={"code": "N30"}
        )
        await make_purchase_order_line(session, scope=shelf.own, order=order, schedules=[{"number": "1"}])
    query = """{ __typename purchaseOrders { __typename pageInfo { __typename } edges { __typename node { __typename
        shipTo { __typename city } paymentTerms { __typename } billTo { __typename }
        connection { __typename system { __typename } customer { __typename } }
        lines { __typename schedules { __typename number } shipTo { __typename } }
        vendor { __typename addresses { __typename } purchaseOrders { __typename nodes { __typename } } }
    } } } }"""

    told = await shelf.gql(query)

    assert told == {
        "__typename": "Query",
        "purchaseOrders": {
            "__typename": "PurchaseOrderConnection",
            "pageInfo": {"__typename": "PageInfo"},
            "edges": [
                {
                    "__typename": "PurchaseOrderEdge",
                    "node": {
                        "__typename": "PurchaseOrder",
                        "shipTo": {"__typename": "Address", "city": "Bonn"},
                        "paymentTerms": {"__typename": "PaymentTerms"},
                        "billTo": None,
                        "connection": {
                            "__typename": "ConnectedSystem",
                            "system": {"__typename": "System"},
                            "customer": {"__typename": "CustomerRef"},
                        },
                        "lines": [
                            {
                                "__typename": "PurchaseOrderLine",
                                "schedules": [{"__typename": "DeliverySchedule", "number": "1"}],
                                "shipTo": None,
                            }
                        ],
                        "vendor": {
                            "__typename": "Vendor",
                            "addresses": [{"__typename": "Address"}],
                            "purchaseOrders": {
                                "__typename": "PurchaseOrderConnection",
                                "nodes": [{"__typename": "PurchaseOrder"}],
                            },
                        },
                    },
                }
            ],
        },
    }


async def test_fragments_merge_into_one_object(shelf: Shelf) -> None:
    """One field selected in two fragments tells the sub-fields of both."""
    async with shelf.database.write(shelf.own) as session:
        await make_vendor(session, scope=shelf.own, source_id="v", name="Vendor", number="7", addresses=[{"city": "U"}])
        order = await make_purchase_order(
            session, scope=shelf.own, vendor_source_id="v", ship_to={"city": "Bonn", "country": "DE"}
        )
        await make_purchase_order_line(session, scope=shelf.own, order=order, item_code="BOLT", unit="C62")
    query = """
    fragment A on PurchaseOrder { vendor { name addresses { city } } shipTo { city } lines { itemCode } ...B }
    fragment B on PurchaseOrder { status vendor { number name } shipTo { country } lines { unit } }
    { purchaseOrders { ...P nodes { vendor { ... on Vendor { id @skip(if: true) number } } ...B } } }
    fragment P on PurchaseOrderConnection { nodes { ...A } edges { node { ...B } } edges { cursor @skip(if: true) } }
    """

    told = (await shelf.gql(query))["purchaseOrders"]

    vendor = {"name": "Vendor", "addresses": [{"city": "U"}], "number": "7"}
    a = {"vendor": vendor, "shipTo": {"city": "Bonn", "country": "DE"}}
    assert told["nodes"] == [{**a, "lines": [{"itemCode": "BOLT", "unit": "C62"}], "status": "APPROVED"}]
    b = {"vendor": {"number": "7", "name": "Vendor"}, "shipTo": {"country": "DE"}, "lines": [{"unit": "C62"}]}
    assert told["edges"] == [{"node": {"status": "APPROVED", **b}}]


async def test_inline_fragments_on_a_node_tell_only_its_own_type(shelf: Shelf) -> None:
    own_id = await add_order(shelf, order_number="7")
    query = """query ($id: ID!) { node(id: $id) { __typename ... on Vendor { name id } ... on Node { id }
        ... on PurchaseOrder { orderNumber ... on Node { same: id } } } }"""

    told = (await shelf.gql(query, id=own_id))["node"]

    assert told == {"__typename": "PurchaseOrder", "id": own_id, "orderNumber": "7", "same": own_id}


@pytest.mark.parametrize("text", AWKWARD)
async def test_texts_come_back_as_they_were_stored(shelf: Shelf, text: str) -> None:
    custom = {text: text, "list": [text, {"deep": text}], "z": 1}
    address = {"name": text, "lines": [text, "second"]}
    own_id = await add_order(
        shelf, source_id=text, order_number=text, notes=text, ship_to=address, custom_fields=custom
    )
    fields = "sourceId orderNumber notes shipTo { name lines city } customFields"

    told = (await shelf.gql(f"query ($id: ID!) {{ purchaseOrder(id: $id) {{ {fields} }} }}", id=own_id))[
        "purchaseOrder"
    ]

    assert told == {
        "sourceId": text,
        "orderNumber": text.strip(),
        "notes": text.strip(),
        "shipTo": {**address, "city": None},
        "customFields": custom,
    }


@pytest.mark.parametrize(
    "number",
    ["0.000001", "123456789012345678.123456", "-0.10", "0", "100", "1.50", "1E+3", "99999999999999999999999999999.9"],
)
async def test_decimals_are_exact_texts(shelf: Shelf, number: str) -> None:
    async with shelf.database.write(shelf.own) as session:
        order = await make_purchase_order(session, scope=shelf.own, total_net=Decimal(number))
        schedules = [{"quantity": Decimal(number)}]
        await make_purchase_order_line(
            session, scope=shelf.own, order=order, quantity=Decimal(number), schedules=schedules
        )

    [told] = (await shelf.gql("{ purchaseOrders { nodes { totalNet lines { quantity schedules { quantity } } } } }"))[
        "purchaseOrders"
    ]["nodes"]

    plain = f"{Decimal(number):f}"
    assert told["totalNet"] == told["lines"][0]["quantity"] == plain
    assert Decimal(told["lines"][0]["schedules"][0]["quantity"]) == Decimal(number)


async def test_dates_and_instants_keep_every_digit(shelf: Shelf) -> None:
    changed = datetime(2026, 3, 29, 1, 59, 59, 123456, tzinfo=UTC)
    await add_order(
        shelf,
        order_date=date(2024, 2, 29),
        required_date=date(1, 1, 1),
        delivery_date=date(9999, 12, 31),
        source_updated_at=changed,
        synced_at=datetime(2026, 1, 1, tzinfo=UTC),
    )

    [told] = (
        await shelf.gql("{ purchaseOrders { nodes { orderDate requiredDate deliveryDate sourceUpdatedAt syncedAt } } }")
    )["purchaseOrders"]["nodes"]

    assert told == {
        "orderDate": "2024-02-29",
        "requiredDate": "0001-01-01",
        "deliveryDate": "9999-12-31",
        "sourceUpdatedAt": "2026-03-29T01:59:59.123456Z",
        "syncedAt": "2026-01-01T00:00:00.000000Z",
    }


async def test_the_last_and_first_instants_are_told(shelf: Shelf) -> None:
    """Python's own, which people write for "always" and "never", are infinities to the driver; others are not."""
    await add_order(
        shelf,
        source_updated_at=datetime.min.replace(tzinfo=UTC),
        synced_at=datetime.max.replace(tzinfo=UTC),
        deleted_at=None,
    )
    query = """{ up: purchaseOrders(orderBy: [{field: SYNCED_AT}, {field: SOURCE_UPDATED_AT}]) {
        pageInfo { endCursor } nodes { syncedAt sourceUpdatedAt } } }"""
    behind = """query ($after: String) { purchaseOrders(after: $after, orderBy: [
        {field: SYNCED_AT}, {field: SOURCE_UPDATED_AT}]) { totalCount nodes { id } } }"""

    told = (await shelf.gql(query))["up"]

    assert told["nodes"] == [
        {"syncedAt": "9999-12-31T23:59:59.999999Z", "sourceUpdatedAt": "0001-01-01T00:00:00.000000Z"}
    ]
    after = told["pageInfo"]["endCursor"]
    assert (await shelf.gql(behind, after=after))["purchaseOrders"] == {"totalCount": 1, "nodes": []}


async def test_no_value_is_null_and_no_rows_are_an_empty_list(shelf: Shelf) -> None:
    await add_order(shelf)
    query = """{ vendors { totalCount nodes { id } edges { cursor } pageInfo { startCursor endCursor hasNextPage } }
      purchaseOrders { nodes { orderNumber orderDate totalNet shipTo { city lines } paymentTerms { code } notes
        sourceUpdatedAt deletedAt vendor { name } lines { id: lineNumber } customFields
        connection { tags metadata baseUrl } } } }"""

    told = await shelf.gql(query)

    page = {"startCursor": None, "endCursor": None, "hasNextPage": False}
    assert told["vendors"] == {"totalCount": 0, "nodes": [], "edges": [], "pageInfo": page}
    nothing = ("orderNumber", "orderDate", "totalNet", "shipTo", "paymentTerms", "notes", "sourceUpdatedAt")
    assert told["purchaseOrders"]["nodes"] == [
        {
            **dict.fromkeys(nothing),
            "deletedAt": None,
            "vendor": None,
            "lines": [],
            "customFields": {},
            "connection": {"tags": [], "metadata": {}, "baseUrl": None},
        }
    ]


async def test_a_value_inside_tells_its_missing_parts(shelf: Shelf) -> None:
    await add_order(shelf, ship_to={"city": "Bonn"})

    [told] = (await shelf.gql("{ purchaseOrders { nodes { shipTo { name lines city } } } }"))["purchaseOrders"]["nodes"]

    assert told["shipTo"] == {"name": None, "lines": [], "city": "Bonn"}
