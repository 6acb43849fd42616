"""Every type of event, and an example of each in its real shape, made by what makes the real ones."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from db import upsert
from db.events import NewEvent, StoredEvent
from db.health import IssueChange
from db.models.connection import ConnectionStatus
from db.models.registry import ENTITIES, EntitySpec
from db.models.sync import SyncMode, SyncRun, SyncTrigger
from db.models.webhook import EndpointEnd
from db.models.write import WriteState
from db.scope import Scope
from db.statuses import STATUS_CHANGED, status_event
from db.types import Entity, ErrorCode, Operation, encode_id, new_id, tell_instant
from db.upsert import Changed, Kind
from jobs.health import issue_event
from jobs.readback import settled_event
from jobs.work import run_event

_EXAMPLE: Final = UUID("01900000-0000-7000-8000-000000000000")


def endpoint_disabled(endpoint_id: UUID, url: str, reason: EndpointEnd, *, failing_since: datetime | None) -> NewEvent:
    """Tell that an endpoint was disabled."""
    data = {
        "endpointId": encode_id("WebhookEndpoint", endpoint_id),
        "url": url,
        "reason": reason.value,
        "failingSince": tell_instant(failing_since) if failing_since else None,
    }
    return NewEvent(ENDPOINT_DISABLED, data)


def api_version_deprecated(version: str, *, sunset_on: str, guide: str) -> NewEvent:
    """Tell that a version of the API will end."""
    return NewEvent(API_VERSION_DEPRECATED, {"version": version, "sunsetOn": sunset_on, "migrationGuide": guide})


ENDPOINT_DISABLED: Final = "endpoint.disabled"
API_VERSION_DEPRECATED: Final = "api_version.deprecated"
OWN: Final = frozenset({ENDPOINT_DISABLED, API_VERSION_DEPRECATED})
"""Types of the organization's own stream; all others are of connections."""


def _record(spec: EntitySpec, kind: Kind, _: Scope) -> NewEvent:
    return upsert.events_of(spec, [Changed(_EXAMPLE, "4500000001", 2, kind)])[0]


def _run(name: str, more: dict[str, Any], scope: Scope) -> NewEvent:
    run = SyncRun(
        organization_id=scope.organization_id,
        connection_id=scope.connection_id or _EXAMPLE,
        id=_EXAMPLE,
        entity=Entity.PURCHASE_ORDER,
        mode=SyncMode.INCREMENTAL,
        trigger=SyncTrigger.SCHEDULED,
        created_at=datetime.now(UTC),
    )
    return run_event(run, name, **more)


def _issue(name: str, scope: Scope) -> NewEvent:
    message = "The source did not answer in time."
    return issue_event(name, scope, IssueChange(_EXAMPLE, None, None, ErrorCode.SOURCE_UNREACHABLE, message, 1))


def _status(scope: Scope) -> NewEvent:
    return status_event(
        scope.connection_id or _EXAMPLE,
        ConnectionStatus.UNREACHABLE,
        ConnectionStatus.ACTIVE,
        "The source did not answer.",
    )


def _settled(_: Scope) -> NewEvent:
    return settled_event(_EXAMPLE, WriteState.SUCCEEDED, Entity.PURCHASE_ORDER, Operation.CREATE, _EXAMPLE)


_EXAMPLES: Final[dict[str, Callable[[Scope], NewEvent]]] = {
    STATUS_CHANGED: _status,
    "sync.started": partial(_run, "sync.started", {}),
    "sync.succeeded": partial(_run, "sync.succeeded", {}),
    "sync.failed": partial(_run, "sync.failed", {}),
    "sync.confirmation_required": partial(_run, "sync.confirmation_required", {"judged": 100, "vanished": 40}),
    **{f"{spec.event_prefix}.{kind.value}": partial(_record, spec, kind) for spec in ENTITIES for kind in Kind},
    "write.settled": _settled,
    "issue.opened": partial(_issue, "issue.opened"),
    "issue.resolved": partial(_issue, "issue.resolved"),
    ENDPOINT_DISABLED: lambda _: endpoint_disabled(
        _EXAMPLE, "https://example.com/hooks", EndpointEnd.FAILING, failing_since=datetime(2026, 1, 1, tzinfo=UTC)
    ),
    API_VERSION_DEPRECATED: lambda _: api_version_deprecated(
        "v1", sunset_on="2027-01-01", guide="https://example.com/migrate"
    ),
}
EVENT_TYPES: Final = tuple(_EXAMPLES)


def example(name: str, scope: Scope, *, now: datetime) -> StoredEvent:
    """Make an event of a type as it would be told, with values that stand for nothing.

    Args:
        scope: Whose event it would be; its connection is named where it has one.
    """
    made = _EXAMPLES[name](scope)
    connection_id = None if name in OWN else scope.connection_id or _EXAMPLE
    return StoredEvent(
        stream_id=connection_id or scope.organization_id,
        sequence=0,
        id=new_id(),
        connection_id=connection_id,
        type=made.type,
        entity=made.entity,
        record_id=made.record_id,
        data=dict(made.data),
        created_at=now,
    )
