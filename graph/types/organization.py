"""The organization and the token that asks."""

import asyncio
from typing import Any
from uuid import UUID

import strawberry

from db import connections
from db.models.organization import TokenKind, TokenScope
from db.types import ErrorCode, encode_id
from graph.context import ApiInfo, Context, Read
from graph.entity import enumeration
from graph.errors import ApiError
from graph.lists import list_field
from graph.types.access import ApiKey, CreditEntryConnection
from graph.types.node import Node
from graph.types.systems import ConnectedSystem


@strawberry.type(description="What an organization may connect.")
class Credits:
    """What an organization may connect."""

    pool: int = strawberry.field(description="Credits it has.")
    used: int = strawberry.field(description="Credits its connections hold.")
    available: int = strawberry.field(description="Credits left.")
    ledger: CreditEntryConnection = list_field(
        "CreditEntry", CreditEntryConnection, "Every hold and return, those that the token sees; their sum is `used`."
    )


@strawberry.type(description="Who runs the API for its customers.")
class Organization(Node):
    """Who runs the API for its customers."""

    name: str = strawberry.field(description="Its name.")
    credits: Credits = strawberry.field(description="What it may connect.")
    allowed_origins: list[str] = strawberry.field(
        description="Origins of web pages that may embed the connect page and get its codes."
    )


@strawberry.type(description="The token that asks.")
class Viewer:
    """The token that asks."""

    token_id: strawberry.ID = strawberry.field(description="The token's id.")
    kind: enumeration(TokenKind) = strawberry.field(description="What it opens.")  # type: ignore[valid-type]
    scope: enumeration(TokenScope) = strawberry.field(description="What it may do.")  # type: ignore[valid-type]
    organization_id: strawberry.ID = strawberry.field(description="Whose it is.")
    key_id: strawberry.Private[UUID]
    connection_id: strawberry.Private[UUID | None] = None

    @strawberry.field(description="What is kept of the token: its name, last four characters and last use.")
    def api_key(self) -> ApiKey:
        """Read the token's row."""
        return _read("ApiKey", self.key_id)

    @strawberry.field(description="The organization.")
    async def organization(self, info: ApiInfo) -> Organization:
        """Read the organization."""
        return await organization_of(info)

    @strawberry.field(description="The only connection it opens; null for an organization key.")
    def connection(self) -> ConnectedSystem | None:
        """Read the connection."""
        return _read("ConnectedSystem", self.connection_id) if self.connection_id else None


def _read(type_name: str, one: UUID) -> Any:
    return Read(type_name, one=one)


def viewer_of(info: ApiInfo) -> Viewer:
    """Tell who asks."""
    who = info.context.who
    return Viewer(
        token_id=strawberry.ID(encode_id("ApiKey", who.token_id)),
        kind=who.kind,
        scope=who.may,
        organization_id=strawberry.ID(encode_id("Organization", who.scope.organization_id)),
        key_id=who.token_id,
        connection_id=who.scope.connection_id,
    )


async def organization_of(info: ApiInfo) -> Organization:
    """Read the organization of who asks: once for each request, however often it is asked for."""
    context = info.context
    if context.fresh:
        return await _organization_of(context)
    if "organization" not in context.once:
        context.once["organization"] = asyncio.ensure_future(_organization_of(context))
    told: Organization = await context.once["organization"]
    return told


async def _organization_of(context: Context) -> Organization:
    async with context.services.database.read(context.who.scope) as session:
        row = await connections.organization(session, context.who.scope)
    if row is None:
        raise ApiError(ErrorCode.NOT_FOUND, "The organization is gone.")
    told = Credits(pool=row.credits_pool, used=row.credits_used, available=row.credits_pool - row.credits_used)
    key = strawberry.ID(encode_id("Organization", row.id))
    return Organization(id=key, name=row.name, credits=told, allowed_origins=row.allowed_origins)
