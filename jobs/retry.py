"""When to try again: a pure function of how often it failed."""

import random
from typing import Final

BASE_SECONDS: Final = 30.0
CAP_SECONDS: Final = 6 * 3600.0


def delay(attempt: int, *, retry_after_s: float | None = None, jitter: float | None = None) -> float:
    """Give the seconds until the next attempt: what the source asked for, else full jitter under 30 s doubling to 6 h.

    Args:
        attempt: Failed attempts so far, from 1.
        retry_after_s: What the source asked for.
        jitter: 0 to 1, random where not given.
    """
    if retry_after_s is not None:
        return max(1.0, retry_after_s)
    ceiling = min(CAP_SECONDS, BASE_SECONDS * 2.0 ** min(attempt - 1, 20))
    share = random.random() if jitter is None else jitter
    return max(ceiling * share, 1.0)
