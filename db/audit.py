"""The audit log: added to in the transaction of each change of configuration, pruned by age."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from structlog.contextvars import get_contextvars

from db.engine import SystemSession, WriteSession
from db.models.audit import ActorKind, AuditEntry
from db.scope import Scope
from db.types import encode_id

WITHHELD: Final[Mapping[str, bool]] = {"withheld": True}
"""In the place of a value that is secret, or says something of the organization's customers."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something.

    Attributes:
        id: The public id of the key, the token or the session.
        last_four: The last four characters of the key or token.
    """

    kind: ActorKind
    id: str | None = None
    last_four: str | None = None


_OPERATOR: Final = Actor(ActorKind.OPERATOR)
_ACTOR: Final[ContextVar[Actor]] = ContextVar("actor")


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Let what is recorded inside be told as this actor's; outside of any it is the operator's, by a command."""
    token = _ACTOR.set(actor)
    try:
        yield
    finally:
        _ACTOR.reset(token)


def act_as(actor: Actor) -> None:
    """Let what this task, and those it begins, record from now on be told as this actor's."""
    _ACTOR.set(actor)


def record(
    session: WriteSession,
    scope: Scope,
    action: str,
    *,
    target: tuple[str, UUID] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry to the audit log; it is stored with the transaction, or not at all.

    Args:
        action: The mutation's name.
        target: Type and id of what was changed; the scope's connection by default.
        changes: Field of the API → its value now, ready for JSON; `WITHHELD` for what is secret or a customer's.
    """
    actor = _ACTOR.get(_OPERATOR)
    if target is None and scope.connection_id is not None:
        target = ("ConnectedSystem", scope.connection_id)
    session.add(
        AuditEntry(
            organization_id=scope.organization_id,
            connection_id=scope.connection_id,
            action=action,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_last_four=actor.last_four,
            request_id=get_contextvars().get("request_id"),
            target_id=encode_id(*target) if target else None,
            changes=dict(changes or {}),
            at=datetime.now(UTC),
        )
    )


_PRUNE: Final = text(
    """
    DELETE FROM audit_entry WHERE id IN (
        SELECT id FROM audit_entry
        WHERE id < CAST(rpad(lpad(to_hex(CAST(
            extract(epoch FROM now() - make_interval(days => :days)) * 1000 AS bigint)), 12, '0'), 32, '0') AS uuid)
        ORDER BY id LIMIT :most)
    """
)
"""Ids begin with the time they were made, in milliseconds (UUIDv7)."""


async def prune(session: SystemSession, *, days: int, most: int = 5_000) -> int:
    """Delete the oldest entries that are older than `days`, at most so many; gives how many it were."""
    return (await session.execute(_PRUNE, {"days": days, "most": most})).rowcount  # type: ignore[attr-defined,no-any-return]
