"""Postgres with fsync on, Redis, and ledgers in processes of their own, each connected by one connection."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg

from crosshead import compose
from crosshead.compose import Parts
from crosshead.dev.servers import LOGIN
from crosshead.embedded.postgres import EmbeddedPostgres
from crosshead.embedded.redis import EmbeddedRedis
from crosshead.organizations import make_organization
from crosshead.settings import Settings
from db import connections
from db.migrate import migrate
from db.models.sync import SyncMode
from db.scope import Scope
from db.types import Entity
from jobs.connect import ConnectRequest
from sandbox.kit.process import Process, started
from sandbox.ledger.books import KEY
from tests.fixtures.ledger_connector import LedgerConnector

LEASE_SECONDS: Final = 3
"""The shortest that the setting takes; what a kill costs is waiting for it to lapse."""
_VAULT: Final = "b:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@dataclass(frozen=True, slots=True)
class Lane:
    """A ledger and the connection that copies it."""

    source: Process
    own: Scope

    @property
    def connection_id(self) -> UUID:
        """The connection."""
        if self.own.connection_id is None:
            raise TypeError("a lane has a connection")
        return self.own.connection_id


@dataclass(frozen=True, slots=True)
class Stage:
    """What is running; `behind` sees behind row-level security."""

    settings: Settings
    parts: Parts
    behind: asyncpg.Pool
    lanes: list[Lane]

    async def trigger(self, lane: Lane) -> UUID:
        """Ask for an incremental run of orders; gives the open one where there is one."""
        door = compose.connect_door(self.settings, self.parts)
        runs, problems = await door.trigger(
            lane.own, lane.connection_id, (Entity.PURCHASE_ORDER,), SyncMode.INCREMENTAL
        )
        if problems:
            raise SystemExit(f"no run: {problems}")
        return runs[0]

    async def one(self, sql: str, *values: object) -> object:
        """Look at one value."""
        return await self.behind.fetchval(sql, *values)


@asynccontextmanager
async def opened(*, lanes: int, orders: int, lines: int, page_size: int) -> AsyncIterator[Stage]:
    """Start everything, connect each ledger, and end all with the block."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = stack.enter_context(EmbeddedPostgres(folder / "postgres"))
        redis = stack.enter_context(EmbeddedRedis(folder / "redis"))
        postgres.ensure_role(LOGIN, "benchmark", createrole=True)
        postgres.ensure_database(LOGIN, LOGIN)
        url = postgres.dsn(LOGIN, user=LOGIN, password="benchmark")  # noqa: S106  (a throw-away cluster)
        await migrate(url)
        settings = Settings.model_validate({
            "database_url": url,
            "redis_url": redis.url,
            "master_keys": _VAULT,
            "egress_allowed_cidrs": "127.0.0.1/32",
            "lease_seconds": LEASE_SECONDS,
            "database_pool_size": 6,
            "log_level": "error",
        })  # fmt: skip
        connector = LedgerConnector()
        parts = await stack.enter_async_context(
            compose.open_parts(settings, application="benchmark", connectors={"ledger": connector})
        )
        async with parts.database.system() as session:
            entries = [compose.catalogue_entry(connector)], compose.catalogue_entities(connector)
            await connections.write_catalogue(session, *entries)
        behind = await stack.enter_async_context(
            asyncpg.create_pool(postgres.superuser_dsn(LOGIN), min_size=1, max_size=4)
        )
        scope, _ = await make_organization(parts.database, name="Benchmark", credits_pool=100)
        made: list[Lane] = []
        stage = Stage(settings, parts, behind, made)
        for number in range(lanes):
            source = await stack.enter_async_context(
                started("ledger", orders=orders, lines=lines, page_size=page_size, rng_seed=number + 1)
            )
            made.append(Lane(source, await _connected(stage, scope, source)))
        yield stage


async def _connected(stage: Stage, scope: Scope, source: Process) -> Scope:
    request = ConnectRequest("ledger", {"base_url": source.url, "key": KEY}, "c-1", "Customer 1")
    door = compose.connect_door(stage.settings, stage.parts)
    connected, problems = await door.connect(scope, request)
    if connected is None:
        raise SystemExit(f"not connected: {problems}")
    return scope.narrowed(connected.connection_id)
