"""Delete what has been kept long enough, in batches, so that no lock is held for long."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from db import audit, credentials, deliveries, events, history, request_log, sessions
from db.engine import Database

log = structlog.get_logger(__name__)

EVERY_SECONDS: Final = 60.0
BATCH: Final = 5_000


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept."""

    request_log_days: int = 30
    audit_log_days: int = 730
    delivery_days: int = 30
    event_days: int = 90
    history_days: int | None = None
    """None keeps all versions."""


async def prune(database: Database, retention: Retention, *, batch: int = BATCH) -> int:
    """Delete what is too old; gives how many rows it were."""
    deleted, found = 0, batch
    while found:
        async with database.system() as session:
            found = await request_log.prune(session, days=retention.request_log_days, most=batch)
            found += await audit.prune(session, days=retention.audit_log_days, most=batch)
            found += await sessions.prune(session, most=batch)
            found += await deliveries.prune(session, days=retention.delivery_days, most=batch)
        deleted += found
    kept = {events.prune: retention.event_days, history.prune: retention.history_days}
    for prune_some, days in kept.items():
        if days is not None:
            deleted += await _prune_own(database, prune_some, days=days, batch=batch)
    return deleted


async def _prune_own(database: Database, prune_some: Callable[..., Awaitable[int]], *, days: int, batch: int) -> int:
    """Delete what the system role may not see, organization by organization."""
    before = await database.clock() - timedelta(days=days)
    async with database.system() as session:
        scopes = await credentials.organizations(session)
    deleted = 0
    for scope in scopes:
        found = batch
        while found:
            async with database.write(scope) as writing:
                found = await prune_some(writing, scope, before=before, most=batch)
            deleted += found
    return deleted


async def run(database: Database, retention: Retention, *, every_seconds: float = EVERY_SECONDS) -> None:
    """Prune until cancelled; a failing round is told and the next one tried."""
    while True:
        try:
            await prune(database, retention)
        except database.failures as error:
            log.warning("prune_failed", error=type(error).__name__)
        await asyncio.sleep(every_seconds)
