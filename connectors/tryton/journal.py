"""The calls of one change: prepared without effect, carried out over the wire that keeps them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from connectors.base import JsonObject, Wire, Written
from connectors.errors import ConnectorError, OutcomeUnknown, SourceUnavailable, VersionConflict, WriteRejected
from connectors.tryton.client import Client


class Journal:
    """One change's calls; reads go through `client`, changes through `do`."""

    def __init__(self, client: Client, wire: Wire) -> None:
        self.client = client
        self.wire = wire
        self._under_way = False

    async def do(self, model: str, method: str, *args: Any, extra: Mapping[str, Any] | None = None) -> Any:
        """Make a call that changes something, and note it with its result; on a dry wire the result is None."""
        request = await self.client.change(model, method, *args, extra=extra)
        if not self.wire.sends(request):
            return None
        self._under_way = True
        result = await self.client.carry(request)
        self._under_way = False
        self.wire.answers.append(result)
        return result

    async def made(self, model: str, values: Mapping[str, Any]) -> Written:
        """Create one record; a dry wire makes none and gives no key."""
        keys = await self.do(model, "create", [values])
        return Written(str(keys[0]) if keys else "")

    async def work_out(self, model: str, values: Mapping[str, Any], *fields: str) -> JsonObject:
        """Let Tryton fill in what follows from fields, as its client does when a person enters them; stores nothing."""
        filled: JsonObject = await self.client.call(model, "on_change", values, list(fields), purpose="prepare")
        return filled

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
