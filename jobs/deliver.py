"""Send deliveries: leased in batches, posted outside any transaction, settled in batches.

A process that dies leaves leases that lapse; what it sent is sent again with the same `webhook-id`.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog

from connectors.posting import Posted, Poster
from db import deliveries, events
from db.deliveries import Claimed, Settled
from db.engine import Database
from db.events import NewEvent
from db.models.webhook import DeliveryState, EndpointEnd
from db.scope import Scope
from db.secrets import SealBroken, Vault
from db.types import encode_id
from jobs import signing
from jobs.delivery_policy import DeliveryPolicy, Rooms, decide, retry_after_seconds
from jobs.event_types import endpoint_disabled
from jobs.failpoints import failpoint
from jobs.queue import Queue, stop

log = structlog.get_logger(__name__)

POLL_SECONDS: Final = 1.0
GATHER_SECONDS: Final = 0.02
"""How long outcomes are gathered before they are stored together."""
BATCH: Final = 200
USER_AGENT: Final = "Crosshead-Webhooks/1"


@dataclass(frozen=True, slots=True)
class _Outcome:
    settled: Settled
    disable: EndpointEnd | None


class Sender:
    """Sends what is due."""

    def __init__(
        self,
        *,
        database: Database,
        queue: Queue,
        vault: Vault,
        poster: Poster,
        owner: str,
        now: Callable[[], datetime],
        policy: DeliveryPolicy | None = None,
        jitter: Callable[[], float] = random.random,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._database = database
        self._queue = queue
        self._vault = vault
        self._poster = poster
        self._owner = owner
        self._now = now
        self._policy = policy or DeliveryPolicy()
        self._jitter = jitter
        self._poll_seconds = poll_seconds
        self._rooms = Rooms(self._policy.at_once)
        self._due = asyncio.Event()
        self._told: list[_Outcome] = []
        self._storing = asyncio.Event()
        self._secrets: dict[tuple[UUID, bytes], list[signing.Secret]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look at once whether something is due."""
        self._due.set()

    async def run(self) -> None:
        """Send until cancelled; a failing round is told and the next one tried."""
        storing = asyncio.create_task(self._store())
        try:
            while True:
                self._due.clear()
                pause = self._poll_seconds
                try:
                    if await self.round():
                        continue
                    soon = await deliveries.next_in(self._database)
                    pause = min(pause, max(soon, 0.01)) if soon is not None else pause
                except self._database.failures as error:
                    log.warning("deliveries_not_claimed", error=type(error).__name__)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._due.wait()
        finally:
            await stop(*self._tasks, storing)

    async def round(self) -> int:
        """Claim what there is room for, and begin to send it; gives how much it was."""
        most = min(self._policy.most - self._rooms.under_way, BATCH)
        if most <= 0:
            return 0
        claimed = await deliveries.claim(
            self._database,
            owner=self._owner,
            lease_s=self._policy.lease_seconds,
            each=self._policy.at_once,
            rooms=self._rooms.left(),
            most=most,
        )
        failpoint("deliveries_claimed")
        for delivery in claimed:
            self._rooms.begin(delivery.endpoint_id)
            task = asyncio.create_task(self._deliver(delivery))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return len(claimed)

    async def work_off(self) -> int:
        """Send until nothing is due any more; gives how many attempts that were."""
        done = 0
        while await self.round():
            await asyncio.gather(*self._tasks)
            done += len(self._told)
            await self._flush()
        return done

    async def _deliver(self, delivery: Claimed) -> None:
        at = self._now()
        posted = Posted(0, failure=None)
        try:
            secrets = signing.valid(self._opened(delivery), now=at)
        except SealBroken:
            log.exception("secret_not_opened", endpoint_id=encode_id("WebhookEndpoint", delivery.endpoint_id))
            self._rooms.end(delivery.endpoint_id, "QUICK")
            return  # the lease lapses, and whoever has the key may send it
        headers = {
            **signing.signed(secrets, webhook_id=encode_id("Event", delivery.event_id), body=delivery.body, now=at),
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
        }
        try:
            posted = await self._poster.post(delivery.url, delivery.body, headers)
        finally:
            self._rooms.end(delivery.endpoint_id, "SLOW" if posted.failure == "TIMEOUT" else "QUICK")
        failpoint("delivery_sent")
        self._told.append(self._judged(delivery, posted, at))
        self._storing.set()

    def _opened(self, delivery: Claimed) -> list[signing.Secret]:
        """Open an endpoint's secrets, once for as long as they are the same."""
        key = (delivery.endpoint_id, delivery.secrets.sealed)
        if key not in self._secrets:
            if len(self._secrets) > 10_000:
                self._secrets.clear()
            self._secrets[key] = signing.opened(self._vault, delivery.endpoint_id, delivery.secrets)
        return self._secrets[key]

    def _judged(self, delivery: Claimed, posted: Posted, at: datetime) -> _Outcome:
        since = delivery.failing_since
        verdict = decide(
            self._policy,
            status=posted.status,
            retry_after_s=retry_after_seconds(posted.retry_after, at),
            tries=delivery.tries + 1,
            failing_for_s=(at - since).total_seconds() if since is not None else None,
            test=delivery.test,
            jitter=self._jitter(),
        )
        settled = Settled(
            delivery=delivery,
            at=at,
            duration_ms=posted.duration_ms,
            state=verdict.state,
            delay_s=verdict.delay_s,
            status=posted.status,
            failure=posted.failure,
            address=posted.address,
            head=_text(posted.head) if posted.status is not None else None,
        )
        return _Outcome(settled, verdict.disable)

    async def _store(self) -> None:
        """Store outcomes until cancelled; what cannot be stored is tried again."""
        while True:
            await self._storing.wait()
            self._storing.clear()
            await asyncio.sleep(GATHER_SECONDS)
            try:
                await self._flush()
            except self._database.failures as error:
                log.warning("attempts_not_stored", error=type(error).__name__)
                await asyncio.sleep(self._poll_seconds)
                self._storing.set()
            self.wake()

    async def _flush(self) -> None:
        told = self._told[:BATCH]
        if not told:
            return
        good, bad = _by_endpoint(each.settled for each in told)
        settled = [each.settled for each in told]
        await deliveries.settle(self._database, settled, owner=self._owner, good=good, bad=bad)
        del self._told[: len(told)]
        failpoint("attempts_stored")
        ends = {each.settled.delivery.endpoint_id: each for each in told if each.disable is not None}
        for endpoint_id, each in ends.items():
            if each.disable is not None and endpoint_id not in good:
                await self._disable(Scope(each.settled.delivery.organization_id), endpoint_id, each.disable)
        if self._told:
            await self._flush()

    async def _disable(self, scope: Scope, endpoint_id: UUID, reason: EndpointEnd) -> None:
        async with self._database.write(scope) as session:
            was = await deliveries.disable(
                session, scope, endpoint_id, reason, after_s=self._policy.disable_after_seconds
            )
            told: list[NewEvent] = []
            if was is not None:
                told = [endpoint_disabled(endpoint_id, was["url"], reason, failing_since=was["failing_since"])]
            await events.append(session, scope, told)
        await self._queue.wake_followers(scope)


def _by_endpoint(told: Iterable[Settled]) -> tuple[list[UUID], list[UUID]]:
    """Give the endpoints that took something, and those that took nothing; tests count for neither."""
    counted: list[Any] = [each for each in told if not each.delivery.test]
    good = {each.delivery.endpoint_id for each in counted if each.state is DeliveryState.SUCCEEDED}
    bad = {each.delivery.endpoint_id for each in counted} - good
    return sorted(good), sorted(bad)


def _text(head: bytes) -> str:
    """Give the beginning of a body as text; Postgres keeps no NUL."""
    return head.decode("utf-8", "replace").replace("\0", "�")
