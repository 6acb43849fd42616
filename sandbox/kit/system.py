"""What a simulated system must tell the kit."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from starlette.responses import Response

from sandbox.kit.clock import Clock
from sandbox.kit.faults import Fault
from sandbox.kit.log import Call, Edits

T = TypeVar("T")
ADMIN = "/_sandbox"
PAGE = "page_faults"
"""Where a call's faults of pages stand in its ASGI state: a PageFaults."""


@dataclass(frozen=True, slots=True)
class PageFaults:
    """What a source does to the page that it is about to give.

    Attributes:
        shift: So many rows earlier it begins; below 0, later.
        repeat: Each of its rows comes twice.
    """

    shift: int = 0
    repeat: bool = False

    def start(self, place: int) -> int:
        """Give where a page begins that should begin at a place."""
        return max(0, place - self.shift)

    def rows(self, rows: list[T]) -> list[T]:
        """Give the rows of a page."""
        return [row for row in rows for _ in range(2)] if self.repeat else rows


NO_PAGE_FAULTS = PageFaults()


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it truly is.

    Attributes:
        version: 0 where it is as it was seeded, else the version of its last edit.
        body: What the source answers to whoever reads it whole.
        mappable: False where it was spoiled: a copy must hold it apart, with the last good state as its record.
    """

    key: str
    version: int
    body: Mapping[str, Any]
    mappable: bool = True


class Editor(Protocol):
    """How a system's own users edit one kind of document; each method notes what it does in the system's Edits."""

    entity: str

    def keys(self) -> Sequence[str]:
        """Give the keys of what is there."""
        ...

    def reserve(self) -> str:
        """Draw the key of a document that is still to be made; what was drawn later may be seen earlier."""
        ...

    def create(self, key: str, rng: random.Random, stamp: datetime) -> None:
        """Make a document of a key that was reserved."""
        ...

    def change(self, key: str, rng: random.Random, stamp: datetime) -> None:
        """Change a document."""
        ...

    def change_part(self, key: str, rng: random.Random, stamp: datetime) -> None:
        """Change a line of it; whether the document's own stamp moves is the system's way."""
        ...

    def spoil(self, key: str, stamp: datetime) -> None:
        """Put something into it that no mapping can read."""
        ...

    def mend(self, key: str, stamp: datetime) -> None:
        """Make a spoiled one readable."""
        ...

    def vanish(self, key: str) -> None:
        """Take it out without a trace."""
        ...


class Simulated(Protocol):
    """A simulated system behind a Wire."""

    clock: Clock
    edits: Edits

    @property
    def editor(self) -> Editor:
        """Its users, editing what it is mostly read for."""
        ...

    def entity_of(self, path: str) -> str:
        """Tell what a path is about; "" where it is about nothing."""
        ...

    def refusal(self, fault: Fault, call: Call, headers: Mapping[str, str]) -> Response:
        """Word an answer of kind unauthorized, forbidden, rate_limit, unavailable, status or refuse."""
        ...

    def documents(self, entity: str) -> Iterator[Document]:
        """Yield every document of an entity that can be seen now.

        Raises:
            KeyError: There is no such entity.
        """
        ...
