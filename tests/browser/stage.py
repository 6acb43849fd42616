"""The product in front of a simulated SAP S/4HANA, which two customers have connected and whose records are synced."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from crosshead import compose
from crosshead.embedded.postgres import EmbeddedPostgres
from crosshead.embedded.redis import EmbeddedRedis
from crosshead.organizations import make_organization
from crosshead.settings import Settings
from db.engine import Database
from db.migrate import migrate
from jobs import worker
from sandbox.kit.faults import Fault
from sandbox.kit.server import serve
from sandbox.sap_s4hana.app import RunningSap, create_app
from sandbox.sap_s4hana.seed.plan import Plan
from tests.fixtures.database import LOGIN, PASSWORD
from tests.fixtures.product import MASTER_KEY, Product, listening

DATABASE: Final = "crosshead_browser"
ORDERS: Final = 300
ALL_DAYS: Final = 500  # the oldest order of the sandbox is 400 days old
WRITE_DEFAULTS: Final[Mapping[str, str]] = {
    "company_code": "1010",
    "purchasing_organization": "1010",
    "purchasing_group": "001",
    "plant": "1010",
    "storage_location": "101A",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """The running product, the SAP behind it, and the first customer's connection with its token."""

    product: Product
    sap: RunningSap
    connection: str
    token: str

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Let a worker run beside the API until the block is left."""
        async with compose.worker(self.product.settings) as parts:
            task = asyncio.create_task(worker.run(parts))
            try:
                yield
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    @contextlib.contextmanager
    def slow_sap(self, *, seconds: float) -> Iterator[None]:
        """Let SAP take its time over each page of orders, as real ones do, until the block is left."""
        self.sap.app.faults.append(Fault("delay", path=r"/A_PurchaseOrder\?", count=None, seconds=seconds))
        try:
            yield
        finally:
            self.sap.app.faults.clear()

    async def change_in_sap(self, order: str, **values: Any) -> None:
        """Change a purchase order as one of SAP's own users would."""
        address = f"{self.sap.admin_url}/documents/A_PurchaseOrder/{order}"
        async with self.product.http.patch(address, json=values) as answer:
            answer.raise_for_status()


@asynccontextmanager
async def open_stage(postgres: EmbeddedPostgres, redis: EmbeddedRedis) -> AsyncIterator[Stage]:
    """Run the product on a database of its own, connect both customers and sync everything."""
    async with open_product(postgres, redis) as product:
        with serve(create_app(plan=Plan(orders=ORDERS))) as sap:
            connection, token = await connect_sap(product, sap, customer="customer-1")
            await connect_sap(product, sap, customer="customer-2")
            await product.work()
            yield Stage(product, sap, connection, token)


@asynccontextmanager
async def open_product(postgres: EmbeddedPostgres, redis: EmbeddedRedis) -> AsyncIterator[Product]:
    """Run the API on a free port, with one organization."""
    postgres.ensure_role(LOGIN, PASSWORD, createrole=True)
    postgres.ensure_database(DATABASE, LOGIN)
    url = postgres.dsn(DATABASE, user=LOGIN, password=PASSWORD)
    await migrate(url)
    settings = Settings.model_validate(
        {
            "database_url": url,
            "redis_url": redis.url,
            "master_keys": MASTER_KEY,
            "port": 0,
            "egress_allowed_cidrs": "127.0.0.0/8",  # where the sandboxes listen
        }
    )
    database = Database.open(url, pool_size=2, application="tests")
    scope, key = await make_organization(database, name="Demo organization", credits_pool=100)
    await database.close()
    async with listening(compose.api(settings)) as address, aiohttp.ClientSession() as http:
        yield Product(address, key, scope, settings, http)


async def connect_sap(product: Product, sap: RunningSap, *, customer: str) -> tuple[str, str]:
    """Connect a customer's SAP with all its history; gives the connection's id and token."""
    return await product.connect(
        "sap_s4hana",
        sap_credentials(sap),
        customer={"ref": customer, "name": f"Demo {customer}"},
        historicalPeriodDays=ALL_DAYS,
        writeDefaults=dict(WRITE_DEFAULTS),
    )


def sap_credentials(sap: RunningSap) -> dict[str, str]:
    """Give what the connect form asks for, for the sandbox's demonstration user."""
    return {"base_url": sap.url, "username": "COMM_USER", "password": "Sandbox-Full-1", "client": "100"}
