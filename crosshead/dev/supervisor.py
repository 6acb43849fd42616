"""Keep dev mode's services running: start in order, restart after crashes, stop all and leave no process."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from crosshead.embedded.errors import EmbeddedError
from crosshead.embedded.process import ServerProcess, log_tail, rotate_log

_POLL_S = 0.05
_READY_CALL_TIMEOUT_S = 5.0
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

EventKind = Literal["starting", "ready", "ended", "restarting", "stopped"]


@dataclass(frozen=True, slots=True)
class Service:
    """A program to keep running.

    Attributes:
        name: Unique, plain; names its log file.
        argv: Program and arguments.
        env: Variables over our own environment.
        ready: Asked repeatedly after each start until it says True; OSError and five seconds of silence count as no.
            None: ready once started.
        restart: False for a program that ends by itself: exit 0 is then the good end, anything else a failure.
        ready_timeout_s: Seconds from a start until `ready` must have said True.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], Awaitable[bool]] | None = None
    restart: bool = True
    ready_timeout_s: float = 60.0


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When to start a service again, and when to give up.

    Attributes:
        first_delay_s: Seconds before the restart after a first quick failure, or after any run that was not quick.
        max_delay_s: The delay doubles with each quick failure in a row up to this.
        quick_s: A run that ends within so many seconds is a quick failure.
        max_quick_failures: So many in a row end the supervisor.
    """

    first_delay_s: float = 0.5
    max_delay_s: float = 10.0
    quick_s: float = 10.0
    max_quick_failures: int = 5

    def delay_s(self, quick_failures: int) -> float:
        """Return the seconds to wait after `quick_failures` in a row (0 or more)."""
        return float(min(self.max_delay_s, self.first_delay_s * 2 ** max(0, quick_failures - 1)))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a service, for the terminal."""

    service: str
    kind: EventKind
    detail: str = ""


class Supervisor:
    """Services that live and die together; `run` for a command, or an async context manager with `wait`.

    Args:
        services: Started in this order, each when the one before is ready; stopped in reverse.
        log_dir: Folder for NAME.log with both output streams of each service; three logs of earlier runs are kept.
        policy: When to restart and when to give up.
        grace_s: Seconds from SIGTERM to SIGKILL when a service is stopped.
        on_event: Told what happens, in the loop's thread; must not block.
    """

    def __init__(
        self,
        services: Sequence[Service],
        *,
        log_dir: Path,
        policy: RestartPolicy | None = None,
        grace_s: float = 5.0,
        on_event: Callable[[Event], None] = lambda _event: None,
    ) -> None:
        if len({service.name for service in services}) != len(services):
            raise ValueError("service names must differ")
        self._services = tuple(services)
        self._log_dir = log_dir
        self._policy = policy or RestartPolicy()
        self._grace_s = grace_s
        self._on_event = on_event
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._processes: dict[str, ServerProcess] = {}

    def pid(self, name: str) -> int | None:
        """Return the process id of a service, or None while it is not running."""
        process = self._processes.get(name)
        return process.pid if process is not None and process.running() else None

    async def run(self) -> None:
        """Start, keep running until SIGINT or SIGTERM, stop all.

        Raises:
            EmbeddedError: A service failed for good; everything has been stopped by then.
        """
        loop = asyncio.get_running_loop()
        asked = asyncio.Event()
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, asked.set)
        work = asyncio.create_task(self._start_and_wait())
        stop = asyncio.create_task(asked.wait())
        try:
            await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            await _cancel(work)
            await _cancel(stop)
            await self.stop()
            for number in _STOP_SIGNALS:
                loop.remove_signal_handler(number)

    async def start(self) -> None:
        """Start every service in order, each when the one before is ready.

        Raises:
            EmbeddedError: One did not come up; holds the end of its log. Those already up still run: call `stop`.
        """
        self._log_dir.mkdir(parents=True, exist_ok=True)
        for service in self._services:
            rotate_log(self._log_file(service))
            ready = asyncio.Event()
            keeper = asyncio.create_task(self._keep(service, ready), name=f"keep {service.name}")
            self._keepers[service.name] = keeper
            waiting = asyncio.create_task(ready.wait())
            try:
                await asyncio.wait({keeper, waiting}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _cancel(waiting)
            if keeper.done():
                keeper.result()

    async def wait(self) -> None:
        """Return when every service has come to its good end, which only those with restart=False have.

        Raises:
            EmbeddedError: One failed for good; holds the end of its log. The others still run: call `stop`.
        """
        if self._keepers:
            done, _ = await asyncio.wait(self._keepers.values(), return_when=asyncio.FIRST_EXCEPTION)
            for keeper in done:
                keeper.result()

    async def stop(self) -> None:
        """Stop all in reverse order: SIGTERM to each process group, SIGKILL when its grace is over."""
        for service in reversed(self._services):
            keeper = self._keepers.pop(service.name, None)
            if keeper is not None:
                await _cancel(keeper)
            process = self._processes.pop(service.name, None)
            if process is not None:
                await _end(process, grace_s=self._grace_s)
                self._tell(service, "stopped")

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _start_and_wait(self) -> None:
        await self.start()
        await self.wait()

    async def _keep(self, service: Service, ready: asyncio.Event) -> None:
        """Run the service again and again until its good end, or until it has failed for good."""
        loop = asyncio.get_running_loop()
        quick_failures = 0
        while True:
            self._tell(service, "starting")
            started = loop.time()
            process = self._spawn(service)
            if await self._until_ready(service, process):
                self._tell(service, "ready", f"process {process.pid}")
                ready.set()
            code = await _ended(process)
            # What the service itself has started must not outlive it.
            process.signal_group(signal.SIGKILL)
            del self._processes[service.name]
            self._tell(service, "ended", _describe(code))
            if not service.restart:
                if code != 0:
                    raise self._failure(service, _describe(code))
                return
            quick_failures = quick_failures + 1 if loop.time() - started < self._policy.quick_s else 0
            if quick_failures >= self._policy.max_quick_failures:
                raise self._failure(service, f"failed {quick_failures} times in a row, at last {_describe(code)}")
            delay_s = self._policy.delay_s(quick_failures)
            self._tell(service, "restarting", f"in {delay_s:g} s")
            await asyncio.sleep(delay_s)

    def _spawn(self, service: Service) -> ServerProcess:
        # No await between start and note, so that no process can slip past stop().
        process = ServerProcess(
            service.argv,
            log=self._log_file(service),
            cwd=Path.cwd(),
            env={**os.environ, **service.env},
            death_signal=signal.SIGKILL,
        )
        self._processes[service.name] = process
        return process

    async def _until_ready(self, service: Service, process: ServerProcess) -> bool:
        """Return True when it is ready, False if it ended before."""
        if service.ready is None:
            return process.running()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + service.ready_timeout_s
        while process.running():
            with contextlib.suppress(OSError, TimeoutError):
                if await asyncio.wait_for(service.ready(), _READY_CALL_TIMEOUT_S):
                    return True
            if loop.time() > deadline:
                raise self._failure(service, f"was not ready within {service.ready_timeout_s:g} s")
            await asyncio.sleep(_POLL_S)
        return False

    def _failure(self, service: Service, what: str) -> EmbeddedError:
        log = self._log_file(service)
        return EmbeddedError(f"{service.name} {what}; the end of {log}:\n{log_tail(log)}")

    def _log_file(self, service: Service) -> Path:
        return self._log_dir / f"{service.name}.log"

    def _tell(self, service: Service, kind: EventKind, detail: str = "") -> None:
        self._on_event(Event(service.name, kind, detail))


async def _ended(process: ServerProcess) -> int:
    """Wait for the end and return the exit code; asks again and again, which needs no child watcher of any loop."""
    while (code := process.exit_code()) is None:  # noqa: ASYNC110 - the kernel sets no asyncio.Event
        await asyncio.sleep(_POLL_S)
    return code


async def _end(process: ServerProcess, *, grace_s: float) -> None:
    process.signal_group(signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(_ended(process), grace_s)
    process.signal_group(signal.SIGKILL)
    await _ended(process)


async def _cancel(task: asyncio.Task[object] | asyncio.Task[None] | asyncio.Task[bool]) -> None:
    """Cancel a task and wait for it; how it had ended does not matter any more."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()


def _describe(code: int) -> str:
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
