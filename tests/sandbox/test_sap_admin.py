"""Administration and fault scripts of the simulated S/4HANA, and its command."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.fixtures.sap_caller import NOW, PASSWORDS, PO, SapCaller, order_body

pytest_plugins = ["tests.fixtures.sap_s4hana"]
ORDER = f"{PO}/A_PurchaseOrder"
ROOT = Path(__file__).parents[2]


async def fault(sap: SapCaller, kind: str, **more: Any) -> None:
    await sap.admin("POST", "/faults", {"kind": kind, **more})


async def test_the_log_tells_each_call(sap: SapCaller) -> None:
    await sap.get(f"{ORDER}?$top=1")
    await sap.get(f"{ORDER}('1')", Authorization="")
    log = await sap.admin("GET", "/calls")
    await sap.admin("DELETE", "/calls")

    assert [(one["method"], one["status"], one["caller"], one["faults"]) for one in log] == [
        ("GET", 200, "COMM_USER", []),
        ("GET", 401, None, []),
    ]
    assert log[0]["target"] == f"/sap/opu/odata/sap/{ORDER}?$top=1"
    assert log[0]["at"] == NOW.isoformat()
    assert log[0]["ms"] > 0
    assert await sap.admin("GET", "/calls") == []


async def test_a_document_can_be_seen_whole(sap: SapCaller) -> None:
    shown = await sap.admin("GET", "/documents/A_PurchaseOrder/4500000000")
    item = await sap.admin("GET", "/documents/A_PurchaseOrderItem/4500000000,10")
    none = await sap.get("/_sandbox/documents/A_PurchaseOrder/1")

    assert shown["to_PurchaseOrderItem"]["results"][0]["to_ScheduleLine"]["results"][0]["ScheduleLine"] == "1"
    assert item["PurchaseOrderItem"] == "10"
    assert none.status == 404


@pytest.mark.parametrize("bump", ["true", "false"])
async def test_an_edit_in_sap_moves_the_stamp_or_not(sap: SapCaller, bump: str) -> None:
    before = (await sap.get(f"{ORDER}('4500000000')")).data["LastChangeDateTime"]
    path = f"/documents/A_PurchaseOrderItem/4500000000,10?bump={bump}"

    await sap.admin("PATCH", path, {"OrderQuantity": "77.000", "PurchasingDocumentDeletionCode": "S"})

    after = (await sap.get(f"{ORDER}('4500000000')?$expand=to_PurchaseOrderItem")).data
    item = after["to_PurchaseOrderItem"]["results"][0]
    assert (item["OrderQuantity"], item["PurchasingDocumentDeletionCode"]) == ("77.000", "S")
    assert (after["LastChangeDateTime"] != before) is (bump == "true")


async def test_an_edit_is_held_to_the_metadata(sap: SapCaller) -> None:
    unknown = await sap.call("PATCH", "/_sandbox/documents/A_PurchaseOrder/4500000000", {"Nothing": "1"})
    too_long = await sap.call("PATCH", "/_sandbox/documents/A_PurchaseOrder/4500000000", {"CompanyCode": "12345"})

    assert (unknown.status, too_long.status) == (400, 400)


async def test_an_archived_order_is_gone_with_all_that_hung_on_it(sap: SapCaller) -> None:
    await sap.admin("DELETE", "/documents/A_PurchaseOrder/4500000000")

    lines = await sap.get(f"{PO}/A_PurchaseOrderScheduleLine?$filter=PurchasingDocument eq '4500000000'")
    assert (await sap.get(f"{ORDER}('4500000000')")).status == 404
    assert (await sap.get(f"{ORDER}/$count")).text == "39"
    assert lines.rows == []


async def test_a_reset_makes_the_same_data_again(sap: SapCaller) -> None:
    first = (await sap.get(f"{ORDER}?$expand=to_PurchaseOrderItem/to_ScheduleLine")).text
    await sap.write("POST", ORDER, order_body())
    await sap.admin("POST", "/reset")
    second = (await sap.get(f"{ORDER}?$expand=to_PurchaseOrderItem/to_ScheduleLine")).text
    counts = (await sap.admin("POST", "/reset", {"orders": 3, "today": "2026-01-31"}))["counts"]

    assert first == second
    assert counts["A_PurchaseOrder"] == 3


async def test_unknown_settings_are_refused(sap: SapCaller) -> None:
    answers = [
        await sap.call("POST", f"/_sandbox/{path}", {"nothing": 1, "kind": "delay"})
        for path in ("reset", "faults", "options")
    ]

    assert [one.status for one in answers] == [400, 400, 400]


async def test_a_delay_holds_the_answer(sap: SapCaller) -> None:
    await fault(sap, "delay", seconds=0.3)
    started = time.perf_counter()
    answer = await sap.get(f"{ORDER}?$top=1")

    assert answer.status == 200
    assert time.perf_counter() - started >= 0.3


async def test_a_fault_strikes_what_it_names_as_often_as_it_says(sap: SapCaller) -> None:
    await fault(sap, "rate_limit", method="GET", path="A_PurchaseOrder\\?", after=1, count=2, retry_after=7)
    answers = [await sap.get(f"{ORDER}?$top=1") for _ in range(4)]
    other = await sap.get(f"{PO}/")

    assert [one.status for one in answers] == [200, 429, 429, 200]
    assert answers[1].headers["retry-after"] == "7"
    assert other.status == 200
    assert (await sap.admin("GET", "/faults"))[0]["struck"] == 2


async def test_credentials_can_go_bad_after_some_calls(sap: SapCaller) -> None:
    await fault(sap, "unauthorized", after=2, count=None)
    answers = [await sap.get(f"{ORDER}?$top=1") for _ in range(4)]
    await sap.admin("DELETE", "/faults")

    assert [one.status for one in answers] == [200, 200, 401, 401]
    assert (await sap.get(f"{ORDER}?$top=1")).status == 200


async def test_an_overloaded_server_answers_html(sap: SapCaller) -> None:
    await fault(sap, "unavailable")
    answer = await sap.get(f"{ORDER}?$top=1")

    assert answer.status == 503
    assert answer.headers["content-type"].startswith("text/html")
    assert "retry-after" not in answer.headers


async def test_a_lock_refuses_a_change(sap: SapCaller) -> None:
    await sap.write("PATCH", f"{ORDER}('4500000000')", {"Language": "DE"})
    await fault(sap, "refuse", method="PATCH", path="4500000000")
    answer = await sap.write("PATCH", f"{ORDER}('4500000000')", {"Language": "EN"})

    assert (answer.status, answer.error["code"]) == (400, "ME/006")
    assert (await sap.get(f"{ORDER}('4500000000')")).data["Language"] == "DE"


@pytest.mark.parametrize(("kind", "orders"), [("drop_before", "40"), ("drop_after", "41")])
async def test_a_connection_can_break_before_or_after_the_commit(sap: SapCaller, kind: str, orders: str) -> None:
    await sap.get(f"{PO}/")
    await fault(sap, kind, method="POST")

    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await sap.write("POST", ORDER, order_body())

    assert (await sap.get(f"{ORDER}/$count")).text == orders


async def test_a_body_can_be_cut(sap: SapCaller) -> None:
    whole = await sap.get(f"{ORDER}?$top=3")
    await fault(sap, "cut_body")
    cut = await sap.get(f"{ORDER}?$top=3")

    body = whole.text.encode()
    assert (cut.status, cut.text.encode()) == (200, body[: len(body) // 2])
    with pytest.raises(json.JSONDecodeError):
        json.loads(cut.text)


async def test_other_addresses_are_no_odata(sap: SapCaller) -> None:
    answer = await sap.get("/sap/bc/nothing")

    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/html")


def test_the_command_tells_when_it_is_ready_and_ends_on_sigterm(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "sandbox.sap_s4hana", "--port", "0", "--orders", "5", "--ready-file", str(ready)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ})
    try:
        deadline = time.monotonic() + 30
        while not ready.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        told = json.loads(ready.read_text())
        with urllib.request.urlopen(told["adminUrl"], timeout=10) as response:  # noqa: S310 - the address that we started
            counts = json.load(response)["counts"]
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(15)

    assert told["url"].startswith("http://127.0.0.1:")
    assert told["credentials"] == {
        "baseUrl": told["url"],
        "username": "COMM_USER",
        "password": PASSWORDS["COMM_USER"],
        "client": "100",
    }
    assert counts["A_PurchaseOrder"] == 5
    assert code in {0, -signal.SIGTERM}
