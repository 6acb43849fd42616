"""SuiteQL of the simulated NetSuite: pages, texts, the account's own time, what a role may not see."""

import pytest

from tests.fixtures.netsuite_caller import NetSuiteCaller

pytest_plugins = ["tests.fixtures.netsuite"]


async def test_rows_come_in_pages_with_lower_case_names_and_texts(netsuite: NetSuiteCaller) -> None:
    query = "SELECT T.ID, T.TranId, t.foreignTotal AS Total, t.otherrefnum FROM transaction T WHERE type='PurchOrd'"
    answer = await netsuite.query(f"{query} ORDER BY T.id", limit=10, offset=30)
    page = answer.body

    assert (page["count"], page["hasMore"], page["offset"], page["totalResults"]) == (10, False, 30, 40)
    assert {link["rel"] for link in page["links"]} == {"self", "first", "previous"}
    assert page["items"][0]["links"] == []
    assert [row["id"] for row in answer.items] == [str(n) for n in range(31, 41)]
    assert all(isinstance(value, str) for row in answer.items for value in row.values())
    assert any("otherrefnum" not in row for row in answer.items)


async def test_the_next_link_leads_on(netsuite: NetSuiteCaller) -> None:
    first = await netsuite.query("SELECT id FROM vendor ORDER BY id", limit=5)
    link = next(each["href"] for each in first.body["links"] if each["rel"] == "next")
    second = await netsuite.call("POST", link, {"q": "SELECT id FROM vendor ORDER BY id"}, Prefer="transient")

    assert [row["id"] for row in second.items] == ["6", "7", "8", "9", "10"]


async def test_a_date_that_nothing_formats_shows_in_the_accounts_format_and_loses_its_time(
    netsuite: NetSuiteCaller,
) -> None:
    await netsuite.admin("PATCH", "/rows/transaction/1?bump=false", {"lastmodifieddate": "2026-03-09 17:05:09"})
    query = "SELECT lastmodifieddate AS plain, TO_CHAR(lastmodifieddate, 'YYYY-MM-DD\"T\"HH24:MI:SS') AS exact"
    [shown] = await netsuite.rows(f"{query} FROM transaction WHERE id = 1")
    await netsuite.admin("POST", "/options", {"date_format": "D/M/YYYY"})
    [other] = await netsuite.rows(f"{query} FROM transaction WHERE id = 1")

    assert shown == {"plain": "3/9/2026", "exact": "2026-03-09T17:05:09"}
    assert other["plain"] == "9/3/2026"


async def test_instants_are_in_the_accounts_zone_and_in_records_in_utc(netsuite: NetSuiteCaller) -> None:
    await netsuite.patch("purchaseOrder/1", {"memo": "new"})
    [row] = await netsuite.rows(
        "SELECT TO_CHAR(lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS at FROM transaction WHERE id = 1"
    )

    assert row["at"] == "2026-11-20 02:30:15"
    assert (await netsuite.get("purchaseOrder/1")).body["lastModifiedDate"] == "2026-11-20T10:30:15Z"


async def test_a_stamp_is_compared_in_the_accounts_zone(netsuite: NetSuiteCaller) -> None:
    await netsuite.patch("purchaseOrder/7", {"memo": "new"})
    query = "SELECT id FROM transaction WHERE lastmodifieddate >= TO_TIMESTAMP('{}', 'YYYY-MM-DD\"T\"HH24:MI:SS')"

    assert await netsuite.rows(query.format("2026-11-20T02:30:15")) == [{"id": "7"}]
    assert await netsuite.rows(query.format("2026-11-20T10:30:15")) == []


async def test_df_shows_what_a_column_refers_to(netsuite: NetSuiteCaller) -> None:
    query = "SELECT BUILTIN.DF(t.entity) AS vendor, BUILTIN.DF(t.currency) AS money, BUILTIN.DF(status) AS status,"
    query += " BUILTIN.DF(l.units) AS unit FROM transaction t INNER JOIN transactionline l ON l.transaction = t.id"
    [row] = await netsuite.rows(f"{query} WHERE t.id = 1 AND l.mainline = 'F' ORDER BY l.id FETCH FIRST 1 ROWS ONLY")

    assert row["vendor"].startswith("V0")
    assert row["money"] in {"US Dollar", "Euro"}
    assert row["status"].startswith("Purchase Order : ")
    assert row["unit"] in {"Each", "Kilogram", "Liter", "Meter"}


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("SELECT id FROM vendor WHERE ROWNUM <= 2", 2),
        ("SELECT * FROM (SELECT id FROM vendor ORDER BY id DESC) WHERE ROWNUM < 4", 3),
        ("SELECT id FROM vendor WHERE id > 3 ORDER BY id FETCH FIRST 5 ROWS ONLY", 5),
        ("SELECT id FROM vendor ORDER BY id OFFSET 10 ROWS FETCH NEXT 5 ROWS ONLY", 2),
        ("SELECT NVL(externalid, 'none') AS e, 1 AS ok FROM vendor v WHERE v.isinactive = 'F'", 11),
        ("SELECT 1 AS ok FROM dual", 1),
        ("WITH big AS (SELECT id FROM item WHERE id > 5) SELECT id FROM big", 4),
        ("SELECT t.id FROM transaction t, vendor v WHERE v.id = t.entity AND t.id < 4", 3),
    ],
)
async def test_oracles_ways_are_known(netsuite: NetSuiteCaller, query: str, ids: int) -> None:
    assert len(await netsuite.rows(query)) == ids


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT nope FROM vendor", "Field 'nope' for record 'vendor' was not found"),
        ("SELECT t.subsidiary FROM transaction t", "Field 'subsidiary' for record 'transaction' was not found"),
        ("SELECT id FROM vendorr", "Record 'vendorr' was not found"),
        ("DELETE FROM vendor", "unexpected 'DELETE'"),
        ("SELECT id FROM vendor LIMIT 3", "unexpected 'LIMIT'"),
        ("SELECT id FROM vendor WHERE", "Invalid or unsupported search"),
        ("SELECT id FROM item WHERE lastmodifieddate > TO_DATE('20/2/2026', 'YYYY-MM-DD')", "does not fit its format"),
    ],
)
async def test_a_query_that_cannot_be_run_is_refused(netsuite: NetSuiteCaller, query: str, said: str) -> None:
    answer = await netsuite.query(query)

    assert (answer.status, answer.code, answer.body["title"]) == (400, "INVALID_PARAMETER", "Invalid search query.")
    assert said in answer.detail


async def test_what_else_can_be_wrong_with_a_call(netsuite: NetSuiteCaller) -> None:
    without = await netsuite.query("SELECT id FROM vendor", Prefer="")
    odd = await netsuite.query("SELECT id FROM vendor", limit=10, offset=5)
    large = await netsuite.query("SELECT id FROM vendor", limit=1001)
    placeholder = await netsuite.query("SELECT id FROM vendor WHERE id = ?")

    told = [(each.status, each.code) for each in (without, odd, large, placeholder)]
    assert told == [
        (400, "INVALID_HEADER"),
        (400, "INVALID_PARAMETER"),
        (400, "INVALID_PARAMETER"),
        (400, "INVALID_CONTENT"),
    ]


async def test_a_query_gives_no_more_rows_than_the_cap_and_does_not_say_so(netsuite: NetSuiteCaller) -> None:
    await netsuite.admin("POST", "/options", {"row_cap": 25})
    query = "SELECT id FROM transaction WHERE type = 'PurchOrd' ORDER BY id"
    pages = [(await netsuite.query(query, limit=10, offset=offset)) for offset in (0, 10, 20)]
    beyond = await netsuite.rows(f"{query.replace('ORDER', 'AND id > 25 ORDER')}")

    assert [page.body["count"] for page in pages] == [10, 10, 5]
    assert [page.body["hasMore"] for page in pages] == [True, True, False]
    assert [row["id"] for row in beyond] == [str(n) for n in range(26, 41)]


async def test_without_an_order_rows_come_twice_and_rows_are_left_out(netsuite: NetSuiteCaller) -> None:
    await netsuite.admin("POST", "/reset", {"orders": 250})
    query = "SELECT id FROM transaction"
    found = [
        row["id"] for offset in (0, 100, 200) for row in (await netsuite.query(query, limit=100, offset=offset)).items
    ]

    assert len(set(found)) < 250


async def test_a_role_without_a_permission_sees_no_rows_and_no_refusal(netsuite: NetSuiteCaller) -> None:
    netsuite.role = "storekeeper"

    assert await netsuite.rows("SELECT t.id FROM transaction t WHERE t.type = 'PurchOrd'") == []
    assert await netsuite.rows("SELECT l.id FROM transactionline l") == []
    assert len(await netsuite.rows("SELECT id FROM vendor")) == 12


async def test_the_simulators_own_columns_are_not_seen(netsuite: NetSuiteCaller) -> None:
    [row] = await netsuite.rows("SELECT * FROM transaction WHERE id = 1")

    assert [name for name in row if name.startswith("_")] == []


async def test_what_was_deleted_is_told_in_a_table(netsuite: NetSuiteCaller) -> None:
    [key] = (await netsuite.admin("POST", "/edits", {"count": 1, "mix": {"vanish": 1}}))["keys"]
    [row] = await netsuite.rows("SELECT recordid, type FROM DeletedRecord WHERE type = 'Purchase Order'")

    assert row == {"recordid": key, "type": "Purchase Order"}
    await netsuite.admin("POST", "/options", {"deleted_records": False})
    assert (await netsuite.query("SELECT recordid FROM deletedrecord")).status == 400


async def test_a_fault_strikes_queries_about_one_kind_of_record(netsuite: NetSuiteCaller) -> None:
    await netsuite.admin("POST", "/faults", {"kind": "rate_limit", "entity": "vendor", "count": 1})

    assert (await netsuite.query("SELECT id FROM item ORDER BY id")).status == 200
    busy = await netsuite.query("SELECT id FROM vendor ORDER BY id")
    assert (busy.status, busy.code, "retry-after" in busy.headers) == (429, "CONCURRENCY_LIMIT_EXCEEDED", False)
