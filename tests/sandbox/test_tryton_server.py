"""A real Tryton with demo data."""

import datetime as dt
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest

from crosshead.embedded.postgres import EmbeddedPostgres
from sandbox.tryton.client import TrytonClient, TrytonError
from sandbox.tryton.image import default_cache_dir
from sandbox.tryton.process import TrytonProcess, TrytonProcessError
from sandbox.tryton.server import TrytonServer

ROOT = Path(__file__).parents[2]


def test_it_answers_without_a_login(tryton_server: TrytonServer) -> None:
    version = TrytonClient(tryton_server.url, "").rpc("common.server.version")

    assert re.fullmatch(r"7\.4\.\d+", version)


def test_the_seeded_orders_stand_in_all_states(tryton_client: TrytonClient) -> None:
    fields = ["state", "shipment_state", "reference"]
    rows = tryton_client.call(
        "purchase.purchase", "search_read", [["reference", "like", "REF-%"]], 0, None, None, fields
    )

    assert Counter((row["state"], row["shipment_state"]) for row in rows) == {
        ("draft", "none"): 30,
        ("quotation", "none"): 20,
        ("cancelled", "none"): 20,
        ("confirmed", "none"): 10,
        ("processing", "waiting"): 60,
        ("processing", "partially shipped"): 30,
        ("processing", "received"): 20,
        ("done", "received"): 10,
    }


def test_the_seeded_orders_are_of_the_last_90_days(tryton_client: TrytonClient) -> None:
    domain = [["reference", "like", "REF-%"]]
    rows = tryton_client.call("purchase.purchase", "search_read", domain, 0, None, None, ["purchase_date"])

    today = dt.datetime.now(dt.UTC).date()
    ages = [(today - row["purchase_date"]).days for row in rows]
    assert len(ages) == 200
    assert min(ages) >= 0
    assert max(ages) <= 90


def test_names_and_prices_are_stored_exactly(tryton_client: TrytonClient) -> None:
    [party] = tryton_client.call(
        "party.party", "search_read", [["code", "=", "V-001"]], 0, None, None, ["name", "addresses"]
    )
    [address] = tryton_client.call("party.address", "read", party["addresses"], ["city", "country.code"])
    domain = [["product.code", "=", "ITEM-001"], ["purchase.currency.code", "=", "EUR"]]
    fields = ["unit_price", "unit.symbol"]
    lines = tryton_client.call("purchase.line", "search_read", domain, 0, 2, [["id", "ASC"]], fields)  # as seeded

    assert (party["name"], address["city"]) == ("Demo Łożyska 01 Sp. z o.o.", "Łódź")
    assert address["country."]["code"] == "PL"
    assert {(line["unit_price"], line["unit."]["symbol"]) for line in lines} == {(Decimal("0.8956"), "m")}


def test_200_orders_are_read_by_one_call_with_what_is_beside_them(tryton_client: TrytonClient) -> None:
    fields = ["number", "state", "party.rec_name", "currency.code", "total_amount", "delivery_date", "lines"]
    rows = tryton_client.call("purchase.purchase", "search_read", [], 0, 200, [["id", "ASC"]], fields)

    assert len({row["id"] for row in rows}) == 200
    assert all(row["party."]["rec_name"] and row["currency."]["code"] and row["lines"] for row in rows)
    assert {type(row["total_amount"]) for row in rows} == {Decimal}


def test_the_limited_user_reads_vendors_but_no_orders(tryton_server: TrytonServer) -> None:
    client = TrytonClient(tryton_server.url, tryton_server.database)
    client.login(tryton_server.limited_username, tryton_server.limited_password)

    assert client.call("party.party", "search_count", [["code", "like", "V-%"]]) == 20
    with pytest.raises(TrytonError) as caught:
        client.call("purchase.purchase", "search_read", [], 0, 1, None, ["number"])
    assert (caught.value.kind, caught.value.details[0][0]) == (
        "UserError",
        'You are not allowed to access "Purchase".',
    )


def test_a_wrong_password_is_401(tryton_server: TrytonServer) -> None:
    with pytest.raises(TrytonError) as caught:
        # A login of its own: after six failures Tryton locks a login out for five minutes.
        TrytonClient(tryton_server.url, tryton_server.database).login("nobody", "wrong")

    assert (caught.value.kind, caught.value.status) == ("HTTP", 401)


def test_its_own_client_creates_and_changes_orders(tryton_client: TrytonClient) -> None:
    domain = [["code", "=", "V-002"]]
    [party] = tryton_client.call("party.party", "search_read", domain, 0, 1, None, ["addresses"])
    [product] = tryton_client.call(
        "product.product", "search_read", [["code", "=", "ITEM-003"]], 0, 1, None, ["default_uom"]
    )
    line = {"product": product["id"], "unit": product["default_uom"], "quantity": 5.0, "unit_price": Decimal("0.2037")}
    values = {"party": party["id"], "invoice_address": party["addresses"][0], "lines": [["create", [line]]]}

    [purchase] = tryton_client.call("purchase.purchase", "create", [values])
    tryton_client.call("purchase.purchase", "write", [purchase], {"reference": "OWN-1"})

    fields = ["reference", "write_date", "total_amount", "state"]
    [row] = tryton_client.call("purchase.purchase", "read", [purchase], fields)
    assert row["write_date"] is not None
    assert (row["reference"], row["total_amount"], row["state"]) == ("OWN-1", Decimal("1.02"), "draft")


def test_the_entry_point_serves_until_terminated(
    tryton_server: TrytonServer, postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    process, ready = _entry_point(postgres_server, tmp_path)
    credentials = ready["credentials"]
    client = TrytonClient(credentials["baseUrl"], credentials["database"])
    client.login(credentials["username"], credentials["password"])
    children = psutil.Process(process.pid).children(recursive=True)

    process.send_signal(signal.SIGTERM)

    assert process.wait(30) == 0
    assert (ready["system"], ready["url"]) == ("tryton", credentials["baseUrl"])
    assert credentials["database"] != tryton_server.database
    assert len(children) == 1
    assert not children[0].is_running()
    assert credentials["database"] not in TrytonClient(tryton_server.url, "").rpc("common.db.list")


@pytest.mark.usefixtures("tryton_server")
def test_a_killed_starter_takes_tryton_with_it(postgres_server: EmbeddedPostgres, tmp_path: Path) -> None:
    process, _ = _entry_point(postgres_server, tmp_path)
    children = psutil.Process(process.pid).children(recursive=True)

    process.kill()
    process.wait(30)

    gone, alive = psutil.wait_procs(children, timeout=20)
    assert (len(gone), alive) == (1, [])


def test_a_taken_port_is_a_clear_error(tryton_server: TrytonServer, postgres_server: EmbeddedPostgres) -> None:
    port = int(tryton_server.url.rpartition(":")[2])
    second = TrytonProcess(postgres_server.superuser_dsn(), tryton_server.database, port=port)

    with pytest.raises(TrytonProcessError, match=f"Port {port} cannot be used"):
        second.start()

    assert second.pid is None


@pytest.mark.slow
def test_a_damaged_image_is_built_anew(
    tryton_server: TrytonServer, postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    """It starts from the base image, which is whole."""
    for image in default_cache_dir().glob("*.image"):
        shutil.copy(image, tmp_path)
    for image in tmp_path.glob("seeded-*.image"):
        image.write_bytes(image.read_bytes()[:-1])

    with TrytonServer(
        postgres_url=postgres_server.superuser_dsn(), bin_dir=postgres_server.bin_dir, cache_dir=tmp_path
    ) as server:
        orders = server.client().call("purchase.purchase", "search_count", [])

    assert server.database != tryton_server.database
    assert orders == 200
    assert [_is_whole(image) for image in tmp_path.glob("seeded-*.image")].count(True) == 1


def _is_whole(image: Path) -> bool:
    header, _, archive = image.read_bytes().partition(b"\n")
    return header.split()[-1].decode() == hashlib.sha256(archive).hexdigest()


def _entry_point(postgres: EmbeddedPostgres, folder: Path) -> tuple[subprocess.Popen[bytes], Any]:
    ready_file = folder / "ready.json"
    options = ["--postgres-url", postgres.superuser_dsn(), "--bin-dir", str(postgres.bin_dir)]
    command = [sys.executable, "-m", "sandbox.tryton", *options, "--ready-file", str(ready_file)]
    process = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ))
    deadline = time.monotonic() + 60
    while not ready_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pytest.fail("python -m sandbox.tryton did not get ready")
        time.sleep(0.05)
    return process, json.loads(ready_file.read_text())
