"""A change as a row of requests that are noted before they leave, and the judgement of what became of it.

For sources whose reads around a change may fail as its requests do. See `connectors.kit.journal` for those of which the
outcome is told as unknown where a later call fails.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from connectors.base import Wire
from connectors.egress import Request
from connectors.errors import ConnectorError, SourceUnavailable, VersionConflict, WriteRejected
from db.types import Problem


class Steps:
    """The requests of one change, and what of them has left."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._left = False

    @property
    def dry(self) -> bool:
        """Nothing is sent, so nothing is made."""
        return self._wire.dry

    def _leaves(self, request: Request) -> bool:
        """Note a request; False where it must stay here."""
        leaves = self._wire.sends(request)
        self._left = self._left or leaves
        return leaves

    @asynccontextmanager
    async def outcome(self) -> AsyncIterator[None]:
        """Judge a failure in between by what had left before it.

        A lost answer to a read before any change leaves nothing open; any failure to read back after one does.

        Raises:
            SourceUnavailable: `sent` is about the change's requests only.
        """
        try:
            yield
        except ConnectorError as error:
            judged = self._judged(error)
            if judged is error:
                raise
            raise judged from error

    def _judged(self, error: ConnectorError) -> ConnectorError:
        if isinstance(error, SourceUnavailable) and error.sent and not self._left:
            return SourceUnavailable(error.message, reason=error.reason, sent=False)
        if self._wire.answers and not isinstance(error, (WriteRejected, SourceUnavailable)):
            text = f"The change was sent, but could not be read back: {error.message}"
            return SourceUnavailable(text, reason="RESET", sent=True, source_message=error.source_message)
        return error


def refuse(problems: Sequence[Problem], *, system: str) -> None:
    """Refuse a change before anything leaves.

    Raises:
        WriteRejected: There is any problem.
    """
    if problems:
        raise WriteRejected(
            f"The change was not sent to {system}: " + " ".join(problem.message for problem in problems),
            problems=tuple(problems),
            remedy="Give what is named, per call or in the connection's write defaults.",
        )


def expect(expected: str | None, *stamps: str | None, system: str) -> None:
    """Compare the version that the caller saw with the source's own stamps, any of which it may be.

    Raises:
        VersionConflict: It is none of them, and there is one.
    """
    told = {stamp for stamp in stamps if stamp is not None}
    if expected is not None and told and expected not in told:
        raise VersionConflict(f"The record changed in {system} since it was read.")
