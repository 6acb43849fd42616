"""The append-only log: every call that came in, and every true change of a document."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, overload
from urllib.parse import parse_qsl

import orjson

CALLS: Final = 100_000
BODY_BYTES: Final = 64 * 1024 * 1024


@dataclass(slots=True)
class Call:
    """One call.

    Attributes:
        number: From 1, never used twice; DELETE of the log does not begin anew.
        at: When it came in, by the system's clock.
        path: Decoded as little as it came, without its query.
        target: The path with its query, as it came.
        entity: What it is about, as the system names it.
        content: Its body; b"" where it has none.
        caller: Who the system took it for; None where it let nobody in.
        status: What was answered; None while it is under way, or where no answer left.
        ms: How long it took.
        faults: Kinds of the faults that struck it.
    """

    number: int
    at: datetime
    method: str
    target: str
    entity: str = ""
    content: bytes = b""
    caller: str | None = None
    status: int | None = None
    ms: float | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The path without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The query, decoded; of a name that comes twice, the last."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def body(self) -> Any:
        """The body: JSON where it is that, else text; None where there is none."""
        if not self.content:
            return None
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError:
            return self.content.decode("utf-8", "replace")

    def as_dict(self) -> dict[str, Any]:
        """Show it."""
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "target": self.target,
            "entity": self.entity,
            "body": self.body,
            "caller": self.caller,
            "status": self.status,
            "ms": self.ms,
            "faults": self.faults,
        }


class Calls:
    """The last calls: so many, and no more of their bodies than so many bytes."""

    def __init__(self, *, limit: int = CALLS, body_bytes: int = BODY_BYTES) -> None:
        self.total = 0
        self._limit = limit
        self._room = self._body_bytes = body_bytes
        self._calls: deque[Call] = deque()

    def __len__(self) -> int:
        """Count what is kept."""
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        """Yield what is kept, oldest first."""
        return iter(self._calls)

    def __eq__(self, other: object) -> bool:
        """Compare what is kept, with a list of calls too."""
        return list(self) == list(other) if isinstance(other, Calls | list) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it changes

    @overload
    def __getitem__(self, place: int) -> Call: ...
    @overload
    def __getitem__(self, place: slice) -> list[Call]: ...
    def __getitem__(self, place: int | slice) -> Call | list[Call]:
        """Give one by its place, or some."""
        return list(self._calls)[place] if isinstance(place, slice) else self._calls[place]

    def begin(self, *, at: datetime, method: str, target: str, entity: str) -> Call:
        """Note that a call came in."""
        self.total += 1
        call = Call(self.total, at, method, target, entity)
        self._calls.append(call)
        if len(self._calls) > self._limit:
            self._drop()
        return call

    def keep(self, call: Call, content: bytes) -> None:
        """Note a call's body; the oldest calls make room."""
        call.content = content
        self._room -= len(content)
        while self._room < 0 and len(self._calls) > 1:
            self._drop()

    def clear(self) -> None:
        """Forget all; numbers go on."""
        self._calls.clear()
        self._room = self._body_bytes

    def since(self, number: int) -> list[Call]:
        """Give the calls after a number.

        Raises:
            LookupError: Some of them are kept no more.
        """
        if self._calls and number + 1 < self._calls[0].number and number > 0:
            raise LookupError(f"calls {number + 1} to {self._calls[0].number - 1} are kept no more")
        return [call for call in self._calls if call.number > number]

    def _drop(self) -> None:
        self._room += len(self._calls.popleft().content)


Change = Literal["created", "changed", "vanished"]
Cause = Literal["call", "edit", "late"]
_cause: ContextVar[tuple[Cause, Call | None]] = ContextVar("cause", default=("edit", None))


@contextmanager
def caused_by(cause: Cause, call: Call | None = None) -> Iterator[None]:
    """Say who makes the edits of a block; of the task that runs it, and of no other."""
    token = _cause.set((cause, call))
    try:
        yield
    finally:
        _cause.reset(token)


@dataclass(frozen=True, slots=True)
class Edit:
    """One true change of a document, in the order in which the source's readers could see them.

    Attributes:
        number: From 1, without gaps.
        at: When it became visible, by the system's clock.
        entity, key: Which document; `part` is the row of it that changed, "" for the document itself.
        version: Of the document, from 1; what was there from the beginning has 0.
        stamp: When the system says it changed; None where it says nothing. Earlier than `at` for a late commit.
        cause: `call`, `edit` (its own users) or `late` (its own users, some time ago).
        call: Number of the call that caused it, and the caller's reference, where there is one.
        mappable: False where the document was spoiled.
        body: The document after it, as JSON; None where it vanished, or where the source keeps documents in parts.
    """

    number: int
    at: datetime
    entity: str
    key: str
    change: Change
    version: int
    stamp: datetime | None
    cause: Cause
    call: int | None = None
    reference: str | None = None
    part: str = ""
    mappable: bool = True
    body: bytes | None = None

    def as_dict(self) -> dict[str, Any]:
        """Show it."""
        shown = {name: getattr(self, name) for name in Edit.__slots__}
        return shown | {
            "at": self.at.isoformat(),
            "stamp": self.stamp.isoformat() if self.stamp else None,
            "body": orjson.Fragment(self.body) if self.body is not None else None,
        }


class Edits:
    """Every true change since the data was seeded; kept whole."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._edits: list[Edit] = []
        self._versions: dict[tuple[str, str], int] = {}

    def __len__(self) -> int:
        """Count them."""
        return len(self._edits)

    def __iter__(self) -> Iterator[Edit]:
        """Yield them, oldest first."""
        return iter(self._edits)

    def note(self, entity: str, key: str, change: Change, *, stamp: datetime | None, **more: Any) -> Edit:
        """Append a change; the document's version grows with it."""
        cause, call = _cause.get()
        number = call.number if call else None
        edit = Edit(
            len(self._edits) + 1,
            self._now(),
            entity,
            key,
            change,
            self._next(entity, key),
            stamp,
            cause,
            number,
            **more,
        )
        self._edits.append(edit)
        return edit

    def version(self, entity: str, key: str) -> int:
        """Give a document's version; 0 where it was never changed."""
        return self._versions.get((entity, key), 0)

    def since(self, number: int) -> list[Edit]:
        """Give the edits after a number."""
        return self._edits[number:]

    def clear(self) -> None:
        """Begin anew, as the data does."""
        self._edits.clear()
        self._versions.clear()

    def _next(self, entity: str, key: str) -> int:
        self._versions[entity, key] = version = self._versions.get((entity, key), 0) + 1
        return version
