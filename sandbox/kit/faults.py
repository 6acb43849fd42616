"""Faults as data: which calls they strike, how often, and what happens then."""

import asyncio
import random
import re
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, get_args

Kind = Literal[
    "offline",
    "drop_before",
    "silent",
    "delay",
    "unauthorized",
    "forbidden",
    "rate_limit",
    "unavailable",
    "status",
    "refuse",
    "hold",
    "reset_body",
    "cut_body",
    "slow_body",
    "repeat_page",
    "shift_page",
    "edit_between",
    "drop_after",
    "fail_after",
    "delay_after",
]
KINDS: Final[Mapping[Kind, str]] = {
    "offline": "All connections break and new ones are refused, for `seconds`, or until the fault is taken away.",
    "drop_before": "The connection breaks before anything is done.",
    "silent": "The call is taken and never answered.",
    "delay": "It is dealt with `seconds` later.",
    "unauthorized": "401, in the system's own words.",
    "forbidden": "403, in the system's own words.",
    "rate_limit": "429, with Retry-After where `retry_after` is set; with `quota`, only calls beyond that many in"
    " `seconds`.",
    "unavailable": "503, with Retry-After where `retry_after` is set.",
    "status": "Answers `status` with the system's own error page.",
    "refuse": "The application refuses, with `code` and `text`.",
    "hold": "The answer is made, and sent only once the fault is taken away.",
    "reset_body": "Half of the body is sent, then the connection breaks.",
    "cut_body": "Half of the body is sent as if it were the whole.",
    "slow_body": "The body trickles over `seconds`.",
    "repeat_page": "Each row of the page comes twice.",
    "shift_page": "The page begins `rows` rows earlier, as if so many had been put in before it; below 0 later, as if"
    " taken out.",
    "edit_between": "After the page was made, `rows` records are edited at random.",
    "drop_after": "What was asked is done, then the connection breaks.",
    "fail_after": "What was asked is done, then `status` is answered.",
    "delay_after": "What was asked is done, and answered `seconds` later.",
}


@dataclass(slots=True, eq=False)
class Fault:
    """One fault to come.

    Attributes:
        kind: What happens: see KINDS.
        method: HTTP method that it strikes, "*" for any.
        path: Regular expression searched in the path with its query, undecoded.
        body: Regular expression searched in the body, for systems whose calls all go to one path.
        entity: The set or kind of record that the call is about, as the system names it; "" for any.
        after: How many matching calls pass before it strikes.
        count: How many calls it strikes; None is for ever.
        probability: Share of the matching calls that it strikes, by a generator that begins with `seed`.
        seconds, status, retry_after, quota, rows, code, text: See KINDS.
        retry_after_as: How Retry-After is written: as seconds, or as an HTTP date by the system's clock.
        number: Given by the script.
        struck: How many calls it has struck.
    """

    kind: Kind
    method: str = "*"
    path: str = ""
    body: str = ""
    entity: str = ""
    after: int = 0
    count: int | None = 1
    probability: float = 1.0
    seed: int = 0
    seconds: float = 0.0
    status: int = 500
    retry_after: int | None = None
    retry_after_as: Literal["seconds", "date"] = "seconds"
    quota: int = 0
    rows: int = 1
    code: str = "ME/006"
    text: str = "User COLLEAGUE is already processing the document"
    number: int = 0
    struck: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    """Set once it has struck; only for whoever runs in the server's own loop."""
    go: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    """Lets go what it holds: calls that are held or silent, an offline port."""
    _random: random.Random | None = field(default=None, repr=False)
    _recent: deque[float] = field(default_factory=deque, repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be: a kind or a pattern that there is not."""
        if self.kind not in get_args(Kind):
            raise ValueError(f"no fault {self.kind!r}; known are {', '.join(KINDS)}")
        if self.retry_after_as not in {"seconds", "date"}:
            raise ValueError("retry_after_as is seconds or date")
        try:
            re.compile(self.path)
            re.compile(self.body)
        except re.error as error:
            raise ValueError(f"path or body is no regular expression: {error}") from error

    def strikes(self, method: str, target: str, entity: str = "", content: bytes = b"") -> bool:
        """Decide on a call, and count it."""
        if self.count is not None and self.struck >= self.count:
            return False
        if self.method not in {"*", method} or self.entity not in {"", entity} or not re.search(self.path, target):
            return False
        if self.body and not re.search(self.body, content.decode("utf-8", "replace")):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if (self.probability < 1 and self.rng.random() >= self.probability) or self._within_quota():
            return False
        self.struck += 1
        self.reached.set()
        return True

    def stop(self) -> None:
        """Strike no more, and let go what is held."""
        self.count = self.struck
        self.go.set()

    @property
    def rng(self) -> random.Random:
        """Its own generator, which begins with `seed`."""
        if self._random is None:
            self._random = random.Random(self.seed)
        return self._random

    def as_dict(self) -> dict[str, Any]:
        """Show the fault with its counters."""
        return {name: getattr(self, name) for name in SHOWN}

    def _within_quota(self) -> bool:
        if not self.quota:
            return False
        now = time.monotonic()
        while self._recent and self._recent[0] <= now - self.seconds:
            self._recent.popleft()
        if len(self._recent) >= self.quota:
            return False
        self._recent.append(now)
        return True


SHOWN: Final = tuple(each.name for each in fields(Fault) if each.name not in {"reached", "go", "_random", "_recent"})
_GIVEN: Final = frozenset(SHOWN) - {"number", "struck"}


class Script:
    """The faults of a system, in the order in which they were added; may change while calls come in."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._next = 1

    def __iter__(self) -> Iterator[Fault]:
        """Yield the faults, those included that strike no more."""
        return iter(self._faults)

    def __len__(self) -> int:
        """Count them."""
        return len(self._faults)

    def add(self, fault: Fault) -> Fault:
        """Add a fault, and number it."""
        fault.number, self._next = self._next, self._next + 1
        self._faults.append(fault)
        return fault

    append = add

    def remove(self, number: int) -> bool:
        """Take a fault away, and let go what it holds; False where there is none of that number."""
        found = [fault for fault in self._faults if fault.number == number]
        for fault in found:
            fault.stop()
            self._faults.remove(fault)
        return bool(found)

    def clear(self) -> None:
        """Take all away, and let go what they hold."""
        for fault in self._faults:
            fault.stop()
        self._faults.clear()

    def strike(self, method: str, target: str, entity: str, content: bytes = b"") -> list[Fault]:
        """Give the faults that strike a call, and count it for each."""
        return [fault for fault in self._faults if fault.strikes(method, target, entity, content)]


def read_fault(asked: Mapping[str, Any]) -> Fault:
    """Make a fault of a caller's JSON.

    Raises:
        ValueError: A field that there is not, or a value that cannot be.
    """
    if unknown := set(asked) - _GIVEN:
        raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
    if "kind" not in asked:
        raise ValueError(f"a fault has a kind: {', '.join(KINDS)}")
    try:
        return Fault(**asked)
    except TypeError as error:
        raise ValueError(str(error)) from error
