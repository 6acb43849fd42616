"""The supervisor, with real processes: order, restarts, giving up, and leaving nothing behind."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crosshead.dev.supervisor import Event, RestartPolicy, Service, Supervisor
from crosshead.embedded.errors import EmbeddedError
from tests.fixtures.processes import alive, descendants, eventually

ROOT_DIR = Path(__file__).parents[2]
SLEEP = "import time; time.sleep(300)"
HASTY = RestartPolicy(first_delay_s=0.05, max_delay_s=0.1)

RUN = """
import asyncio, sys
from pathlib import Path
from crosshead.dev.supervisor import Service, Supervisor
folder = Path(sys.argv[1])
SLEEP = "import time; time.sleep(300)"
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', %r])" % SLEEP
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); open(%r, 'w').close(); " + SLEEP
deaf = folder / "deaf"
async def is_deaf():
    return deaf.exists()
services = [
    Service("parent", [sys.executable, "-c", PARENT]),
    Service("stubborn", [sys.executable, "-c", STUBBORN % str(deaf)], ready=is_deaf),
]
show = lambda event: print(event.kind, event.service, flush=True)
asyncio.run(Supervisor(services, log_dir=folder, grace_s=1.0, on_event=show).run())
print("end", flush=True)
"""


def python(name: str, code: str, **options: object) -> Service:
    return Service(name, [sys.executable, "-c", code], **options)  # type: ignore[arg-type]


async def until(condition: object, *, timeout_s: float = 10.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - what happens to processes sets no event
            await asyncio.sleep(0.02)


async def test_each_starts_when_the_one_before_is_ready_and_stops_in_reverse(tmp_path: Path) -> None:
    events: list[Event] = []
    mark = tmp_path / "mark"

    async def marked() -> bool:
        return mark.exists()

    slow = python("slow", f"import time; time.sleep(0.3); open({str(mark)!r}, 'w').close(); {SLEEP}", ready=marked)
    async with Supervisor([slow, python("next", SLEEP)], log_dir=tmp_path, on_event=events.append) as supervisor:
        pids = [supervisor.pid("slow"), supervisor.pid("next")]
        assert all(pid is not None and alive(pid) for pid in pids)

    seen = [(event.service, event.kind) for event in events]
    started = [("slow", "starting"), ("slow", "ready"), ("next", "starting"), ("next", "ready")]
    assert seen == [*started, ("next", "stopped"), ("slow", "stopped")]
    assert not any(alive(pid) for pid in pids if pid is not None)


async def test_crashed_service_is_started_again_with_the_same_environment(tmp_path: Path) -> None:
    service = python("web", f"import os; print(os.environ['COLOUR'], flush=True); {SLEEP}", env={"COLOUR": "teal"})
    events: list[Event] = []
    async with Supervisor([service], log_dir=tmp_path, policy=HASTY, on_event=events.append) as supervisor:
        first = supervisor.pid("web")
        assert first is not None
        await until(lambda: (tmp_path / "web.log").read_text(encoding="utf-8") == "teal\n")

        os.kill(first, signal.SIGKILL)
        await until(lambda: supervisor.pid("web") not in {None, first})
        await until(lambda: (tmp_path / "web.log").read_text(encoding="utf-8") == "teal\nteal\n")

    assert Event("web", "ended", "ended by SIGKILL") in events
    assert Event("web", "restarting", "in 0.05 s") in events


async def test_crash_loop_is_given_up_with_the_end_of_the_log(tmp_path: Path) -> None:
    events: list[Event] = []
    loop = python("loop", "import sys; print('out of luck', flush=True); sys.exit(3)")
    supervisor = Supervisor([python("good", SLEEP), loop], log_dir=tmp_path, policy=HASTY, on_event=events.append)

    with pytest.raises(EmbeddedError, match=r"loop failed 5 times in a row, at last ended with code 3") as caught:
        await supervisor.run()

    good = next(event.detail for event in events if (event.service, event.kind) == ("good", "ready"))
    assert str(caught.value).endswith("out of luck\n" * 4 + "out of luck")
    assert not alive(int(good.removeprefix("process ")))
    assert [event.kind for event in events if event.service == "loop"].count("starting") == 5


async def test_service_that_is_not_ready_in_time_is_an_error(tmp_path: Path) -> None:
    async def never() -> bool:
        raise ConnectionRefusedError

    hung = python("hung", f"print('waiting for nothing', flush=True); {SLEEP}", ready=never, ready_timeout_s=0.5)
    supervisor = Supervisor([hung], log_dir=tmp_path)

    with pytest.raises(EmbeddedError, match=r"hung was not ready within 0.5 s(.|\n)*waiting for nothing"):
        await supervisor.start()
    pid = supervisor.pid("hung")
    await supervisor.stop()

    assert pid is not None
    assert not alive(pid)


@pytest.mark.parametrize(("code", "fails"), [(0, False), (4, True)])
async def test_program_that_runs_once_ends_well_or_fails(tmp_path: Path, code: int, *, fails: bool) -> None:
    once = python("once", f"import sys; sys.exit({code})", restart=False)
    supervisor = Supervisor([once], log_dir=tmp_path)

    if fails:
        with pytest.raises(EmbeddedError, match="once ended with code 4"):
            await supervisor.run()
    else:
        await supervisor.run()
        assert supervisor.pid("once") is None


async def test_logs_of_earlier_runs_are_kept(tmp_path: Path) -> None:
    for word in ("one", "two"):
        await Supervisor([python("job", f"print('{word}')", restart=False)], log_dir=tmp_path).run()

    assert (tmp_path / "job.log").read_text(encoding="utf-8") == "two\n"
    assert (tmp_path / "job.log.1").read_text(encoding="utf-8") == "one\n"


def test_delays_double_up_to_the_limit() -> None:
    policy = RestartPolicy()

    assert [policy.delay_s(failures) for failures in range(8)] == [0.5, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_names_must_differ(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="names must differ"):
        Supervisor([python("twin", SLEEP), python("twin", SLEEP)], log_dir=tmp_path)


def start_program(folder: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a supervisor with a service that has a child, and one that ignores SIGTERM; return all their pids."""
    program = subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT_DIR
    )
    assert program.stdout is not None
    while program.stdout.readline() != "ready stubborn\n":
        assert program.poll() is None
    assert eventually(lambda: len(descendants(program.pid)) == 3)
    return program, descendants(program.pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_all_in_reverse_and_leaves_no_process(tmp_path: Path, number: signal.Signals) -> None:
    program, pids = start_program(tmp_path)

    program.send_signal(number)
    output, _ = program.communicate(timeout=20)

    assert program.returncode == 0
    assert output == "stopped stubborn\nstopped parent\nend\n"
    assert [pid for pid in pids if alive(pid)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_services_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    program, pids = start_program(tmp_path)
    grandchildren = [pid for service in pids for pid in descendants(service)]
    children = set(pids) - set(grandchildren)
    assert len(children) == 2

    os.kill(program.pid, signal.SIGKILL)
    program.communicate(timeout=10)

    try:
        assert eventually(lambda: not any(alive(pid) for pid in children))
    finally:
        for pid in grandchildren:
            os.kill(pid, signal.SIGKILL)
