"""What a system brings to the suite: how to get at it, edit it as its own users do, and break it.

A rig imports nothing of the connector: entities, operations and faults are named by their text, so that a sandbox can
hold it. What a rig cannot do it refuses with NotImplementedError and the reason; the case then counts as not tried,
and the reason is told.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol

JsonObject = dict[str, Any]
SignIn = Literal["right", "wrong", "expired", "unprivileged", "read_only", "nowhere"]
"""Credentials: that may do everything; with a wrong secret; that were right once; that may not read some entity; that
may read everything and write nothing; right, for an address where nothing answers."""


class Recording(Protocol):
    """What a real system answered, to be served again.

    Attributes:
        name: Its name in reports.
        expected: Entity → source id → field of the record → value, as JSON, that a person read out of the answers;
            of lists all elements, each with some of its fields.
        refused: Name of a refusal → `error`, the class that it has to be, and what is done when it comes: `read`, an
            entity; or `change`, the fields of a change; or else the connection is checked.
    """

    name: str
    expected: Mapping[str, Mapping[str, JsonObject]]
    refused: Mapping[str, JsonObject]

    def serving(self, refusal: str | None = None) -> AbstractAsyncContextManager[Mapping[str, Any]]:
        """Serve it, a refusal in place of the answer that is due; gives the credentials, by field of the form."""
        ...


class Rig(Protocol):
    """A system to be tried.

    Attributes:
        slug: The connector's slug.
        against: What it is, for the report: `sandbox`, or `live`.
        hasty_seconds: How long faults that keep an answer back are waited for: longer than the system takes.
        defaults: The write defaults that its samples need, by field of the form.
    """

    slug: str
    against: str
    hasty_seconds: float
    defaults: Mapping[str, Any]

    def credentials(self, who: SignIn) -> Mapping[str, Any]:
        """Give credentials, by field of the connector's form."""
        ...

    async def reset(self) -> None:
        """Put the system back to how it began, and take all faults away; where that cannot be, take the faults away."""
        ...

    async def keys(self, entity: str) -> set[str]:
        """Give the source ids of all that is there, as the system itself counts it."""
        ...

    async def make(self, entity: str, count: int) -> list[str]:
        """Make documents as the system's own users do; gives their source ids."""
        ...

    async def change(self, entity: str, source_id: str) -> None:
        """Change a document as the system's own users do, so that whatever tells of changes tells of it."""
        ...

    async def vanish(self, entity: str, source_id: str) -> None:
        """Delete a document as the system's own users do."""
        ...

    async def put(self, entity: str, source_id: str, field: str, value: Any) -> None:
        """Make the system show a value in a field of ours (`notes`, `lines.quantity` of the first line).

        For `status` the value is a native one. Where the system's own field cannot hold it, refuse.
        """
        ...

    async def blank(self, entity: str, source_id: str) -> None:
        """Clear every field of a document that the system lets be empty."""
        ...

    async def expire(self) -> None:
        """End all sessions and access tokens; the credentials stay good."""
        ...

    async def fault(self, kind: str, *, writing: bool, **more: Any) -> None:
        """Add a fault of sandbox/kit/faults.py that strikes the next reads, or the next writes."""
        ...

    async def mend(self) -> None:
        """Take all faults away, and let go what they hold."""
        ...

    async def sample(self, entity: str, operation: str) -> JsonObject:
        """Give a change that the system takes, as fields of connectors.base.Change.

        `source_id` names a document that it may be done to; without one the suite takes the one it created. What an
        update changes stands under the record's names, or as line changes.
        """
        ...

    async def refused(self, entity: str, operation: str) -> JsonObject:
        """Give a change whose values the system itself refuses, as `sample` does."""
        ...

    def recordings(self) -> Sequence[Recording]:
        """Give what was recorded of real systems."""
        ...

    def published(self, entity: str, path: tuple[str, ...]) -> Collection[str] | None:
        """Give the names that the system itself publishes for a place in an entity's items; None where all may be.

        Truth comes from outside here: the vendor's metadata, or the real system's own. Where an item holds parts side
        by side that the connector put together, the rig knows under which names.
        """
        ...

    def walks(self, entity: str) -> Sequence[Sequence[str]]:
        """Give rows of transitions that each lead from a document just created; together they take every one."""
        ...
