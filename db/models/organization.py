"""Organization, its bearer tokens and its credits."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import SQLModel

from db.models import columns as c
from db.models.base import BY_CONNECTION, Fields, One, Relation, TenantRow, one_of
from db.types import new_id


class TokenKind(StrEnum):
    """What a bearer token opens."""

    ORGANIZATION = "ORGANIZATION"
    """All of the organization: its key."""
    CONNECTION = "CONNECTION"
    """One connection."""


class TokenScope(StrEnum):
    """What a bearer token may do; each includes the ones before it."""

    READ = "READ"
    """Read."""
    WRITE = "WRITE"
    """Read, and change records in the sources."""
    ADMIN = "ADMIN"
    """Everything, keys and connections included."""


class TokenEnd(StrEnum):
    """Why a bearer token stopped working for good."""

    ROTATED = "ROTATED"
    """Another token took its place."""
    REVOKED = "REVOKED"
    """Somebody revoked it."""
    DISCONNECTED = "DISCONNECTED"
    """Its connection was disconnected."""


class CreditKind(StrEnum):
    """Which way credits went."""

    HOLD = "HOLD"
    """Taken by a connection."""
    RETURN = "RETURN"
    """Given back when it ended."""


class Organization(SQLModel, table=True):
    """Who runs the API for its customers."""

    __tablename__ = "organization"
    __table_args__ = (CheckConstraint("credits_used BETWEEN 0 AND credits_pool", name="credits_within_pool"),)

    id: UUID = c.uuid("Its id.", primary_key=True, default_factory=new_id)
    name: str = c.text("Its name.", default=c.REQUIRED)
    credits_pool: int = c.integer("Credits it may hold for connections.", unit="credits", default=0)
    credits_used: int = c.integer("Credits that its connections hold: the ledger's sum.", unit="credits", default=0)
    created_at: datetime = c.instant("When it was made, UTC.", default=c.REQUIRED)
    allowed_origins: list[str] = c.texts("Origins of web pages that may embed the connect page and get its codes.")


class CreditEntryFields(Fields):
    """Credits that a connection took from the organization's pool, or gave back."""

    kind: CreditKind = c.choice("Which way they went.")
    credits: int = c.integer("How many.", unit="credits")
    used_after: int = c.integer("Credits in use after it.", unit="credits")
    created_at: datetime = c.instant("When, UTC.", default=c.REQUIRED)


class CreditEntry(CreditEntryFields, TenantRow, table=True):
    """The ledger of credits: one hold and one return at most for each connection; entries never change."""

    __tablename__ = "credit_entry"
    __table_args__ = (
        one_of("kind", CreditKind),
        CheckConstraint("credits > 0", name="credits_positive"),
        CheckConstraint("used_after >= 0", name="used_after_known"),
        UniqueConstraint("connection_id", "kind"),
        Index("credit_entry_organization", "organization_id", "id"),
    )
    relations: ClassVar[dict[str, Relation]] = {"connection": One("ConnectedSystem", BY_CONNECTION)}

    id: UUID = c.uuid("Its id.", primary_key=True, default_factory=new_id)
    connection_id: UUID = c.uuid("The connection.", public=False)


class ApiKeyFields(Fields):
    """A bearer token as it is kept: of the text itself, only the hash and the last four characters."""

    kind: TokenKind = c.choice("What it opens.", filterable=True)
    name: str = c.text("What people call it.", default="")
    scope: TokenScope = c.choice("What it may do.")
    last_four: str = c.text("Its last four characters, to tell tokens apart.", max_length=4, default=c.REQUIRED)
    api_version: str | None = c.text(
        "The version of the API that its requests get, where they name none; null for the newest stable one."
    )
    created_at: datetime = c.instant("When it was issued, UTC.", default=c.REQUIRED)
    last_used_at: datetime | None = c.instant("When it was last used, UTC, to the minute.")
    revoked_at: datetime | None = c.instant("When it stopped working for good, UTC.")
    revoked_as: TokenEnd | None = c.choice("Why it stopped working.", default=None)


class ApiKey(ApiKeyFields, TenantRow, table=True):
    """Stored tokens, live and dead: the holder of a dead one is told why."""

    __tablename__ = "api_token"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        one_of("kind", TokenKind),
        one_of("scope", TokenScope),
        one_of("revoked_as", TokenEnd),
        CheckConstraint("(revoked_at IS NULL) = (revoked_as IS NULL)", name="revoked_whole"),
        Index("api_token_connection", "connection_id"),
        Index("api_token_organization", "organization_id", "id"),
        Index("api_token_kind", "organization_id", "kind", "id"),
    )
    relations: ClassVar[dict[str, Relation]] = {"connection": One("ConnectedSystem", BY_CONNECTION)}

    id: UUID = c.uuid("Our own id.", primary_key=True, default_factory=new_id)
    connection_id: UUID | None = c.uuid(
        "The only connection it opens; null for an organization key.", default=None, public=False
    )
    token_hash: bytes = c.binary("SHA-256 of the token.", default=c.REQUIRED)
