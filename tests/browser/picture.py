"""Makes docs/images/graphiql.png: one query over orders of a simulated SAP S/4HANA and of a real Tryton ERP.

uv run --group realsystems python -m tests.browser.picture
"""

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, async_playwright, expect

from crosshead.embedded.postgres import EmbeddedPostgres
from crosshead.embedded.redis import EmbeddedRedis
from sandbox.kit.server import serve
from sandbox.sap_s4hana.app import create_app
from sandbox.tryton.server import TrytonServer
from tests.browser.stage import connect_sap, open_product
from tests.browser.visit import launched, visiting
from tests.fixtures.product import Product

PICTURE: Final = Path(__file__).parents[2] / "docs" / "images" / "graphiql.png"
LARGEST_BYTES: Final = 300_000
QUERY: Final = """\
# Received orders of every connected system.
query ReceivedOrders {
  purchaseOrders(
    first: 10
    filter: { status: { eq: RECEIVED } }
    orderBy: [{ field: REQUIRED_DATE }]
  ) {
    totalCount
    nodes {
      connection {
        system {
          name
        }
      }
      orderNumber
      requiredDate
      vendor {
        name
      }
      lines {
        itemCode
        quantity
      }
    }
  }
}"""


async def make() -> None:
    """Run the product, both systems and Chromium, and keep what the page shows."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("chromium is not installed (Debian: apt-get install chromium)")
    with tempfile.TemporaryDirectory(prefix="crosshead-picture-") as folder, ExitStack() as parts:
        postgres = parts.enter_context(EmbeddedPostgres(Path(folder) / "postgres", fsync=False))
        redis = parts.enter_context(EmbeddedRedis(Path(folder) / "redis"))
        sap = parts.enter_context(serve(create_app()))
        tryton = parts.enter_context(TrytonServer(postgres_url=postgres.superuser_dsn(), bin_dir=postgres.bin_dir))
        async with AsyncExitStack() as running:
            product = await running.enter_async_context(open_product(postgres, redis))
            await connect_sap(product, sap, customer="customer-1")
            await _connect_tryton(product, tryton)
            await product.work()
            playwright = await running.enter_async_context(async_playwright())
            browser = await running.enter_async_context(launched(playwright, chromium))
            await _photograph(browser, product)


async def _connect_tryton(product: Product, tryton: TrytonServer) -> None:
    credentials = {
        "base_url": tryton.url,
        "database": tryton.database,
        "username": tryton.username,
        "password": tryton.password,
    }
    await product.connect("tryton", credentials, customer={"ref": "customer-2", "name": "Demo customer-2"})


async def _photograph(browser: Browser, product: Product) -> None:
    async with visiting(browser, product.url) as visit:
        page = visit.page
        await visit.use_key(product.key)
        await visit.set_query(QUERY)
        await page.get_by_role("button", name="Hide Example queries").click()
        await page.get_by_role("button", name="Hide editor tools").click()
        await page.locator(".graphiql-query-editor .view-line").first.click()
        await page.keyboard.press("Control+Home")
        answer = await visit.run()
        assert "errors" not in answer, answer
        await expect(visit.response).to_contain_text('"totalCount"')
        await page.mouse.move(0, 0)
        await page.wait_for_timeout(1000)  # the editors colour their text a moment later
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=PICTURE)
    size = PICTURE.stat().st_size
    assert size < LARGEST_BYTES, f"{size} bytes are too many for a README"


if __name__ == "__main__":
    asyncio.run(make())
