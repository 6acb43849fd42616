"""What keeps the copy equal to its source: each can be switched off, so that a test can be seen to miss it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Protections:
    """All on in the product; a test gives others to the runner's constructor.

    Attributes:
        fence: What a worker stores is refused once another was given a newer lease.
        overlap: The next pass begins before this one's window did, for changes committed late.
        compare: An item whose hash is known is neither mapped nor stored.
        complete_pass: Only a pass that read all there is judges what it did not meet.
        outbox: Events are stored in the transaction that stores what they tell.
        confirm: What was not met counts as deleted only once the source says that it is not there.
        guard: Where more vanished than the limit, people are asked first.
    """

    fence: bool = True
    overlap: bool = True
    compare: bool = True
    complete_pass: bool = True
    outbox: bool = True
    confirm: bool = True
    guard: bool = True


ALL_ON: Final = Protections()
