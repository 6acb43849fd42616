"""The calls of one change: carried out over the wire that keeps them, and judged by what was carried out."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from connectors.base import Wire
from connectors.egress import Request
from connectors.errors import ConnectorError, OutcomeUnknown, SourceUnavailable, VersionConflict, WriteRejected


class Journal:
    """One change's calls.

    Args:
        carry: Sends a request and gives its result.
        wire: Keeps the requests with their results.
    """

    def __init__(self, carry: Callable[[Request], Awaitable[Any]], wire: Wire) -> None:
        self.wire = wire
        self._carry = carry
        self._under_way = False

    async def carry(self, request: Request) -> Any:
        """Send a request that changes something, and note it with its result; on a dry wire the result is None."""
        if not self.wire.sends(request):
            return None
        self._under_way = True
        result = await self._carry(request)
        self._under_way = False
        self.wire.answers.append(result)
        return result

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
