"""A live system: signed in to by what the environment tells, never edited, and written to only where it is said."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from connectors.base import Connector
from connectors.kit.conformance.rig import JsonObject, Recording, SignIn

PREFIX = "CROSSHEAD_LIVE_"


class LiveRig:
    """See connectors.kit.conformance.rig.Rig.

    Args:
        environment: `CROSSHEAD_LIVE_` and a field of the connector's form, in capitals (`CROSSHEAD_LIVE_BASE_URL`), or
            `CROSSHEAD_LIVE_DEFAULTS_` and a field of its write defaults.
    """

    against = "live"
    hasty_seconds = 30.0

    def __init__(self, connector: Connector, environment: Mapping[str, str]) -> None:
        self.slug = connector.spec.slug
        told = {
            name.removeprefix(PREFIX).lower(): text for name, text in environment.items() if name.startswith(PREFIX)
        }
        self._given = {name: text for name, text in told.items() if name in connector.spec.credentials.model_fields}
        self.defaults: Mapping[str, Any] = {
            name.removeprefix("defaults_"): text for name, text in told.items() if name.startswith("defaults_")
        }

    def credentials(self, who: SignIn) -> Mapping[str, Any]:
        """Give what the environment tells."""
        if who != "right":
            raise NotImplementedError("a live system is signed in to with working credentials only")
        return self._given

    async def reset(self) -> None:
        """Leave it as it is."""

    async def mend(self) -> None:
        """Leave it as it is."""

    async def keys(self, entity: str) -> set[str]:
        """Refuse."""
        raise NotImplementedError(f"nothing but the connector tells which {entity} a live system holds")

    async def make(self, entity: str, count: int) -> list[str]:
        """Refuse."""
        raise _left(entity, count)

    async def change(self, entity: str, source_id: str) -> None:
        """Refuse."""
        raise _left(entity, source_id)

    async def vanish(self, entity: str, source_id: str) -> None:
        """Refuse."""
        raise _left(entity, source_id)

    async def put(self, entity: str, source_id: str, field: str, value: Any) -> None:
        """Refuse."""
        raise _left(entity, source_id, field, value)

    async def blank(self, entity: str, source_id: str) -> None:
        """Refuse."""
        raise _left(entity, source_id)

    async def expire(self) -> None:
        """Refuse."""
        raise _left()

    async def fault(self, kind: str, *, writing: bool, **more: Any) -> None:
        """Refuse."""
        raise _left(kind, writing, more)

    async def sample(self, entity: str, operation: str) -> JsonObject:
        """Refuse."""
        raise _left(entity, operation)

    async def refused(self, entity: str, operation: str) -> JsonObject:
        """Refuse."""
        raise _left(entity, operation)

    def recordings(self) -> Sequence[Recording]:
        """Refuse."""
        raise NotImplementedError("a live system answers itself")

    def published(self, entity: str, path: tuple[str, ...]) -> Collection[str] | None:
        """Refuse."""
        raise NotImplementedError(f"a live system shows what it has of {entity} itself, at {path} too")

    def walks(self, entity: str) -> Sequence[Sequence[str]]:
        """Refuse."""
        raise _left(entity)


def _left(*_: object) -> NotImplementedError:
    return NotImplementedError("a live system is read, and left as it is")
