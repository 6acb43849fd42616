"""The record service of the simulated NetSuite: what it takes, what it refuses, and how it answers."""

import asyncio
from typing import Any

import pytest

from tests.fixtures.netsuite_caller import NetSuiteCaller, order_body

pytest_plugins = ["tests.fixtures.netsuite"]
CHECKED = {"X-NetSuite-PropertyNameValidation": "Error"}


async def test_a_list_gives_ids_and_links_only(netsuite: NetSuiteCaller) -> None:
    answer = await netsuite.get("purchaseOrder?limit=3&offset=0")

    assert [set(row) for row in answer.body["items"]] == [{"id", "links"}] * 3


async def test_sublists_are_links_until_they_are_asked_for(netsuite: NetSuiteCaller) -> None:
    plain = (await netsuite.get("purchaseOrder/1")).body
    whole = (await netsuite.get("purchaseOrder/1?expandSubResources=true")).body
    below = (await netsuite.get("purchaseOrder/1/item")).body
    few = (await netsuite.get("purchaseOrder/1?fields=tranId%2Centity")).body

    assert set(plain["item"]) == {"links"}
    assert whole["item"]["items"] == below["items"]
    assert {"line", "item", "quantity", "rate", "quantityReceived"} <= set(below["items"][0])
    assert set(few) == {"links", "tranId", "entity"}
    assert set(few["entity"]) == {"links", "id", "refName"}


async def test_a_made_order_answers_its_address_and_nothing_else(netsuite: NetSuiteCaller) -> None:
    made = await netsuite.post("purchaseOrder", order_body(externalId="ref-1", memo="Tor 3"), **CHECKED)
    order = (await netsuite.get("purchaseOrder/eid:ref-1?expandSubResources=true")).body

    assert made.made == order["id"] == "41"
    assert (order["status"]["refName"], order["total"], order["currency"]["id"]) == ("Pending Receipt", 62, "2")
    assert [line["line"] for line in order["item"]["items"]] == [1]
    assert await netsuite.rows("SELECT tranid FROM transaction WHERE externalid = 'ref-1'") == [{"tranid": "PO00041"}]
    assert (await netsuite.admin("GET", "/oracle"))["made"] == {"ref-1": [["purchaseOrder", "41"]]}


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"entity": None}, "USER_ERROR", "Please enter value(s) for: Vendor."),
        ({"subsidiary": None}, "USER_ERROR", "Please enter value(s) for: Subsidiary."),
        ({"subsidiary": {"id": "1"}, "entity": {"id": "3"}}, "INVALID_CONTENT", "reference key 3 for subsidiary 1."),
        ({"entity": {"id": "999"}}, "INVALID_CONTENT", "Invalid Field Value 999 for the following field: entity"),
        ({"entity": {"id": "11"}}, "INVALID_CONTENT", "Invalid entity reference key 11"),
        ({"item": {"items": []}}, "USER_ERROR", "at least one line item"),
        ({"item": {"items": [{"item": {"id": "999"}}]}}, "INVALID_CONTENT", "Invalid Field Value 999"),
        (
            {"item": {"items": [{"item": {"id": "1"}, "units": "3"}]}},
            "INVALID_CONTENT",
            "Invalid units reference key 3",
        ),
        ({"location": {"id": "1"}}, "INVALID_CONTENT", "Invalid location reference key 1"),
        ({"tranDate": "20.11.2026"}, "INVALID_CONTENT", "Invalid date value"),
        ({"memmo": "x"}, "INVALID_CONTENT", "Unknown property name 'memmo'"),
    ],
)
async def test_what_an_order_may_not_be_is_refused(
    netsuite: NetSuiteCaller, changes: dict[str, Any], code: str, said: str
) -> None:
    refused = await netsuite.post("purchaseOrder", order_body(**changes), **CHECKED)

    assert (refused.status, refused.code) == (400, code)
    assert said in refused.detail
    assert (await netsuite.get("purchaseOrder?limit=1&offset=0")).body["totalResults"] == 40


async def test_an_unknown_name_passes_silently_unless_names_are_checked(netsuite: NetSuiteCaller) -> None:
    assert (await netsuite.post("purchaseOrder", order_body(memmo="x"))).status == 204


async def test_lines_are_merged_by_their_line_or_replaced(netsuite: NetSuiteCaller) -> None:
    made = await netsuite.post("purchaseOrder", order_body())
    path = f"purchaseOrder/{made.made}"
    merged = {"item": {"items": [{"line": 1, "quantity": 7}, {"item": {"id": "2"}, "quantity": 1, "rate": 3}]}}
    await netsuite.patch(path, merged)
    two = (await netsuite.get(f"{path}/item")).body["items"]
    await netsuite.patch(f"{path}?replace=item", {"item": {"items": [{"line": 2, "quantity": 9}]}})
    one = (await netsuite.get(f"{path}/item")).body["items"]

    assert [(line["line"], line["quantity"]) for line in two] == [(1, 7), (2, 1)]
    assert [(line["line"], line["quantity"]) for line in one] == [(2, 9)]
    assert (await netsuite.get(path)).body["total"] == 27


async def test_an_order_all_of_whose_lines_are_closed_is_closed(netsuite: NetSuiteCaller) -> None:
    path = f"purchaseOrder/{(await netsuite.post('purchaseOrder', order_body())).made}"
    await netsuite.patch(path, {"item": {"items": [{"line": 1, "isClosed": True}]}})

    assert (await netsuite.get(path)).body["status"] == {"id": "H", "refName": "Closed"}


async def test_receipts_and_bills_move_an_order_and_the_stock(netsuite: NetSuiteCaller) -> None:
    body = order_body(location={"id": "3"})
    path = f"purchaseOrder/{(await netsuite.post('purchaseOrder', body)).made}"
    stock = "SELECT quantityonhand FROM inventoryitemlocations WHERE item = 1 AND location = 3"
    [before] = await netsuite.rows(stock)
    part = {"item": {"items": [{"orderLine": 1, "quantity": 2}]}}
    letters = []
    for target, sent in (("itemReceipt", part), ("itemReceipt", {}), ("vendorBill", {})):
        assert (await netsuite.post(f"{path}/!transform/{target}", sent)).status == 204
        letters.append((await netsuite.get(path)).body["status"]["id"])
    [after] = await netsuite.rows(stock)

    assert letters == ["E", "F", "G"]
    assert float(after["quantityonhand"]) - float(before["quantityonhand"]) == 5
    assert (await netsuite.call("DELETE", f"/services/rest/record/v1/{path}")).code == "USER_ERROR"


async def test_a_deleted_order_is_gone_and_told(netsuite: NetSuiteCaller) -> None:
    path = f"purchaseOrder/{(await netsuite.post('purchaseOrder', order_body())).made}"

    assert (await netsuite.call("DELETE", f"/services/rest/record/v1/{path}")).status == 204
    assert (await netsuite.get(path)).code == "NONEXISTENT_ID"
    assert await netsuite.rows("SELECT recordid FROM deletedrecord") == [{"recordid": "41"}]


async def test_put_by_external_id_makes_once_and_then_changes(netsuite: NetSuiteCaller) -> None:
    path = "/services/rest/record/v1/purchaseOrder/eid:ref-9"
    made = [(await netsuite.call("PUT", path, body)).made for body in (order_body(), {"memo": "again"})]
    twice = await netsuite.post("purchaseOrder", order_body(externalId="ref-9"))

    assert made == ["41", "41"]
    assert (twice.status, twice.code) == (400, "USER_ERROR")


async def test_only_asynchronous_requests_know_an_idempotency_key(netsuite: NetSuiteCaller) -> None:
    key = {"X-NetSuite-Idempotency-Key": "5f3ae6fa-0001"}
    later = {**key, "Prefer": "respond-async"}
    twice = [(await netsuite.post("purchaseOrder", order_body(), **key)).made for _ in range(2)]
    first = await netsuite.post("purchaseOrder", order_body(), **later)
    again = await netsuite.post("purchaseOrder", order_body(), **later)
    job = [(await netsuite.call("GET", first.headers["location"])).body for _ in range(2)]
    result = await netsuite.call("GET", f"{first.headers['location']}/task/1/result")

    assert twice == ["41", "42"]
    assert (first.status, first.headers["preference-applied"]) == (202, "respond-async")
    assert (again.status, again.body["title"], again.code) == (400, "Conflict", "IDEMPOTENCY_ERROR")
    assert again.headers["location"] == first.headers["location"]
    assert [(each["completed"], each["progress"]) for each in job] == [(False, "pending"), (True, "succeeded")]
    assert result.headers["location"].endswith("/purchaseOrder/43")


async def test_stock_is_adjusted_by_a_difference_with_an_account(netsuite: NetSuiteCaller) -> None:
    line = {"item": {"id": "1"}, "location": {"id": "3"}, "adjustQtyBy": -3}
    body = {"subsidiary": {"id": "2"}, "account": {"id": "58"}, "inventory": {"items": [line]}, "externalId": "adj-1"}
    query = "SELECT quantityonhand AS q FROM inventoryitemlocations WHERE item = 1 AND location = 3"
    [before] = await netsuite.rows(query)
    made = await netsuite.post("inventoryAdjustment", body, **CHECKED)
    [after] = await netsuite.rows(query)
    without = await netsuite.post("inventoryAdjustment", {**body, "account": None, "externalId": "adj-2"})

    assert made.status == 204
    assert round(float(after["q"]) - float(before["q"]), 6) == -3
    assert (without.code, "Adjustment Account" in without.detail) == ("USER_ERROR", True)


async def test_a_vendor_is_made_with_its_address_and_its_subsidiary(netsuite: NetSuiteCaller) -> None:
    address = {"addr1": "Long Street 1", "city": "Porto", "zip": "4000", "country": {"id": "PT"}}
    book = {"items": [{"defaultBilling": True, "addressBookAddress": address}]}
    body = {"companyName": "Fasteners Ltd", "subsidiary": {"id": "1"}, "addressBook": book, "externalId": "v-1"}
    made = await netsuite.post("vendor", body, **CHECKED)
    shown = (await netsuite.get(f"vendor/{made.made}?expandSubResources=true")).body
    without = await netsuite.post("vendor", {"companyName": "Another"})
    twice = await netsuite.post("vendor", {**body, "externalId": "v-2"})

    assert (shown["entityId"], shown["isInactive"], shown["currency"]["refName"]) == (
        "Fasteners Ltd", False, "US Dollar",
    )  # fmt: skip
    assert shown["addressBook"]["items"][0]["addressBookAddress"]["city"] == "Porto"
    assert "Primary Subsidiary" in without.detail
    assert "already exists" in twice.detail


async def test_a_role_may_read_and_not_write(netsuite: NetSuiteCaller) -> None:
    netsuite.role = "reader"
    refused = await netsuite.post("purchaseOrder", order_body())

    assert (refused.status, refused.code) == (403, "INSUFFICIENT_PERMISSION")
    assert (await netsuite.get("purchaseOrder/1")).status == 200
    netsuite.role = "storekeeper"
    assert (await netsuite.get("purchaseOrder/1")).code == "NONEXISTENT_ID"


async def test_a_filter_takes_dates_in_the_accounts_format_only(netsuite: NetSuiteCaller) -> None:
    await netsuite.patch("purchaseOrder/5", {"memo": "new"})
    own = await netsuite.get("purchaseOrder?q=lastModifiedDate%20ON_OR_AFTER%20%2211%2F20%2F2026%22&limit=9")
    iso = await netsuite.get("purchaseOrder?q=lastModifiedDate%20ON_OR_AFTER%20%222026-11-20%22&limit=9")

    assert [row["id"] for row in own.items] == ["5"]
    assert (iso.status, iso.code) == (400, "INVALID_PARAMETER")


async def test_the_catalogue_names_custom_fields(netsuite: NetSuiteCaller) -> None:
    properties = (await netsuite.get("metadata-catalog/purchaseOrder")).body["properties"]

    assert properties["custbody_need_by"] == {
        "type": "string",
        "format": "date",
        "title": "Need By",
        "nullable": True,
        "readOnly": False,
        "x-ns-custom-field": True,
    }


@pytest.mark.parametrize(("status", "code"), [(429, "CONCURRENCY_LIMIT_EXCEEDED"), (401, "INVALID_LOGIN")])
async def test_calls_beyond_the_accounts_concurrency_are_refused(
    netsuite: NetSuiteCaller, status: int, code: str
) -> None:
    await netsuite.admin("POST", "/options", {"concurrency": 1, "service_ms": 200, "concurrency_status": status})
    answers = await asyncio.gather(*(netsuite.get("purchaseOrder/1") for _ in range(3)))

    assert sorted(each.status for each in answers) == sorted([200, status, status])
    assert {each.code for each in answers if each.status != 200} == {code}


async def test_the_same_seed_edits_the_same_and_the_oracle_tells(netsuite: NetSuiteCaller) -> None:
    made = []
    for _ in range(2):
        await netsuite.admin("POST", "/reset")
        await netsuite.admin("POST", "/edits", {"count": 12, "seed": 3, "mix": {"create": 1, "change": 2, "part": 1}})
        made.append((await netsuite.admin("GET", "/edits"))[-1])
    [key] = (await netsuite.admin("POST", "/edits", {"count": 1, "mix": {"spoil": 1}}))["keys"]
    [row] = await netsuite.rows(
        f"SELECT c.symbol FROM transaction t JOIN currency c ON c.id = t.currency WHERE t.id = {key}"
    )

    assert made[0] == made[1]
    assert row["symbol"] == "?????"
    assert (await netsuite.admin("GET", "/edits"))[-1]["mappable"] is False
