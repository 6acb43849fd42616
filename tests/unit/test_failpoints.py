"""Failpoints: each is somewhere, dies when its time has come, and else is nothing."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.failpoints import FAILPOINTS, VARIABLE, arm, failpoint

ROOT = Path(__file__).parents[2]
STEP = (
    'from jobs.failpoints import failpoint\nfor n in range(3):\n  print(n, flush=True)\n  failpoint("page_committed")'
)


def test_each_failpoint_stands_in_the_code_once() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "jobs").glob("*.py")))

    assert sorted(re.findall(r'^ +failpoint\("(\w+)"\)', code, flags=re.MULTILINE)) == sorted(FAILPOINTS)


@pytest.mark.parametrize(
    ("armed", "code", "steps"),
    [("page_committed:2", -signal.SIGKILL, 2), ("page_read:1", 0, 3), ("page_committed:4", 0, 3), ("", 0, 3)],
)
def test_a_process_dies_at_an_armed_failpoint_when_it_comes_there_for_the_nth_time(
    armed: str, code: int, steps: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STEP], cwd=ROOT, env={VARIABLE: armed}, capture_output=True, check=False
    )

    assert (done.returncode, len(done.stdout.splitlines())) == (code, steps)


@pytest.mark.parametrize("told", ["nowhere:1", "page_read", "page_read:0", "page_read:x"])
def test_what_is_no_failpoint_is_refused(told: str) -> None:
    with pytest.raises(ValueError, match="NAME:N"):
        arm(told)
    failpoint("page_read")  # nothing is armed
