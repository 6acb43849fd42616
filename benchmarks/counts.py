"""Counts on the command line: of nothing, or of less than it takes, a benchmark has no figures."""

import argparse
from collections.abc import Callable
from typing import Final


def at_least(least: int, *, most: int | None = None) -> Callable[[str], int]:
    """Give an argument's type: a whole number from `least` on, to `most` where there is such."""

    def count(text: str) -> int:
        number = int(text)
        if number < least or (most is not None and number > most):
            raise argparse.ArgumentTypeError(f"{number} is not {least} {'or more' if most is None else f'to {most}'}")
        return number

    return count


COUNT: Final = at_least(1)
PART: Final = at_least(0)
"""How many of what 0 leaves out."""
