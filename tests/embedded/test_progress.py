"""What dev mode shows: plain lines in a pipe, one finished line a step on a terminal."""

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from crosshead.dev.progress import Progress


def ticking() -> Iterator[float]:
    """A clock that moves on by a second and a half each time it is read."""
    now = 0.0
    while True:
        yield now
        now += 1.5


def progress_on(stream: io.TextIOBase, *, terminal: bool) -> Progress:
    clock = ticking()
    console = Console(file=stream, force_terminal=terminal, color_system=None, width=80)  # type: ignore[arg-type]
    return Progress(console, clock=lambda: next(clock))


def test_pipe_gets_plain_lines() -> None:
    stream = io.StringIO()
    progress = progress_on(stream, terminal=False)

    with progress.step("Starting [PostgreSQL]") as step:
        step.say("port 5432")
    progress.note("Open http://127.0.0.1:8000")

    assert stream.getvalue() == (
        "… Starting [PostgreSQL]\n✓ Starting [PostgreSQL]  port 5432  (1.5 s)\nOpen http://127.0.0.1:8000\n"
    )


def test_failed_step_is_shown_and_the_error_goes_on() -> None:
    stream = io.StringIO()

    with pytest.raises(RuntimeError, match="broken"), progress_on(stream, terminal=False).step("Migrating"):
        raise RuntimeError("broken")

    assert stream.getvalue() == "… Migrating\n✗ Migrating  (1.5 s)\n"


def test_ascii_stream_gets_ascii_marks() -> None:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding="ascii", write_through=True)

    with progress_on(stream, terminal=False).step("Migrating"):
        pass

    assert buffer.getvalue() == b"... Migrating\nok Migrating  (1.5 s)\n"


def test_terminal_shows_a_spinner_and_keeps_the_finished_line() -> None:
    stream = io.StringIO()

    with progress_on(stream, terminal=True).step("Migrating") as step:
        step.say("3 of 7")

    shown = stream.getvalue()
    assert "\x1b[?25l" in shown  # cursor hidden while the spinner turns
    assert shown.endswith("✓ Migrating  3 of 7  (1.5 s)\n")
    assert "… Migrating" not in shown
