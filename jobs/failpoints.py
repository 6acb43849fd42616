"""Named steps at which tests and benchmarks kill a worker, to see that nothing is lost there.

CROSSHEAD_FAILPOINT=NAME:N kills the process with SIGKILL, as a machine that goes down would, when it comes to the step
for the N-th time. Unset, a step costs one look into an empty mapping.
"""

import os
import signal
from typing import Final, Literal, get_args

Failpoint = Literal[
    "schedule_before_commit",
    "due_before_commit",
    "due_committed",
    "lease_taken",
    "begin_before_commit",
    "begin_committed",
    "page_read",
    "page_before_commit",
    "page_committed",
    "slice_ended",
    "success_before_commit",
    "success_committed",
    "wait_before_commit",
    "wait_committed",
    "end_before_commit",
    "end_committed",
    "lease_before_release",
    "lease_released",
    "write_intended",
    "write_before_send",
    "write_after_send",
    "write_after_answer",
    "write_after_commit",
    "relay_before_commit",
    "relay_committed",
    "deliveries_claimed",
    "delivery_sent",
    "attempts_stored",
]
FAILPOINTS: Final[tuple[Failpoint, ...]] = get_args(Failpoint)
WEBHOOK_FAILPOINTS: Final = FAILPOINTS[FAILPOINTS.index("relay_before_commit") :]
SYNC_FAILPOINTS: Final = FAILPOINTS[: FAILPOINTS.index("write_intended")]
"""The steps of syncs; the others are those of writes and webhooks."""
VARIABLE: Final = "CROSSHEAD_FAILPOINT"
_armed: dict[str, int] = {}


def arm(told: str | None) -> None:
    """Arm a failpoint, `NAME:N`; None disarms.

    Raises:
        ValueError: There is none of that name, or N is no number from 1.
    """
    _armed.clear()
    if not told:
        return
    name, _, number = told.partition(":")
    if name not in FAILPOINTS or not number.isdigit() or int(number) < 1:
        raise ValueError(f"{VARIABLE} is NAME:N with N from 1; names are {', '.join(FAILPOINTS)}")
    _armed[name] = int(number)


def failpoint(name: Failpoint) -> None:
    """Be a step; die at it where it is armed and its time has come."""
    if name in _armed:
        _armed[name] -= 1
        if _armed[name] == 0:
            os.kill(os.getpid(), signal.SIGKILL)


arm(os.environ.get(VARIABLE))
