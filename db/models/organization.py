"""Organization and its bearer tokens."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import SQLModel

from db.models import columns as c
from db.models.base import TenantRow, one_of
from db.types import new_id


class TokenKind(StrEnum):
    """What a bearer token opens."""

    ORGANIZATION = "ORGANIZATION"
    CONNECTION = "CONNECTION"


class TokenScope(StrEnum):
    """What a bearer token may do; each includes the ones before it."""

    READ = "READ"
    WRITE = "WRITE"
    ADMIN = "ADMIN"


class Organization(SQLModel, table=True):
    """Who runs the API for its customers."""

    __tablename__ = "organization"

    id: UUID = c.uuid("Its id.", primary_key=True, default_factory=new_id)
    name: str = c.text("Its name.", default=c.REQUIRED)
    credits_pool: int = c.integer("Credits it may hold for connections.", unit="credits", default=0)
    created_at: datetime = c.instant("When it was made, UTC.", default=c.REQUIRED)


class ApiToken(TenantRow, table=True):
    """A bearer token: only its hash is kept."""

    __tablename__ = "api_token"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        one_of("kind", TokenKind),
        one_of("scope", TokenScope),
        Index("api_token_connection", "connection_id"),
    )

    id: UUID = c.uuid("Its id.", primary_key=True, default_factory=new_id)
    connection_id: UUID | None = c.uuid("The only connection it opens; null for an organization key.", default=None)
    kind: TokenKind = c.choice("What it opens.")
    name: str = c.text("What people call it.", default="")
    scope: TokenScope = c.choice("What it may do.")
    token_hash: bytes = c.binary("SHA-256 of the token.", default=c.REQUIRED)
    last_four: str = c.text("Its last four characters, to tell tokens apart.", max_length=4, default=c.REQUIRED)
    created_at: datetime = c.instant("When it was issued, UTC.", default=c.REQUIRED)
    last_used_at: datetime | None = c.instant("When it was last used, UTC, to the minute.")
    revoked_at: datetime | None = c.instant("When it stopped working, UTC.")
    revoked_reason: str | None = c.text("Why it stopped working, for its holder.")
