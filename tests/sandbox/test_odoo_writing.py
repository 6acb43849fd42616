"""Writing to the simulated Odoo: its rules, its silences, and what of it the log tells."""

from typing import Any

import pytest

from sandbox.kit.oracle import effects, made
from tests.fixtures.odoo_caller import OdooCaller, OdooFailed

pytest_plugins = ["tests.fixtures.odoo"]
ORDERS, LINES, QUANTS, REQUESTS = "purchase.order", "purchase.order.line", "stock.quant", "maintenance.request"


def version(odoo: OdooCaller) -> int:
    return odoo.running.app.system.version


def an_order(**more: Any) -> dict[str, Any]:
    lines = [
        [0, 0, {"product_id": 1, "product_qty": 500, "price_unit": 0.21, "date_planned": "2026-02-05 12:00:00"}],
        [0, 0, {"product_id": 2, "product_qty": 20, "price_unit": 0.195}],
        [0, 0, {"display_type": "line_note", "name": "deliver to dock 4", "product_qty": 0}],
    ]
    return {"partner_id": 10, "date_order": "2026-01-20 09:00:00", "order_line": lines, **more}


async def read(odoo: OdooCaller, model: str, number: int, *names: str) -> Any:
    [row] = await odoo.kw(model, "read", [number], list(names))
    return row


async def refused(odoo: OdooCaller, *call: Any, **more: Any) -> tuple[str, str]:
    with pytest.raises(OdooFailed) as failed:
        await odoo.kw(*call, **more)
    return failed.value.data["name"].rpartition(".")[2], failed.value.data["message"]


async def test_an_order_is_made_with_what_odoo_fills_in(odoo: OdooCaller) -> None:
    [number] = await odoo.kw(ORDERS, "create", [an_order(origin="CHD123")])
    order = await read(
        odoo, ORDERS, number, "name", "state", "amount_untaxed", "amount_total", "date_planned", "order_line"
    )
    first, second, note = await odoo.kw(LINES, "read", order["order_line"])

    taxed = 1.0 if version(odoo) < 18 else 1.15
    assert (order["name"], order["state"]) == ("P00041", "draft")
    assert (order["amount_untaxed"], order["amount_total"]) == (109.0, round(109.0 * taxed, 2))
    assert order["date_planned"] == "2026-01-20 09:00:00"  # the earliest of the lines
    assert second["price_unit"] == 0.2  # rounded without a word
    assert first["name"] == "[DP-0001] Ball bearing 6204 1"
    assert second["date_planned"] == "2026-01-20 09:00:00"
    assert (note["display_type"], note["product_id"], note["product_qty"]) == ("line_note", False, 0.0)
    assert made(odoo.running.app.system.edits)["CHD123"] == [(ORDERS, "41")]


async def test_nothing_stays_of_a_create_that_is_refused(odoo: OdooCaller) -> None:
    bad_line = an_order(order_line=[[0, 0, {"product_id": 1}], [0, 0, {"product_id": 999}]])
    fk = await refused(odoo, ORDERS, "create", bad_line)
    required = await refused(odoo, ORDERS, "create", {"partner_ref": "x"})
    vendor = await refused(odoo, ORDERS, "create", {"partner_id": 999999})
    unknown = await refused(odoo, ORDERS, "create", an_order(nope=1))

    assert fk[1].endswith("Constraint: purchase_order_line_product_id_fkey\n")
    assert required[1].endswith("Model: Purchase Order (purchase.order)\nField: Vendor (partner_id)\n")
    assert vendor[1].endswith("Constraint: purchase_order_partner_id_fkey\n")
    assert unknown == ("ValueError", "Invalid field 'nope' on model 'purchase.order'")
    assert await odoo.kw(ORDERS, "search_count", []) == 40
    assert await odoo.kw(LINES, "search", [["order_id", ">", 40]]) == []
    assert list(odoo.running.app.system.edits) == []


async def test_a_line_moves_its_order_only_through_its_totals(odoo: OdooCaller) -> None:
    before = await read(odoo, ORDERS, 6, "write_date", "order_line")
    line = before["order_line"][0]
    await odoo.kw(LINES, "write", [line], {"name": "other words"})
    worded = await read(odoo, ORDERS, 6, "write_date")
    await odoo.kw(LINES, "write", [line], {"product_qty": 777})
    counted = await read(odoo, ORDERS, 6, "write_date")

    assert worded["write_date"] == before["write_date"]
    assert counted["write_date"] == "2026-01-31 12:00:00"
    assert (await read(odoo, LINES, line, "write_date"))["write_date"] == "2026-01-31 12:00:00"


async def test_buttons_answer_as_real_servers_do(odoo: OdooCaller) -> None:
    confirmed = await odoo.kw(ORDERS, "button_confirm", [6])
    state = await read(odoo, ORDERS, 6, "state", "receipt_status", "date_approve")
    again = await odoo.kw(ORDERS, "button_confirm", [10])  # cancelled: passed over without a word
    deleted = await refused(odoo, ORDERS, "unlink", [6])
    cancelled = await odoo.kw(ORDERS, "button_cancel", [6])
    gone = await odoo.kw(ORDERS, "unlink", [6])

    assert (confirmed, again, cancelled, gone) == (True, True, "nothing", True)
    assert state | {"id": 0} == {
        "id": 0, "state": "purchase", "receipt_status": "pending", "date_approve": "2026-01-31 12:00:00",
    }  # fmt: skip
    assert deleted == ("UserError", "In order to delete a purchase order, you must cancel it first.")
    assert await odoo.kw(ORDERS, "read", [6], ["name"]) == []
    assert await odoo.kw(LINES, "search", [["order_id", "=", 6]]) == []


async def test_confirmed_orders_can_be_written_but_not_their_lines_deleted(odoo: OdooCaller) -> None:
    order = await read(odoo, ORDERS, 1, "order_line", "state")
    await odoo.kw(ORDERS, "write", [1], {"partner_ref": "CHANGED", "date_order": "2026-01-01 00:00:00"})
    refusal = await refused(odoo, ORDERS, "write", [1], {"order_line": [[2, order["order_line"][0], 0]]})

    assert order["state"] == "purchase"
    assert (await read(odoo, ORDERS, 1, "partner_ref"))["partner_ref"] == "CHANGED"
    assert refusal[0] == "UserError"
    assert refusal[1].startswith("Cannot delete a purchase order line which is in state")


async def test_lines_are_added_changed_and_removed_by_commands(odoo: OdooCaller) -> None:
    before = (await read(odoo, ORDERS, 6, "order_line"))["order_line"]
    commands = [[0, 0, {"product_id": 1, "product_qty": 3}], [1, before[0], {"product_qty": 9}], [2, before[-1], 0]]
    await odoo.kw(ORDERS, "write", [6], {"order_line": commands})
    after = (await read(odoo, ORDERS, 6, "order_line"))["order_line"]

    assert set(before) - set(after) == ({before[-1]} if len(before) > 1 else set())
    assert len(set(after) - set(before)) == 1


async def test_received_orders_cannot_be_cancelled(odoo: OdooCaller) -> None:
    await odoo.admin("POST", "/receive/1", {"share": 1})
    told = await read(odoo, ORDERS, 1, "receipt_status", "invoice_status", "effective_date")
    refusal = await refused(odoo, ORDERS, "button_cancel", [1])

    assert (told["receipt_status"], told["invoice_status"]) == ("full", "to invoice")
    assert refusal[0] == "UserError"


async def test_stock_is_counted_and_the_count_applied(odoo: OdooCaller) -> None:
    [quant] = await odoo.kw(
        QUANTS, "search_read", [["product_id", "=", 1], ["location_id", "=", 8]], fields=["quantity"]
    )
    mode = {"inventory_mode": True}
    values = {"product_id": 1, "location_id": 8, "inventory_quantity": 321}
    counted = await odoo.kw(QUANTS, "create", values, context=mode)
    before = await read(odoo, QUANTS, quant["id"], "quantity", "inventory_quantity_set")
    applied = await odoo.kw(QUANTS, "action_apply_inventory", [counted])
    after = await read(odoo, QUANTS, quant["id"], "quantity", "inventory_quantity_set")
    forbidden = await refused(odoo, QUANTS, "write", [counted], {"quantity": 1}, context=mode)
    rights = await refused(odoo.on("buyer"), QUANTS, "write", [counted], {"inventory_quantity": 1})
    await odoo.kw(QUANTS, "write", [counted], {"inventory_quantity": 0}, context=mode)
    await odoo.kw(QUANTS, "action_apply_inventory", [counted])

    assert counted == quant["id"]
    assert (before["quantity"], before["inventory_quantity_set"]) == (quant["quantity"], True)
    assert applied == "nothing"
    assert (after["quantity"], after["inventory_quantity_set"]) == (321.0, False)
    assert (forbidden[0], rights[0]) == ("UserError", "AccessError")
    assert await odoo.kw(QUANTS, "read", [counted]) == []  # nothing is left on the place, nor of the row


async def test_a_request_is_closed_by_its_stage(odoo: OdooCaller) -> None:
    number = await odoo.kw(REQUESTS, "create", {"name": "Spindle bearing noise", "equipment_id": 3, "priority": "2"})
    opened = await read(odoo, REQUESTS, number, "stage_id", "close_date", "done", "kanban_state", "request_date")
    await odoo.kw(REQUESTS, "write", [number], {"stage_id": 3})
    closed = await read(odoo, REQUESTS, number, "stage_id", "close_date", "done")
    archived = await odoo.kw(REQUESTS, "archive_equipment_request", [number])

    assert opened["stage_id"] == [1, "New Request"]
    assert (opened["close_date"], opened["done"], opened["request_date"]) == (False, False, "2026-01-31")
    assert closed == {"id": number, "stage_id": [3, "Repaired"], "close_date": "2026-01-31", "done": True}
    assert archived == "nothing"
    assert (await read(odoo, REQUESTS, number, "archive"))["archive"] is True


async def test_serial_numbers_are_unique(odoo: OdooCaller) -> None:
    told = await refused(odoo, "maintenance.equipment", "create", {"name": "Lathe", "serial_no": "SN-4712"})
    assert told == ("ValidationError", "Another asset already exists with this serial number!")


async def test_products_take_the_type_of_their_version(odoo: OdooCaller) -> None:
    right: dict[str, Any]
    wrong: dict[str, Any]
    right, wrong = {"detailed_type": "product"}, {"is_storable": True}
    if version(odoo) >= 18:
        right, wrong = wrong, right
    number = await odoo.kw("product.product", "create", {"name": "Hex bolt", "default_code": "HB", **right})
    refusal = await refused(odoo, "product.product", "create", {"name": "X", **wrong})

    assert (await read(odoo, "product.product", number, "display_name"))["display_name"] == "[HB] Hex bolt"
    assert refusal == ("ValueError", f"Invalid field {next(iter(wrong))!r} on model 'product.product'")


async def test_a_second_create_of_one_reference_is_told(odoo: OdooCaller) -> None:
    for _ in range(2):
        await odoo.kw(ORDERS, "create", [an_order(origin="CHD777")])

    assert len(made(odoo.running.app.system.edits)["CHD777"]) == 2
    assert effects(odoo.running.app.system.edits)["CHD777"] == 2


async def test_a_reference_behind_other_words_is_told(odoo: OdooCaller) -> None:
    await odoo.kw(ORDERS, "create", [an_order(origin="REQ-7 CHD000000007")])
    await odoo.kw("res.partner", "create", {"name": "Süd", "comment": "<p>Good. [ref CHD000000008]</p>"})

    assert set(made(odoo.running.app.system.edits)) == {"CHD000000007", "CHD000000008"}


async def test_old_doors_can_be_shut(odoo: OdooCaller) -> None:
    await odoo.admin("POST", "/options", {"old_rpc": False})
    told = await odoo.rpc("common", "authenticate", "odoo", "admin", "admin", {})
    assert told["error"]["code"] == 404
