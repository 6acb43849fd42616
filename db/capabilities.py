"""Capabilities as rows: the connectors' declarations, less what a connection's credentials may not do."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from sqlalchemy import text
from sqlmodel import col, select

from db.engine import ReadSession, SystemSession, WriteSession
from db.models.capability import Capability
from db.scope import Scope
from db.types import Entity, Operation

_DECLARED: Final = """
    INSERT INTO connection_capability AS t (organization_id, connection_id, entity, operation, supported,
        unavailable_reason, reference_field, fields)
    SELECT c.organization_id, c.id, d.entity, d.operation, d.supported, d.unavailable_reason, d.reference_field,
           d.fields
    FROM connection c
    JOIN jsonb_to_recordset(CAST(:declared AS jsonb)) AS d(system text, entity text, operation text,
        supported boolean, unavailable_reason text, reference_field text, fields jsonb) ON d.system = c.system_slug
    WHERE CAST(:connection AS uuid) IS NULL OR c.id = :connection
    ON CONFLICT (connection_id, entity, operation) DO UPDATE SET
        supported = excluded.supported AND t.refused IS NULL,
        unavailable_reason = coalesce(t.refused, excluded.unavailable_reason),
        reference_field = excluded.reference_field, fields = excluded.fields
    WHERE (t.fields, t.reference_field, t.supported, t.unavailable_reason) IS DISTINCT FROM
        (excluded.fields, excluded.reference_field, excluded.supported AND t.refused IS NULL,
         coalesce(t.refused, excluded.unavailable_reason))
"""


async def declare(
    session: SystemSession | WriteSession, declared: Sequence[Mapping[str, Any]], *, connection: Any = None
) -> None:
    """Make the capabilities of connections equal to what their connectors declare; refusals stay.

    Args:
        declared: system, entity, operation, supported, unavailable_reason, reference_field and fields of each.
        connection: The only connection to write; None writes those of all.
    """
    told = orjson.dumps(list(declared)).decode()
    await session.execute(text(_DECLARED), {"declared": told, "connection": connection})


async def refuse(session: WriteSession, scope: Scope, refused: Mapping[tuple[Entity, Operation], str]) -> None:
    """Keep what the credentials of a connection may not do; what is not named, they may."""
    told = [{"entity": e.value, "operation": o.value, "reason": reason[:2000]} for (e, o), reason in refused.items()]
    await session.execute(
        text(
            """
            UPDATE connection_capability t SET
                refused = r.reason,
                supported = CASE WHEN r.reason IS NOT NULL THEN false ELSE t.supported OR t.refused IS NOT NULL END,
                unavailable_reason = CASE WHEN r.reason IS NOT NULL THEN r.reason
                    WHEN t.refused IS NOT NULL THEN NULL ELSE t.unavailable_reason END
            FROM connection_capability k
            LEFT JOIN jsonb_to_recordset(CAST(:refused AS jsonb)) AS r(entity text, operation text, reason text)
                ON r.entity = k.entity AND r.operation = k.operation
            WHERE k.connection_id = :connection AND t.connection_id = k.connection_id
              AND t.entity = k.entity AND t.operation = k.operation
              AND (t.supported OR t.refused IS NOT NULL) AND t.refused IS DISTINCT FROM r.reason
            """
        ),
        {"refused": orjson.dumps(told).decode(), "connection": scope.connection_id},
    )


async def of(session: ReadSession, scope: Scope, entity: Entity, operation: Operation) -> Capability | None:
    """Give what a connection can do of one operation."""
    found = await session.execute(
        select(Capability).where(
            col(Capability.connection_id) == scope.connection_id,
            col(Capability.entity) == entity.value,
            col(Capability.operation) == operation.value,
        )
    )
    return found.scalar_one_or_none()
