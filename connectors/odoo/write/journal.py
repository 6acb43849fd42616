"""The calls of one change: prepared without effect, carried out over the wire that keeps them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from connectors.base import Wire
from connectors.errors import ConnectorError, OutcomeUnknown, SourceUnavailable, VersionConflict, WriteRejected
from connectors.odoo.client import Client
from connectors.odoo.lookups import Lookups


class Journal:
    """One change's calls; reads go through `client`, changes through `do`."""

    def __init__(self, client: Client, lookups: Lookups, wire: Wire) -> None:
        self.client = client
        self.lookups = lookups
        self.wire = wire
        self._under_way = False

    async def do(
        self,
        model: str,
        method: str,
        ids: Sequence[int] | None = None,
        *,
        extra: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Any:
        """Make a call that changes something, and note it with its result; on a dry wire the result is None."""
        request = await self.client.change(model, method, ids, extra=extra, **named)
        if not self.wire.sends(request):
            return None
        self._under_way = True
        result = await self.client.carry(request)
        self._under_way = False
        self.wire.answers.append(result)
        return result

    async def create(self, model: str, values: Mapping[str, Any]) -> int | None:
        """Create one record; gives its key, none on a dry wire."""
        keys = await self.do(model, "create", vals_list=[dict(values)])
        return int(keys[0] if isinstance(keys, list) else keys) if keys else None

    @property
    def changed(self) -> bool:
        """Whether a call was carried out."""
        return bool(self.wire.answers)

    @asynccontextmanager
    async def outcome(self) -> AsyncIterator[None]:
        """Tell, of a failure in between, whether the change may have been made.

        Raises:
            SourceUnavailable: `sent` is about changing calls only. OutcomeUnknown: a later call failed.
        """
        try:
            yield
        except SourceUnavailable as error:
            sent = self.changed or (self._under_way and error.sent)
            raise SourceUnavailable(error.message, reason=error.reason, sent=sent) from error
        except (WriteRejected, VersionConflict, OutcomeUnknown):
            raise
        except ConnectorError as error:
            if not self.changed:
                raise
            raise OutcomeUnknown(
                f"A part of the change was made; then: {error.message}", source_message=error.source_message
            ) from error
