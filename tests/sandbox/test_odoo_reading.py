"""Reading the simulated Odoo: what it shares with recorded answers of real servers, and its warts."""

from typing import Any

import pytest

from tests.fixtures.odoo_caller import OdooCaller, OdooFailed

pytest_plugins = ["tests.fixtures.odoo"]
ORDERS, LINES = "purchase.order", "purchase.order.line"
WHOLE = {"order": "write_date,id"}


def version(odoo: OdooCaller) -> int:
    return odoo.running.app.system.version


async def test_an_order_reads_as_real_servers_write_it(odoo: OdooCaller) -> None:
    names = ["name", "state", "partner_id", "partner_ref", "date_approve", "currency_id", "order_line", "amount_total"]
    [draft] = await odoo.kw(ORDERS, "search_read", [["id", "=", 6]], fields=names)
    [line, *_] = await odoo.kw(
        LINES,
        "search_read",
        [["order_id", "=", 6]],
        fields=["order_id", "product_id", "taxes_id"] if version(odoo) < 19 else ["order_id", "product_id", "tax_ids"],
    )

    assert list(draft) == ["id", *names]
    assert draft["state"] == "draft"
    assert draft["date_approve"] is False
    assert draft["currency_id"] == [1, "EUR" if version(odoo) < 18 else "USD"]
    assert draft["name"] == "P00006"
    assert draft["partner_ref"] == "SUP-006"
    assert line["order_id"] == [6, "P00006 (SUP-006)"]
    assert line["product_id"][1].startswith("[DP-00")
    assert isinstance(draft["amount_total"], float)


async def test_stamps_show_seconds_and_compare_microseconds(odoo: OdooCaller) -> None:
    rows = await odoo.kw(ORDERS, "search_read", [], fields=["write_date"], **WHOLE)
    newest = rows[-1]["write_date"]
    after = await odoo.kw(ORDERS, "search_read", [["write_date", ">", newest]], fields=["write_date"])

    assert len(rows) == 40
    assert len(newest) == len("2026-01-30 09:00:00")
    assert [row["write_date"] for row in after] == [newest]


async def test_fields_are_named_as_the_version_names_them(odoo: OdooCaller) -> None:
    order = set(await odoo.kw(ORDERS, "fields_get", attributes=["type"]))
    line = await odoo.kw(LINES, "fields_get", attributes=["type", "relation", "manual"])
    product = set(await odoo.kw("product.product", "fields_get"))
    modern = version(odoo) >= 19

    assert {"notes", "note"} & order == ({"note"} if modern else {"notes"})
    assert ("__last_update" in order) is (version(odoo) == 16)
    assert ("locked" in order) is modern
    assert {"product_uom", "product_uom_id"} & set(line) == ({"product_uom_id"} if modern else {"product_uom"})
    assert ("discount" in line) is (version(odoo) >= 17)
    assert {"detailed_type", "is_storable"} & product == ({"detailed_type"} if version(odoo) < 18 else {"is_storable"})
    assert line["x_studio_inspection_level"] == {"type": "char", "manual": True}


@pytest.mark.parametrize(
    ("domain", "found"),
    [
        ([["state", "=", "cancel"]], [10, 30]),
        (["|", ["state", "=", "sent"], ["state", "=", "to approve"]], [8, 9, 28, 29]),
        (["!", ["id", ">", 2]], [1, 2]),
        ([["id", "in", [3, 4, 999]], ["partner_ref", "!=", False]], [3]),
        ([["partner_ref", "=ilike", "sup-00%"], ["id", "<", 10]], [3, 6, 9]),
        ([["order_line.product_qty", ">", 59], ["order_line.display_type", "=", False]], None),
        ([["partner_id.ref", "like", "V-10"], ["id", "<=", 2]], [1, 2]),
        ([["x_studio_budget_approved", "=", True], ["id", "<", 9]], [4, 8]),
    ],
)
async def test_domains_select(odoo: OdooCaller, domain: list[Any], found: list[int] | None) -> None:
    ids = await odoo.kw(ORDERS, "search", domain, order="id")
    count = await odoo.kw(ORDERS, "search_count", domain)

    assert count == len(ids)
    if found is not None:
        assert ids == found
    else:
        lines = await odoo.kw(LINES, "search_read", [["product_qty", ">", 59]], fields=["order_id"])
        assert ids == sorted({line["order_id"][0] for line in lines})


async def test_pages_by_key_meet_every_order_once(odoo: OdooCaller) -> None:
    seen: list[int] = []
    while page := await odoo.kw(ORDERS, "search", [["id", ">", seen[-1] if seen else 0]], order="id asc", limit=7):
        seen += page

    assert seen == list(range(1, 41))
    assert await odoo.kw(ORDERS, "search", [], offset=38, limit=7, order="id") == [39, 40]


async def test_archived_records_hide_unless_the_context_shows_them(odoo: OdooCaller) -> None:
    shown = await odoo.kw("res.partner", "search", [["supplier_rank", ">", 0]])
    every = await odoo.kw("res.partner", "search", [["supplier_rank", ">", 0]], context={"active_test": False})
    asked = await odoo.kw("res.partner", "search", [["supplier_rank", ">", 0], ["active", "=", False]])

    assert set(every) - set(shown) == set(asked) == {13}


@pytest.mark.parametrize(
    ("call", "name", "text"),
    [
        (("purchase.order", "search_read", [["nope", "=", 1]]), "builtins.ValueError",
         "Invalid field purchase.order.nope in leaf ('nope', '=', 1)"),
        (("purchase.order", "read", [1], ["nope"]), "builtins.ValueError",
         "Invalid field 'nope' on model 'purchase.order'"),
        (("nope.nope", "search", []), "odoo.exceptions.UserError", "Object nope.nope doesn't exist"),
        (("purchase.order", "nope", [1]), "builtins.AttributeError",
         "The method 'purchase.order.nope' does not exist"),
        (("purchase.order", "_write", [1], {}), "odoo.exceptions.AccessError",
         "Private methods (such as 'purchase.order._write') cannot be called remotely."),
    ],
)  # fmt: skip
async def test_wrong_calls_are_answered_with_200(odoo: OdooCaller, call: Any, name: str, text: str) -> None:
    with pytest.raises(OdooFailed) as failed:
        await odoo.kw(*call)

    assert (failed.value.data["name"], failed.value.data["message"]) == (name, text)
    assert set(failed.value.data) == {"name", "message", "arguments", "context", "debug"}


async def test_a_missing_record_reads_as_nothing(odoo: OdooCaller) -> None:
    assert await odoo.kw(ORDERS, "read", [99999], ["name"]) == []


async def test_log_on_is_told_as_real_servers_tell_it(odoo: OdooCaller) -> None:
    right = await odoo.rpc("common", "authenticate", "odoo", "admin", "admin", {})
    by_key = await odoo.rpc("common", "authenticate", "odoo", "admin", odoo.user.key, {})
    wrong = await odoo.rpc("common", "authenticate", "odoo", "admin", "wrong", {})
    nowhere = await odoo.rpc("common", "authenticate", "nodb", "admin", "admin", {})
    told = await odoo.rpc("common", "version")
    with_wrong = await odoo.rpc("object", "execute_kw", "odoo", 2, "wrong", ORDERS, "search_count", [[]])

    assert (right["result"], by_key["result"], wrong["result"]) == (2, 2, False)
    assert nowhere["error"]["data"]["name"] == "psycopg2.OperationalError"
    assert told["result"]["server_version"] == f"{version(odoo)}.0"
    assert with_wrong["error"]["data"]["name"] == "odoo.exceptions.AccessDenied"
    assert with_wrong["error"]["code"] == (200 if version(odoo) < 19 else 0)


async def test_rights_are_of_the_user(odoo: OdooCaller) -> None:
    with pytest.raises(OdooFailed) as failed:
        await odoo.on("buyer").kw("maintenance.request", "search_read", [])
    with pytest.raises(OdooFailed) as unwritable:
        await odoo.on("reader").kw(ORDERS, "write", [1], {"origin": "x"})

    assert failed.value.data["name"] == unwritable.value.data["name"] == "odoo.exceptions.AccessError"
    if version(odoo) <= 18:
        assert await odoo.on("reader").kw(ORDERS, "check_access_rights", "write", raise_exception=False) is False
    if version(odoo) >= 18:
        assert await odoo.on("buyer").kw(ORDERS, "has_access", [], "write") is True


async def test_json2_is_there_as_of_19(odoo: OdooCaller) -> None:
    status, told = await odoo.get("/web/version")
    if version(odoo) < 19:
        assert status == 404
        return
    rows = await odoo.json2(ORDERS, "search_read", domain=[["id", "<", 3]], fields=["name"], order="id")
    failures = {}
    for case, call in {
        "ids": odoo.json2(ORDERS, "search_read", ids=[1]),
        "words": odoo.json2(ORDERS, "search_read", nope=1),
        "method": odoo.json2(ORDERS, "nope"),
        "model": odoo.json2("nope", "read"),
        "key": odoo.json2(ORDERS, "search", key="wrong"),
        "gone": odoo.json2(ORDERS, "write", ids=[99999], vals={}),
    }.items():
        with pytest.raises(OdooFailed) as failed:
            await call
        failures[case] = failed.value.status

    assert told == {"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"}
    assert rows == [{"id": 1, "name": "P00001"}, {"id": 2, "name": "P00002"}]
    assert failures == {"ids": 422, "words": 422, "method": 404, "model": 404, "key": 401, "gone": 404}


async def test_custom_fields_are_told(odoo: OdooCaller) -> None:
    domain = [["model", "=", ORDERS], ["state", "=", "manual"]]
    found = await odoo.kw("ir.model.fields", "search_read", domain, fields=["name", "ttype"])

    assert {row["name"]: row["ttype"] for row in found} == {
        "x_studio_project_code": "char",
        "x_studio_budget_approved": "boolean",
    }
