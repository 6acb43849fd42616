"""What the terminal shows while dev mode comes up: one line a step, with a spinner where there is a terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.status import Status
from rich.text import Text


class Step:
    """One step under way."""

    def __init__(self, title: str, status: Status | None) -> None:
        self._title = title
        self._status = status
        self.detail = ""

    def say(self, detail: str) -> None:
        """Replace what is said about the step: beside the spinner now, and on its line when it is done."""
        self.detail = detail
        if self._status is not None:
            self._status.update(Text(f"{self._title}  {detail}"))


class Progress:
    """Steps on a console; plain lines when it is not a terminal.

    Args:
        console: Where to; standard error by default, which leaves standard output to results.
        clock: Seconds, monotonic.
    """

    def __init__(self, console: Console | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        self._clock = clock
        unicode = self.console.encoding.lower().startswith("utf")
        self._done, self._failed = ("✓", "✗") if unicode else ("ok", "failed")

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show `title` as under way, then as done or failed with the seconds it took; errors go on to the caller."""
        terminal = self.console.is_terminal
        status = self.console.status(Text(title)) if terminal else None
        if not terminal:
            self._print(f"… {title}" if self._done == "✓" else f"... {title}", "")
        started = self._clock()
        step = Step(title, status)
        try:
            with status or nullcontext():
                yield step
        except BaseException:
            self._print(self._line(self._failed, step, title, started), "red")
            raise
        self._print(self._line(self._done, step, title, started), "green")

    def note(self, text: str) -> None:
        """Show a line (or several) of its own, such as an address to open."""
        self._print(text, "")

    def warn(self, text: str) -> None:
        """Show something the person should know but need not act on now."""
        self._print(text, "yellow")

    def _line(self, mark: str, step: Step, title: str, started: float) -> str:
        detail = f"  {step.detail}" if step.detail else ""
        return f"{mark} {title}{detail}  ({self._clock() - started:.1f} s)"

    def _print(self, text: str, style: str) -> None:
        # Text, not markup: paths and log lines may hold square brackets.
        self.console.print(Text(text, style=style), soft_wrap=True)
