"""Connections: made whole or not at all, opened for their scope only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlmodel import SQLModel, col, delete, select, tuple_

from db.engine import ReadSession, SystemSession, WriteSession
from db.models.connection import (
    ConnectedEntity,
    ConnectedSystem,
    ConnectionSecret,
    ConnectionStatus,
    System,
    SystemEntity,
)
from db.models.event import EventCounter
from db.models.health import CallBudget, ConnectionHealth
from db.models.organization import ApiKey, Organization
from db.scope import Scope
from db.secrets import Sealed

SYNCED: Final = frozenset({ConnectionStatus.ACTIVE, ConnectionStatus.UNREACHABLE})
"""The statuses in which a connection's runs go on; see also the statements of db/sync.py."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What is needed to talk to a connection's source."""

    id: UUID
    organization_id: UUID
    system: str
    status: ConnectionStatus
    write_defaults: dict[str, Any]
    historical_period_days: int
    sealed: Sealed | None

    @property
    def scope(self) -> Scope:
        """The scope of exactly this connection."""
        return Scope(self.organization_id, self.id)


async def write_catalogue(session: SystemSession, systems: Sequence[System], entities: Sequence[SystemEntity]) -> None:
    """Make the stored catalogue equal to the registry's."""
    slugs = [system.slug for system in systems]
    for row in (*systems, *entities):
        await session.merge(row)
    await session.execute(delete(System).where(col(System.slug).not_in(slugs)))
    await session.execute(
        delete(SystemEntity).where(
            tuple_(col(SystemEntity.system_slug), col(SystemEntity.entity)).not_in(
                [(each.system_slug, each.entity) for each in entities]
            )
        )
    )


async def catalogue(session: ReadSession, slugs: Collection[str]) -> tuple[System, ...]:
    """Give the systems of these slugs, all of them where there are none, in the order of their names."""
    wanted = [col(System.slug).in_(slugs)] if slugs else []
    return tuple((await session.execute(select(System).where(*wanted).order_by(col(System.name)))).scalars())


async def add(
    session: WriteSession,
    *,
    connection: ConnectedSystem,
    sealed: Sealed,
    token: ApiKey,
    entities: Sequence[ConnectedEntity],
) -> None:
    """Store a connection with its sealed credentials, token, schedules and event stream."""
    secret = ConnectionSecret(
        organization_id=connection.organization_id,
        connection_id=connection.id,
        key_id=sealed.key_id,
        wrapped_key=sealed.wrapped_key,
        sealed=sealed.sealed,
    )
    counter = EventCounter(
        organization_id=connection.organization_id, connection_id=connection.id, stream_id=connection.id
    )
    session.add_all([connection, secret, token, *entities, counter, *health_of(connection)])
    await session.flush()


def health_of(connection: ConnectedSystem) -> list[SQLModel]:
    """Give the rows of a connection that nothing is known of yet."""
    health = ConnectionHealth(organization_id=connection.organization_id, connection_id=connection.id)
    return [health, CallBudget(organization_id=connection.organization_id, connection_id=connection.id)]


async def opened(session: ReadSession, scope: Scope, connection_id: UUID) -> Opened | None:
    """Give what is needed to talk to a connection's source; None outside the scope."""
    rows = await session.execute(
        select(ConnectedSystem, ConnectionSecret)
        .join(ConnectionSecret, col(ConnectionSecret.connection_id) == col(ConnectedSystem.id), isouter=True)
        .where(
            col(ConnectedSystem.id) == connection_id,
            col(ConnectedSystem.organization_id) == scope.organization_id,
        )
    )
    row = rows.one_or_none()
    if row is None or scope.connection_id not in (None, connection_id):
        return None
    connection: ConnectedSystem = row[0]
    secret: ConnectionSecret | None = row[1]  # none once destroyed
    return Opened(
        id=connection.id,
        organization_id=connection.organization_id,
        system=connection.system_slug,
        status=ConnectionStatus(connection.status),
        write_defaults=connection.write_defaults,
        historical_period_days=connection.historical_period_days,
        sealed=Sealed(secret.key_id, secret.wrapped_key, secret.sealed) if secret is not None else None,
    )


async def locked(session: WriteSession, scope: Scope) -> ConnectedSystem | None:
    """Give the scope's connection, and keep others from changing it until the commit; None outside the scope.

    Its health is locked before it, as by what records a source's answers.
    """
    health = select(ConnectionHealth).where(col(ConnectionHealth.connection_id) == scope.connection_id)
    await session.execute(health.with_for_update())
    found = await session.execute(
        select(ConnectedSystem)
        .where(
            col(ConnectedSystem.id) == scope.connection_id,
            col(ConnectedSystem.organization_id) == scope.organization_id,
        )
        .with_for_update(key_share=True)
    )
    return found.scalar_one_or_none()


async def update(session: WriteSession, scope: Scope, connection_id: UUID, changes: Mapping[str, Any]) -> bool:
    """Change a connection's own settings; False where the scope does not hold it."""
    found = (
        await session.execute(
            select(ConnectedSystem).where(
                col(ConnectedSystem.id) == connection_id,
                col(ConnectedSystem.organization_id) == scope.organization_id,
            )
        )
    ).scalar_one_or_none()
    if found is None or scope.connection_id not in (None, connection_id):
        return False
    for name, value in changes.items():
        setattr(found, name, value)
    await session.flush()
    return True


async def reschedule(session: WriteSession, scope: Scope, *, entity: str, values: Mapping[str, Any]) -> bool:
    """Change the schedule of one entity; False where the connection does not sync it."""
    found = (
        await session.execute(
            select(ConnectedEntity).where(
                col(ConnectedEntity.connection_id) == scope.connection_id,
                col(ConnectedEntity.organization_id) == scope.organization_id,
                col(ConnectedEntity.entity) == entity,
            )
        )
    ).scalar_one_or_none()
    if found is None:
        return False
    for name, value in values.items():
        setattr(found, name, value)
    await session.flush()
    return True


async def ended_among(session: SystemSession, connection_ids: Collection[UUID]) -> set[UUID]:
    """Give those of the connections that are disconnected, or gone."""
    alive = await session.execute(
        select(ConnectedSystem.id).where(
            col(ConnectedSystem.id).in_(connection_ids),
            col(ConnectedSystem.status) != ConnectionStatus.DISCONNECTED,
        )
    )
    return set(connection_ids) - set(alive.scalars())


async def entities_of(session: ReadSession, scope: Scope) -> list[str]:
    """Give the entities that a connection syncs."""
    rows = await session.execute(
        select(col(ConnectedEntity.entity))
        .where(
            col(ConnectedEntity.connection_id) == scope.connection_id,
            col(ConnectedEntity.organization_id) == scope.organization_id,
        )
        .order_by(col(ConnectedEntity.entity))
    )
    return [str(entity) for entity in rows.scalars()]


async def organization(session: ReadSession, scope: Scope) -> Organization | None:
    """Give the scope's organization."""
    found = await session.execute(select(Organization).where(col(Organization.id) == scope.organization_id))
    return found.scalar_one_or_none()


async def update_organization(session: WriteSession, scope: Scope, changes: Mapping[str, Any]) -> None:
    """Change the scope's organization."""
    found = await session.execute(
        select(Organization).where(col(Organization.id) == scope.organization_id).with_for_update(key_share=True)
    )
    row = found.scalar_one()
    for name, value in changes.items():
        setattr(row, name, value)
    await session.flush()


async def add_organization(session: WriteSession, *, row: Organization, token: ApiKey, now: datetime) -> None:
    """Store an organization with its first key."""
    row.created_at = now
    session.add_all([row, token])
    await session.flush()
