"""The composition root: builds the parts from settings, and puts the API and the worker together."""

import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from arq.connections import RedisSettings
from pydantic import BaseModel, SecretStr
from redis.asyncio import Redis
from starlette.applications import Starlette

from connectors.base import Connector
from connectors.egress import Egress
from connectors.posting import Poster
from connectors.registry import BY_SLUG
from crosshead.settings import Settings, parse_master_keys, parse_networks, parse_seconds
from db import capabilities, connections
from db.engine import Database
from db.models.connection import System, SystemEntity
from db.models.records import explained
from db.models.registry import SPECS
from db.secrets import Vault
from graph.app import make_app
from graph.context import Services
from graph.door.recorder import Recorder
from graph.limits.points import Limit, Points
from graph.pages import pages_dir
from graph.together import Together
from graph.versions.catalogue import VERSIONS, Versions
from jobs.access import AccessDoor
from jobs.budget import Budget
from jobs.capabilities import declared
from jobs.carry import Carrier
from jobs.check import Checks
from jobs.connect import ConnectDoor
from jobs.deliver import Sender
from jobs.delivery_policy import DeliveryPolicy
from jobs.disconnect import DisconnectDoor
from jobs.events import Events
from jobs.organization import OrganizationDoor
from jobs.portal import PortalDoor
from jobs.queue import Queue
from jobs.retention import Retention
from jobs.revocation import Revocations
from jobs.runs import RunDoor
from jobs.settings import Settings as ConnectSettings
from jobs.sources import Sources
from jobs.sync import SLICE_SECONDS, SyncRunner
from jobs.webhooks import WebhookDoor
from jobs.worker import WorkerParts
from jobs.write import WriteDoor

POINTS_SECONDS = 0.25
"""How long a request waits for Redis before its points are counted by this process alone."""


PORTAL_LIMIT = Limit(60, 1)
"""How much a session, and an address, may ask of the connect page: a live check costs 5, anything else 1."""


def now() -> datetime:
    """Tell the time, UTC: the only clock, read at the edge."""
    return datetime.now(UTC)


def redis_settings(settings: Settings) -> RedisSettings:
    """Read the Redis URL; TLS checks the host name, which arq leaves off."""
    url = settings.redis_url
    return RedisSettings(
        host=url.host or "localhost",
        port=url.port or 6379,
        username=url.username or None,
        password=url.password or None,
        database=int((url.path or "/0").lstrip("/") or 0),
        ssl=url.scheme == "rediss",
        ssl_check_hostname=url.scheme == "rediss",
        conn_retries=1,
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """What both the API and the worker are made of."""

    database: Database
    queue: Queue
    sources: Sources
    poster: Poster
    revocations: Revocations


@asynccontextmanager
async def open_parts(
    settings: Settings, *, application: str, connectors: Mapping[str, Connector]
) -> AsyncIterator[Parts]:
    """Open the pools, the way to Redis and the way out; close them at the end."""
    keys, active = parse_master_keys(settings.master_keys)
    guard = parse_networks(settings.egress_allowed_cidrs)
    database = Database.open(str(settings.database_url), pool_size=settings.database_pool_size, application=application)
    queue = Queue.open(redis_settings(settings))
    try:
        async with (
            Egress.open(guard=guard, connections_per_host=settings.source_connections_per_host) as egress,
            Poster.open(guard=guard) as poster,
        ):
            budget = Budget(database, now, call_seconds=settings.lease_seconds)
            sources = Sources(egress, Vault(keys, active=active), connectors, budget=budget)
            async with Revocations(database, queue).listening() as revocations:
                yield Parts(database, queue, sources, poster, revocations)
    finally:
        await queue.close()
        await database.close()


def api(
    settings: Settings, *, connectors: Mapping[str, Connector] = BY_SLUG, versions: Versions = VERSIONS
) -> Starlette:
    """Build the API process's application; `connectors` by slug are what can be connected."""

    @asynccontextmanager
    async def build() -> AsyncIterator[Services]:
        async with open_parts(settings, application="crosshead api", connectors=connectors) as parts:
            async with parts.database.system() as session:
                await connections.write_catalogue(
                    session,
                    [catalogue_entry(each) for each in connectors.values()],
                    [entry for each in connectors.values() for entry in catalogue_entities(each)],
                )
                await capabilities.declare(session, [row for each in connectors.values() for row in declared(each)])
            access = AccessDoor(database=parts.database, queue=parts.queue, now=now)
            connect = connect_door(settings, parts)
            disconnect = DisconnectDoor(database=parts.database, queue=parts.queue, now=now)
            runs = RunDoor(database=parts.database, queue=parts.queue, now=now)
            write = write_door(settings, parts)
            recorder = Recorder(parts.database, now=now)
            async with (
                aclosing(write),
                Events(parts.database, parts.queue).listening() as events,
                recorder.writing(),
                open_points(settings, points_limit(settings)) as points,
                open_points(settings, PORTAL_LIMIT) as portal_points,
            ):
                yield Services(
                    database=parts.database,
                    queue=parts.queue,
                    events=events,
                    revocations=parts.revocations,
                    access=access,
                    organizations=OrganizationDoor(database=parts.database),
                    connect=connect,
                    disconnect=disconnect,
                    runs=runs,
                    write=write,
                    webhooks=webhook_door(parts),
                    portal=portal_door(parts, connect),
                    points=points,
                    portal_points=portal_points,
                    recorder=recorder,
                    together=Together(parts.database),
                    public_url=str(settings.public_url) if settings.public_url else None,
                    versions=versions,
                )

    return make_app(build, pages=pages_dir())


@asynccontextmanager
async def open_points(settings: Settings, limit: Limit) -> AsyncIterator[Points]:
    """Open the buckets of points; a Redis that does not answer at once is done without."""
    url = settings.redis_url
    secure: dict[str, Any] = {"ssl_check_hostname": True} if url.scheme == "rediss" else {}
    redis = Redis.from_url(str(url), socket_connect_timeout=POINTS_SECONDS, socket_timeout=POINTS_SECONDS, **secure)
    try:
        async with Points(redis, limit).returning() as points:
            yield points
    finally:
        await redis.aclose()


@asynccontextmanager
async def worker(
    settings: Settings,
    *,
    connectors: Mapping[str, Connector] = BY_SLUG,
    slice_seconds: float = SLICE_SECONDS,
    application: str = "crosshead worker",
) -> AsyncIterator[WorkerParts]:
    """Build the worker process's parts; `application` names it in Postgres."""
    async with open_parts(settings, application=application, connectors=connectors) as parts:
        runner, carrier = sync_runner(settings, parts, slice_seconds=slice_seconds), write_carrier(settings, parts)
        redis, jobs = redis_settings(settings), (settings.worker_jobs, settings.worker_long_jobs)
        kept = Retention(
            request_log_days=settings.request_log_days,
            audit_log_days=settings.audit_log_days,
            delivery_days=settings.webhook_log_days,
            event_days=settings.event_retention_days,
            history_days=settings.history_retention_days,
        )
        checks, sender = live_checks(settings, parts), webhook_sender(settings, parts)
        yield WorkerParts(parts.database, parts.queue, runner, checks, carrier, sender, redis, *jobs, kept)


def points_limit(settings: Settings) -> Limit:
    """Tell how much a token may spend."""
    return Limit(settings.rate_capacity_points, settings.rate_restore_points_per_second)


def portal_door(parts: Parts, connect: ConnectDoor) -> PortalDoor:
    """Build the connect module's door."""
    return PortalDoor(database=parts.database, sources=parts.sources, connect=connect, now=now)


def connect_door(settings: Settings, parts: Parts) -> ConnectDoor:
    """Build the door that connects systems."""
    return ConnectDoor(
        database=parts.database,
        queue=parts.queue,
        sources=parts.sources,
        settings=ConnectSettings(
            settings.sync_every_minutes, settings.sync_minimum_minutes, settings.sync_full_every_hours
        ),
        now=now,
    )


def write_carrier(settings: Settings, parts: Parts) -> Carrier:
    """Build what performs writes, named after this process in leases."""
    return Carrier(
        database=parts.database,
        queue=parts.queue,
        sources=parts.sources,
        owner=_owner(),
        now=now,
        lease_seconds=settings.write_lease_seconds,
    )


def write_door(settings: Settings, parts: Parts) -> WriteDoor:
    """Build the door that writes."""
    carrier = write_carrier(settings, parts)
    return WriteDoor(database=parts.database, queue=parts.queue, sources=parts.sources, carrier=carrier, now=now)


def webhook_door(parts: Parts) -> WebhookDoor:
    """Build the door to webhooks."""
    return WebhookDoor(
        database=parts.database, queue=parts.queue, vault=parts.sources.vault, poster=parts.poster, now=now
    )


def webhook_sender(settings: Settings, parts: Parts) -> Sender:
    """Build what sends deliveries, named after this process in leases."""
    policy = DeliveryPolicy(
        retry_seconds=parse_seconds(settings.webhook_retry_seconds),
        lease_seconds=settings.webhook_lease_seconds,
        at_once=settings.webhook_posts_per_endpoint,
    )
    return Sender(
        database=parts.database,
        queue=parts.queue,
        vault=parts.sources.vault,
        poster=parts.poster,
        owner=_owner(),
        now=now,
        policy=policy,
    )


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def sync_runner(settings: Settings, parts: Parts, *, slice_seconds: float = SLICE_SECONDS) -> SyncRunner:
    """Build what works on sync runs, named after this process in leases."""
    return SyncRunner(
        database=parts.database,
        queue=parts.queue,
        sources=parts.sources,
        revocations=parts.revocations,
        owner=_owner(),
        now=now,
        lease_seconds=settings.lease_seconds,
        slice_seconds=slice_seconds,
        vanishing_percent=settings.sync_vanishing_percent,
    )


def live_checks(settings: Settings, parts: Parts) -> Checks:
    """Build what asks sources whether they work."""
    keep = timedelta(days=settings.error_retention_days)
    return Checks(parts.database, parts.queue, parts.sources, now, keep=keep)


def catalogue_entry(connector: Connector) -> System:
    """Tell a connector's declaration as its row in the catalogue."""
    spec = connector.spec
    operations: dict[str, list[str]] = {str(feed.entity): ["READ"] for feed in connector.feeds}
    for entity, operation in connector.writes:
        operations.setdefault(str(entity), []).append(str(operation))
    return System(
        slug=spec.slug,
        name=spec.name,
        vendor=spec.vendor,
        category=spec.category,
        credits=spec.credits,
        credential_form=form_schema(spec.credentials),
        write_defaults_form=form_schema(spec.write_defaults),
        capabilities=[{"entity": entity, "operations": names} for entity, names in operations.items()],
    )


def catalogue_entities(connector: Connector) -> list[SystemEntity]:
    """Tell what a connector's mappings leave out, as the rows that explain nulls."""
    rows = []
    for entity, mapping in connector.mappings.items():
        names = explained(SPECS[entity].table) & mapping.record.model_fields.keys()
        unavailable = {
            name: "NOT_SUPPORTED" if name in mapping.absent else "NOT_MAPPED"
            for name in sorted(names)
            if mapping.part(name) is None
        }
        rows.append(SystemEntity(system_slug=connector.spec.slug, entity=entity, unavailable=unavailable))
    return rows


def form_schema(form: type[BaseModel]) -> dict[str, object]:
    """Give a form's JSON schema; secrets are marked writeOnly and format password."""
    schema = form.model_json_schema()
    for name, field in form.model_fields.items():
        if field.annotation is SecretStr or field.annotation == (SecretStr | None):
            schema["properties"][name] |= {"writeOnly": True, "format": "password"}
    return schema
