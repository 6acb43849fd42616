"""What every simulated system brings to the suite of cases that connectors are tried with.

The suite itself imports nothing of the sandbox, nor this anything of the suite: a rig has the methods of
`connectors.kit.conformance.rig.Rig`, and names entities and operations by their text. What it cannot do it refuses
with NotImplementedError and the reason.
"""

import random
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Generic, TypeVar

from sandbox.kit.faults import Fault
from sandbox.kit.recorded import Recording
from sandbox.kit.server import Running
from sandbox.kit.wire import Wire

JsonObject = dict[str, Any]
W = TypeVar("W", bound=Wire)


class WireRig(Generic[W]):
    """A running simulated system; each system's rig says the rest.

    Attributes:
        slug: Set by the system's own rig.
        defaults: Write defaults that its samples need.
        reads, writes: What a fault must match to strike calls that read, and those that change something.
    """

    slug = ""
    against = "sandbox"
    hasty_seconds = 0.6
    defaults: Mapping[str, Any] = {}
    reads: Mapping[str, Any] = {"method": "GET"}
    writes: Mapping[str, Any] = {"method": "POST"}

    def __init__(self, running: Running[W]) -> None:
        self.running = running
        self.rng = random.Random(1)

    @property
    def wire(self) -> W:
        """The application."""
        return self.running.app

    async def reset(self) -> None:
        """Take faults, late changes and the logs away, and set the clock right; a system's rig seeds anew."""
        await self.mend()
        wire = self.wire
        wire.driver.stop()
        wire.late.clear()
        wire.calls.clear()
        wire.simulated.edits.clear()
        wire.simulated.clock.reset()

    async def fault(self, kind: Any, *, writing: bool, **more: Any) -> None:
        """Add a fault."""
        self.wire.faults.add(Fault(kind, **{**(self.writes if writing else self.reads), **more}))

    async def mend(self) -> None:
        """Take all faults away, and take connections again."""
        self.wire.faults.clear()
        if self.wire.doors is not None:
            await self.wire.doors.reopen()

    async def put(self, entity: str, source_id: str, field: str, value: Any) -> None:
        """Refuse; a system's rig says which fields it can set."""
        raise NotImplementedError(
            f"{self.slug} cannot be made to show {value!r:.40} as {field} of {entity} {source_id}"
        )

    async def blank(self, entity: str, source_id: str) -> None:
        """Refuse."""
        raise NotImplementedError(f"nothing of {entity} {source_id} can be cleared")

    async def sample(self, entity: str, operation: str) -> JsonObject:
        """Refuse."""
        raise NotImplementedError(f"the rig has no sample of {operation} {entity}")

    async def refused(self, entity: str, operation: str) -> JsonObject:
        """Refuse."""
        raise NotImplementedError(f"the rig has no {operation} {entity} that the system refuses")

    def recordings(self) -> Sequence[Recording]:
        """Refuse."""
        raise NotImplementedError(f"no answer of a real {self.slug} was recorded")

    def published(self, entity: str, path: tuple[str, ...]) -> Collection[str] | None:
        """Refuse."""
        raise NotImplementedError(f"nothing is known here of what {self.slug} publishes of {entity}, at {path} either")

    def walks(self, entity: str) -> Sequence[Sequence[str]]:
        """Refuse."""
        raise NotImplementedError(f"the rig has no walks of {entity}")
