"""Connect sessions: a link by which a customer connects a system, or renews its credentials, without a token."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Index, Integer, UniqueConstraint

from db.models import columns as c
from db.models.base import TenantRow
from db.types import new_id


class ConnectSession(TenantRow, table=True):
    """One link, what it may be used for, and how far its user has come; its secrets are kept as their SHA-256.

    The credentials that a live check took are sealed here, bound to the connection that they are for, until the code
    is traded for the token: only then is anything connected or renewed.
    """

    __tablename__ = "connect_session"
    __table_args__ = (
        UniqueConstraint("secret_hash"),
        UniqueConstraint("code_hash"),
        Index("connect_session_connection", "connection_id"),
    )

    id: UUID = c.uuid("Its id, which its address shows.", primary_key=True, default_factory=new_id)
    connection_id: UUID = c.uuid("The connection that it makes, or whose credentials it renews.")
    renews: bool = c.column("It renews an existing connection's credentials.", sa_type=Boolean, default=False)
    customer: dict[str, Any] = c.document("Whose system it is: ref and name.", default=c.REQUIRED)
    systems: list[str] = c.texts("The systems that may be chosen; none means all.")
    settings: dict[str, Any] = c.document("What else the connection is made with.", default_factory=dict)
    redirect_uri: str | None = c.text("Where the browser goes with the code.", max_length=2000)
    origin: str | None = c.text("The page that the code is posted to.")
    secret_hash: bytes = c.binary("SHA-256 of the link's secret.", default=c.REQUIRED)
    page_hash: bytes | None = c.binary("SHA-256 of what the opened page holds instead.", default=None)
    checks: int = c.column("Live checks that were asked for.", sa_type=Integer, default=0)
    system_slug: str | None = c.text("The system that was checked.")
    key_id: str | None = c.text("The master key that wraps the data key.")
    wrapped_key: bytes | None = c.binary("The data key under the master key.", default=None)
    sealed: bytes | None = c.binary("The checked credentials under the data key.", default=None)
    refused: dict[str, str] = c.document("Entity → why the credentials may not read it.", default_factory=dict)
    code_hash: bytes | None = c.binary("SHA-256 of the code.", default=None)
    created_at: datetime = c.instant("When it was made, UTC.", default=c.REQUIRED)
    expires_at: datetime = c.instant("When the link ends, UTC.", default=c.REQUIRED)
    opened_at: datetime | None = c.instant("When the link was opened, UTC.")
    code_expires_at: datetime | None = c.instant("When the code ends, UTC.")
    exchanged_at: datetime | None = c.instant("When the code was traded for the token, UTC.")
