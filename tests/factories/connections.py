"""Connections and their tokens."""

from typing import Any

from db import tokens
from db.connections import health_of
from db.engine import WriteSession
from db.models.base import dumped
from db.models.connection import ConnectedEntity, ConnectedSystem, ConnectionStatus, CustomerRef
from db.models.organization import TokenKind, TokenScope
from db.scope import Scope
from db.types import Entity, new_id
from tests.factories.rows import EPOCH, owner_of


async def make_connection(
    session: WriteSession,
    *,
    scope: Scope,
    system_slug: str = "tryton",
    customer_ref: str = "c-1",
    **values: Any,
) -> ConnectedSystem:
    """Insert a connection of the scope's organization; `system_slug` must be in the catalogue."""
    customer = dumped(CustomerRef(ref=customer_ref, name="Customer"))
    row = ConnectedSystem(
        organization_id=scope.organization_id,
        id=scope.connection_id or new_id(),
        system_slug=system_slug,
        **{
            "credits": 1,
            "token_last_four": "0000",
            "created_at": EPOCH,
            "customer": customer,
            "status": ConnectionStatus.ACTIVE,
            **values,
        },
    )
    session.add_all([row, *health_of(row)])
    await session.flush()
    return row


async def make_connected_entity(
    session: WriteSession, *, scope: Scope, entity: Entity = Entity.PURCHASE_ORDER, **values: Any
) -> ConnectedEntity:
    """Insert the schedule of one entity of a connection."""
    row = ConnectedEntity(**owner_of(scope), entity=entity, **values)
    session.add(row)
    await session.flush()
    return row


async def make_token(session: WriteSession, *, scope: Scope, may: TokenScope = TokenScope.WRITE) -> str:
    """Insert a live token of the scope, and give its text: an organization key where the scope has no connection."""
    kind = TokenKind.ORGANIZATION if scope.connection_id is None else TokenKind.CONNECTION
    token, row = tokens.issue(kind, scope=scope, may=may, name="Test token", now=EPOCH)
    session.add(row)
    await session.flush()
    return token
