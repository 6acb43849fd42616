"""What people have to look at though no call failed: told as an issue, until it is dealt with.

operation   what it is                                                  resolved
SWEEP       more records vanished than are deleted without asking       by an answer, or by a run that judges anew
MAP         items that could not be mapped, kept in quarantine          once none of the entity is left there
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from db import health
from db.engine import WriteSession
from db.events import NewEvent
from db.health import Noted
from db.models.sync import SourceError
from db.scope import Scope
from db.types import Entity
from jobs.health import issue_event

Matter = Literal["SWEEP", "MAP"]


async def call(
    session: WriteSession,
    scope: Scope,
    matter: Matter,
    entity: Entity,
    error: SourceError,
    *,
    run_id: UUID | None,
    now: datetime,
) -> list[NewEvent]:
    """Keep an error, with the issue that it belongs to; gives the events to append at the end of the transaction."""
    noted = Noted(
        entity=entity,
        operation=matter,
        touches=(entity, matter),
        fingerprint=f"{entity}/{matter}",
        answered=True,
        error=error.model_dump(mode="json"),
        run_id=run_id,
    )
    opened = await health.note(session, scope, noted, now=now)
    return [] if opened is None else [issue_event("issue.opened", scope, opened)]


async def settle(
    session: WriteSession, scope: Scope, matter: Matter, entity: Entity, *, now: datetime
) -> list[NewEvent]:
    """Resolve the issue of a matter that is dealt with; gives the events to append."""
    resolved = await health.resolve(session, scope, entity=entity, operation=matter, now=now)
    return [issue_event("issue.resolved", scope, issue) for issue in resolved]
