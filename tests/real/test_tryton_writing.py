"""The connector writes to a real Tryton: orders through their life, refusals that change nothing, conflicts."""

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from connectors.base import Change, Wire
from connectors.errors import VersionConflict, WriteRejected
from connectors.mapping import project
from connectors.tryton import read
from connectors.tryton.connector import TRYTON
from connectors.tryton.forms import TrytonWriteDefaults
from connectors.tryton.source import TrytonSource
from db.models.purchasing.purchase_order import LineKind, PurchaseOrderStatus
from db.types import Entity, Operation
from sandbox.tryton.client import TrytonClient
from sandbox.tryton.server import TrytonServer
from tests.real.tryton_parts import DEFAULTS, draft, line_ids, order, source, write

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("tryton")]


@pytest_asyncio.fixture
async def opened(tryton_server: TrytonServer) -> AsyncIterator[TrytonSource]:
    """A source of the administrator."""
    async with source(tryton_server) as one:
        yield one


async def keys(opened: TrytonSource) -> dict[str, str]:
    """Resolve what the new orders name."""
    [vendor] = await opened.resolve("vendor", "V-002")
    [bolt] = await opened.resolve("item", "ITEM-003")
    [cable] = await opened.resolve("item", "ITEM-004")
    [terms] = await opened.resolve("payment_terms", "Net 30")
    return {"vendor": vendor, "bolt": bolt, "cable": cable, "terms": terms}


async def body(opened: TrytonSource, source_id: str) -> dict[str, Any]:
    [item] = await opened.fetch(Entity.PURCHASE_ORDER, [source_id])
    return item.body


def paths(error: WriteRejected) -> list[tuple[str, ...] | None]:
    return [problem.path for problem in error.problems]


async def test_an_order_is_created_as_tryton_would_fill_it_in(opened: TrytonSource) -> None:
    known = await keys(opened)
    lines = [
        {
            "item_source_id": known["bolt"],
            "quantity": Decimal(7),
            "unit": "EA",
            "unit_price": Decimal("0.1950"),
            "required_date": date(2026, 12, 24),
        },
        {"item_source_id": known["cable"], "quantity": Decimal("225.5"), "unit": "CMT", "description": "by the reel"},
        {"description": "Freight", "quantity": Decimal(1), "unit_price": Decimal(9)},
    ]
    values = {
        "vendor_source_id": known["vendor"],
        "currency": "USD",
        "order_date": date(2026, 11, 21),
        "required_date": date(2026, 12, 1),
        "payment_terms_source_id": known["terms"],
        "ship_to": {"site_code": "WH"},
        "notes": "Ring twice.",
        "lines": lines,
    }

    written = await write(opened, Operation.CREATE, reference="CH-CREATE", values=values)

    raw = await body(opened, written.source_id)
    assert (raw["invoice_address"] is not None, raw["description"]) == (True, "CH-CREATE")
    made = await order(opened, written.source_id)
    assert made.status is PurchaseOrderStatus.DRAFT
    assert (made.order_number, made.vendor_source_id, made.currency) == (None, known["vendor"], "USD")
    assert (made.order_date, made.required_date, made.notes) == (date(2026, 11, 21), date(2026, 12, 1), "Ring twice.")
    assert made.payment_terms is not None
    assert made.payment_terms.code == "Net 30"
    bolt, cable, freight = made.lines
    assert (bolt.quantity, bolt.unit, bolt.unit_price) == (Decimal(7), "EA", Decimal("0.1950"))
    assert (bolt.required_date, cable.required_date) == (date(2026, 12, 24), date(2026, 12, 1))
    assert (cable.quantity, cable.unit, cable.description) == (Decimal("225.5"), "CMT", "by the reel")
    assert (freight.kind, freight.unit_price, freight.item_source_id) == (LineKind.ACCOUNT, Decimal(9), None)


async def test_a_line_without_a_unit_takes_the_items_purchase_unit(opened: TrytonSource) -> None:
    known = await keys(opened)
    lines = [{"item_source_id": known["cable"], "quantity": Decimal("2.25")}]

    written = await write(
        opened, Operation.CREATE, reference="", values={"vendor_source_id": known["vendor"], "lines": lines}
    )

    assert [line.native_unit for line in (await order(opened, written.source_id)).lines] == ["m"]


async def test_the_items_taxes_come_along(opened: TrytonSource, tryton_client: TrytonClient) -> None:
    """create() runs no on_change, so taxes would be missing; Tryton itself is asked for them."""
    call = tryton_client.call
    [account] = call("account.account", "search", [["type", "!=", None]], 0, 1, None)
    tax = {"name": "VAT 20", "description": "VAT 20", "type": "percentage", "rate": Decimal("0.2"), "company": 1}
    [tax_id] = call("account.tax", "create", [{**tax, "invoice_account": account, "credit_note_account": account}])
    [category] = call(
        "product.category", "create", [{"name": "Taxed", "accounting": True, "supplier_taxes": [["add", [tax_id]]]}]
    )
    [unit] = call("product.uom", "search", [["symbol", "=", "u"]], 0, 1, None)
    template = {"name": "Taxed thing", "type": "goods", "default_uom": unit, "purchase_uom": unit, "purchasable": True}
    products = [["create", [{"suffix_code": "TAXED-1"}]]]
    call("product.template", "create", [{**template, "account_category": category, "products": products}])
    known = await keys(opened)
    [taxed] = await opened.resolve("item", "TAXED-1")
    lines = [{"item_source_id": taxed, "quantity": Decimal(10), "unit_price": Decimal(5)}]

    written = await write(
        opened, Operation.CREATE, reference="", values={"vendor_source_id": known["vendor"], "lines": lines}
    )

    made = await order(opened, written.source_id)
    assert (made.total_net, made.total_tax, made.total_gross) == (Decimal(50), Decimal(10), Decimal(60))
    assert made.lines[0].tax_code == "VAT 20"


async def test_the_same_reference_never_makes_a_second_order(opened: TrytonSource, tryton_client: TrytonClient) -> None:
    known = await keys(opened)
    values = {"vendor_source_id": known["vendor"], "lines": []}
    fields = {"description": "Spare parts"}

    first = await write(opened, Operation.CREATE, reference="CH_100%", values=values, source_fields=fields)
    again = await write(opened, Operation.CREATE, reference="CH_100%", values=values, source_fields=fields)
    other = await write(opened, Operation.CREATE, reference="CHx100", values=values, source_fields=fields)

    assert first.source_id == again.source_id != other.source_id
    assert again.facts == {"foundByReference": "CH_100%"}
    found = tryton_client.call(
        "purchase.purchase", "search", [["description", "=", "Spare parts [CH_100%]"]], 0, 9, None
    )
    assert [str(one) for one in found] == [first.source_id]


async def test_an_order_is_changed_submitted_and_approved(opened: TrytonSource) -> None:
    known = await keys(opened)
    price = {"unit_price": Decimal("1.5000")}
    lines = [{"item_source_id": known["bolt"], "quantity": Decimal(number), **price} for number in (1, 2, 3)]
    values = {"vendor_source_id": known["vendor"], "order_date": date(2026, 11, 21), "lines": lines}
    made = await write(opened, Operation.CREATE, reference="", values=values)
    raw = await body(opened, made.source_id)
    first, second, _ = (str(line["id"]) for line in raw["lines."])

    await write(
        opened,
        Operation.UPDATE,
        source_id=made.source_id,
        expected=read.version(raw),
        values={"vendor_reference": "Q-77", "required_date": date(2026, 12, 5)},
        change_lines=({"source_line_id": first, "quantity": Decimal(10), "required_date": date(2026, 12, 6)},),
        remove_lines=(second,),
        add_lines=({"item_source_id": known["bolt"], "quantity": Decimal(4), **price},),
    )
    changed = await order(opened, made.source_id)
    await write(opened, Operation.UPDATE, source_id=made.source_id, transition="SUBMIT")
    submitted = await order(opened, made.source_id)
    await write(opened, Operation.UPDATE, source_id=made.source_id, transition="APPROVE")
    approved = await order(opened, made.source_id)

    assert [line.quantity for line in changed.lines] == [10, 3, 4]
    assert [line.required_date for line in changed.lines] == [date(2026, 12, 6), date(2026, 12, 5), date(2026, 12, 5)]
    assert (changed.vendor_reference, changed.status) == ("Q-77", PurchaseOrderStatus.DRAFT)
    assert (submitted.status, submitted.order_number is not None) == (PurchaseOrderStatus.PENDING_APPROVAL, True)
    assert approved.status is PurchaseOrderStatus.APPROVED
    assert approved.native_status is not None
    assert approved.native_status.startswith("processing/waiting/")


async def test_a_confirmed_order_is_guarded(opened: TrytonSource, tryton_client: TrytonClient) -> None:
    """The server itself would store all of this."""
    source_id = draft(tryton_client)
    for button in ("quote", "confirm"):
        tryton_client.call("purchase.purchase", button, [int(source_id)])
    [line] = line_ids(tryton_client, source_id)
    before = await body(opened, source_id)
    forbidden: list[tuple[dict[str, Any], tuple[str, ...]]] = [
        ({"values": {"order_date": date(2026, 1, 1)}}, ("changes", "orderDate")),
        ({"values": {"payment_terms_source_id": "1"}}, ("changes", "paymentTerms")),
        ({"values": {"required_date": date(2026, 1, 1)}}, ("changes", "requiredDate")),
        ({"source_fields": {"invoice_method": "order"}}, ("sourceFields", "invoice_method")),
        ({"change_lines": ({"source_line_id": str(line), "quantity": Decimal(1)},)}, ("changes", "changeLines", "0")),
        ({"add_lines": ({"description": "more", "quantity": Decimal(1)},)}, ("changes", "addLines", "0")),
        ({"remove_lines": (str(line),)}, ("changes", "removeLines", "0")),
        ({"transition": "SUBMIT"}, ("changes", "status")),
        ({"transition": "APPROVE"}, ("changes", "status")),
    ]

    for parts, path in forbidden:
        with pytest.raises(WriteRejected, match="processing") as caught:
            await write(opened, Operation.UPDATE, source_id=source_id, **parts)
        assert paths(caught.value) == [path]
    for operation in (Operation.CANCEL, Operation.DELETE):
        with pytest.raises(WriteRejected, match="processing"):
            await write(opened, operation, source_id=source_id)
    assert await body(opened, source_id) == before

    await write(opened, Operation.UPDATE, source_id=source_id, values={"notes": "still allowed"})
    assert (await order(opened, source_id)).notes == "still allowed"


async def test_values_that_do_not_fit_are_refused_with_their_place(opened: TrytonSource) -> None:
    known = await keys(opened)
    line = {"item_source_id": known["bolt"], "quantity": Decimal(1)}
    base = {"vendor_source_id": known["vendor"]}
    root = ("purchaseOrder",)
    wrong: list[tuple[dict[str, Any], tuple[str, ...]]] = [
        ({"vendor_source_id": "99999999"}, (*root, "vendor")),
        ({**base, "currency": "XXX"}, (*root, "currency")),
        ({**base, "ship_to": {"site_code": "NOWHERE"}}, (*root, "shipTo", "siteCode")),
        ({**base, "ship_to": {"city": "Berlin"}}, (*root, "shipTo")),
        ({**base, "lines": [line, {**line, "item_source_id": "99999999"}]}, (*root, "lines", "1", "item")),
        ({**base, "lines": [{**line, "unit": "KGM"}]}, (*root, "lines", "0", "unit")),
        ({**base, "lines": [{**line, "unit": "crate"}]}, (*root, "lines", "0", "unit")),
        ({**base, "lines": [{"description": "no quantity"}]}, (*root, "lines", "0", "quantity")),
    ]

    for values, path in wrong:
        with pytest.raises(WriteRejected) as caught:
            await write(opened, Operation.CREATE, reference="CH-WRONG", values=values)
        assert paths(caught.value) == [path]
    with pytest.raises(WriteRejected, match="does not let this field"):
        await write(opened, Operation.CREATE, reference="CH-WRONG", values=base, source_fields={"state": "processing"})
    too_fine = {**base, "lines": [{**line, "unit_price": Decimal("1.23456")}]}
    with pytest.raises(WriteRejected) as refused:
        await write(opened, Operation.CREATE, reference="CH-WRONG", values=too_fine)
    assert "exceeds the limit" in str(refused.value.source_message)


async def test_a_line_of_another_order_is_out_of_reach(opened: TrytonSource, tryton_client: TrytonClient) -> None:
    """Through an order's head the server itself changes any line."""
    mine, other = draft(tryton_client), draft(tryton_client)
    [foreign] = line_ids(tryton_client, other)

    change = {"source_line_id": str(foreign), "quantity": Decimal(99)}
    with pytest.raises(WriteRejected, match="no such line") as caught:
        await write(opened, Operation.UPDATE, source_id=mine, change_lines=(change,))
    with pytest.raises(WriteRejected, match="no such line"):
        await write(opened, Operation.UPDATE, source_id=mine, remove_lines=(str(foreign),))

    assert paths(caught.value) == [("changes", "changeLines", "0", "sourceLineId")]
    assert [line.quantity for line in (await order(opened, other)).lines] == [4]


@pytest.mark.parametrize("part", ["head", "line"])
async def test_a_stale_version_is_a_conflict(opened: TrytonSource, tryton_client: TrytonClient, part: str) -> None:
    source_id = draft(tryton_client)
    seen = read.version(await body(opened, source_id))
    if part == "head":
        tryton_client.call("purchase.purchase", "write", [int(source_id)], {"comment": "theirs"})
    else:
        tryton_client.call("purchase.line", "write", line_ids(tryton_client, source_id), {"quantity": 8.0})
    theirs = await body(opened, source_id)

    with pytest.raises(VersionConflict):
        await write(opened, Operation.UPDATE, source_id=source_id, expected=seen, values={"notes": "ours"})
    assert await body(opened, source_id) == theirs

    await write(opened, Operation.UPDATE, source_id=source_id, expected=read.version(theirs), values={"notes": "ours"})
    assert (await order(opened, source_id)).notes == "ours"


async def test_a_refused_step_tells_what_was_stored_before(opened: TrytonSource, tryton_client: TrytonClient) -> None:
    source_id = draft(tryton_client)
    tryton_client.call("purchase.purchase", "quote", [int(source_id)])
    tryton_client.call("purchase.purchase", "write", [int(source_id)], {"invoice_address": None})

    with pytest.raises(WriteRejected) as caught:
        await write(opened, Operation.UPDATE, source_id=source_id, transition="APPROVE", values={"notes": "kept"})

    assert "The fields were stored" in caught.value.message
    assert 'A value is required for field "Invoice Address"' in str(caught.value.source_message)
    assert (await order(opened, source_id)).status is PurchaseOrderStatus.PENDING_APPROVAL


async def test_orders_are_cancelled_and_drafts_deleted(opened: TrytonSource, tryton_client: TrytonClient) -> None:
    cancelled, deleted = draft(tryton_client), draft(tryton_client)
    tryton_client.call("purchase.purchase", "quote", [int(cancelled)])

    await write(opened, Operation.CANCEL, source_id=cancelled)
    await write(opened, Operation.DELETE, source_id=deleted)

    assert (await order(opened, cancelled)).status is PurchaseOrderStatus.CANCELLED
    assert await opened.fetch(Entity.PURCHASE_ORDER, [deleted]) == []
    with pytest.raises(WriteRejected, match="no such order"):
        await write(opened, Operation.DELETE, source_id=deleted)


async def test_the_connections_defaults_decide_warehouse_and_address(
    opened: TrytonSource, tryton_client: TrytonClient
) -> None:
    [vendor] = await opened.resolve("vendor", "V-004")
    [party] = tryton_client.call("party.party", "read", [int(vendor)], ["addresses"])
    address = {"party": int(vendor), "city": "Billtown", "invoice": True}
    [for_invoices] = tryton_client.call("party.address", "create", [address])
    change = Change(Entity.PURCHASE_ORDER, Operation.CREATE, "", values={"vendor_source_id": vendor, "lines": []})

    by_invoice = await opened.write(change, defaults=TrytonWriteDefaults(warehouse="Warehouse"), wire=Wire())
    by_first = await opened.write(change, defaults=TrytonWriteDefaults(invoice_address="first"), wire=Wire())
    with pytest.raises(WriteRejected, match="'NOWHERE'"):
        await opened.write(change, defaults=TrytonWriteDefaults(warehouse="NOWHERE"), wire=Wire())

    assert (await body(opened, by_invoice.source_id))["invoice_address"] == for_invoices
    assert (await body(opened, by_first.source_id))["invoice_address"] == party["addresses"][0]


async def test_a_vendor_is_created_and_changed(opened: TrytonSource) -> None:
    [terms] = await opened.resolve("payment_terms", "Net 30")
    place = {"lines": ["Example Street 1", "Floor 2"], "postal_code": "10115", "city": "Berlin", "country": "DE"}
    values = {
        "name": "Generic Vendor",
        "email": "orders@vendor.example",
        "phone": "+49 30 1234567",
        "currency": "USD",
        "payment_terms_source_id": terms,
        "addresses": [place],
    }
    made = await opened.write(
        Change(Entity.VENDOR, Operation.CREATE, "CH-V", values=values), defaults=DEFAULTS, wire=Wire()
    )
    change = {"name": "Generic Vendor 2", "email": "new@vendor.example", "phone": None, "active": False}
    update = Change(Entity.VENDOR, Operation.UPDATE, "CH-V", source_id=made.source_id, values=change)
    await opened.write(update, defaults=DEFAULTS, wire=Wire())

    [item] = await opened.fetch(Entity.VENDOR, [made.source_id])
    vendor = project(TRYTON.mappings[Entity.VENDOR], item.body, units={}).model_dump(exclude_none=True)
    assert vendor.pop("number")
    assert vendor == {
        "name": "Generic Vendor 2",
        "email": "new@vendor.example",
        "addresses": [place],
        "currency": "USD",
        "payment_terms": {"code": "Net 30", "text": "Net 30"},
        "active": False,
        "blocked_for_purchasing": False,
    }
    number = Change(Entity.VENDOR, Operation.UPDATE, "CH-V", source_id=made.source_id, values={"number": "X"})
    with pytest.raises(WriteRejected, match="numbers parties by itself"):
        await opened.write(number, defaults=DEFAULTS, wire=Wire())


async def test_a_vendor_with_a_taken_number_is_refused(opened: TrytonSource) -> None:
    values = {"name": "Generic Vendor", "number": "V-001"}

    with pytest.raises(WriteRejected) as caught:
        await opened.write(
            Change(Entity.VENDOR, Operation.CREATE, "CH-V", values=values), defaults=DEFAULTS, wire=Wire()
        )

    assert caught.value.source_message == "The code on party must be unique."
