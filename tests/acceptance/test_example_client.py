"""The example client in Python, as its readers run it: against the API and a simulated SAP S/4HANA."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from sandbox.sap_s4hana.app import RunningSap
from tests.fixtures.product import Product
from tests.fixtures.sap_caller import PASSWORDS
from tests.fixtures.sap_source import DEFAULTS

pytest_plugins = ["tests.fixtures.sap_s4hana"]
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "python" / "orders.py"
COUNT = "{ purchaseOrders(first: 1) { totalCount } }"


async def run(product: Product, token: str, *arguments: str) -> tuple[int | None, list[str], str]:
    """Run the example; gives how it ended, its lines, and what it complained of."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLE),
        *arguments,
        env={**os.environ, "CROSSHEAD_URL": product.url, "CROSSHEAD_TOKEN": token},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode().splitlines(), errors.decode()


async def test_the_python_example_reads_writes_and_follows(product: Product, sap_server: RunningSap) -> None:
    credentials = {"base_url": sap_server.url, "username": "COMM_USER", "password": PASSWORDS["COMM_USER"]}
    credentials["client"] = "100"
    _, token = await product.connect("sap_s4hana", credentials, writeDefaults=DEFAULTS.model_dump(mode="json"))
    await product.work()
    before = (await product.gql(COUNT))["purchaseOrders"]["totalCount"]

    code, lines, errors = await run(product, token, "17300001", "TG00001")

    assert (code, errors) == (0, "")
    assert lines[0] == f"{before} orders"
    assert before > 20, "more than one page"
    assert lines[1].startswith("Refused: BAD_USER_INPUT at purchaseOrder.vendor")
    assert lines[2].startswith("Made 4")
    assert lines[3:] == ["Told: purchase_order.created, version 1"]
    assert (await product.gql(COUNT))["purchaseOrders"]["totalCount"] == before + 1


@pytest.mark.parametrize("token", ["chd_conn_wrong"])
async def test_the_python_example_says_who_may_help_where_it_is_refused(product: Product, token: str) -> None:
    code, _, errors = await run(product, token, "v", "i")

    assert code == 1
    assert "req_" in errors or "401" in errors
