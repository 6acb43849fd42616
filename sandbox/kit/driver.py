"""Edits at random, from a seed: what the users of a system do while it is read."""

import asyncio
import random
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Final, Literal, get_args

from sandbox.kit.clock import Clock
from sandbox.kit.late import Late
from sandbox.kit.log import Calls, caused_by
from sandbox.kit.system import Editor

Doing = Literal["create", "change", "part", "spoil", "mend", "vanish"]
MIX: Final[Mapping[str, int]] = {"create": 2, "change": 6, "part": 2}
"""How often each is done where nothing else is asked for; spoiling and vanishing are asked for."""
_STEP_SECONDS: Final = 0.05


class Driver:
    """Edits a system's documents."""

    def __init__(self, editor: Editor, clock: Clock, late: Late, calls: Calls) -> None:
        self.editor = editor
        self.late = late
        self._clock = clock
        self._calls = calls
        self._task: asyncio.Task[None] | None = None

    def make(
        self,
        count: int,
        *,
        rng: random.Random,
        mix: Mapping[str, int] = MIX,
        late_seconds: float | None = None,
        late_calls: int | None = None,
    ) -> list[str]:
        """Make so many edits.

        Args:
            mix: How often each of create, change, part, spoil, mend, vanish is done, against the others.
            late_seconds, late_calls: Where one is given, the edits are stamped now and seen only then (see Late).

        Returns:
            Keys of what was or will be edited; "" where there was nothing to edit.

        Raises:
            ValueError: The mix holds something else, or nothing.
        """
        if set(mix) - set(get_args(Doing)) or not any(mix.values()):
            raise ValueError(f"a mix holds {', '.join(get_args(Doing))}")
        doings, weights = list(mix), list(mix.values())
        with caused_by("edit"):
            return [
                self._one(rng.choices(doings, weights)[0], rng, late_seconds=late_seconds, late_calls=late_calls)
                for _ in range(count)
            ]

    def start(self, *, per_second: float, seed: int, mix: Mapping[str, int] = MIX) -> None:
        """Edit all the time, until `stop`."""
        self.stop()
        self._task = asyncio.get_running_loop().create_task(self._keep_on(per_second, random.Random(seed), mix))

    def stop(self) -> None:
        """Edit no more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    @property
    def running(self) -> bool:
        """True while it edits all the time."""
        return self._task is not None and not self._task.done()

    async def _keep_on(self, per_second: float, rng: random.Random, mix: Mapping[str, int]) -> None:
        loop = asyncio.get_running_loop()
        begun, done = loop.time(), 0
        while True:
            await asyncio.sleep(_STEP_SECONDS)
            due = int((loop.time() - begun) * per_second)
            self.make(due - done, rng=rng, mix=mix)
            done = due

    def _one(self, doing: str, rng: random.Random, *, late_seconds: float | None, late_calls: int | None) -> str:
        stamp = self._clock.stamp()
        key = self.editor.reserve() if doing == "create" else self._free(rng)
        if not key:
            return ""
        # A generator of its own: what a late change does must not hang on what is done until then.
        apply = partial(self._apply, doing, key, random.Random(rng.random()), stamp)
        if late_seconds is None and late_calls is None:
            apply()
            return key
        now = self._clock.now()
        self.late.put(key, apply, now=now, call=self._calls.total, seconds=late_seconds, calls=late_calls)
        return key

    def _free(self, rng: random.Random) -> str:
        """Choose a document that no late change holds; "" where there is none."""
        keys, held = self.editor.keys(), self.late.keys
        if len(keys) <= len(held):
            return ""
        while (key := keys[rng.randrange(len(keys))]) in held:
            pass
        return key

    def _apply(self, doing: str, key: str, rng: random.Random, stamp: datetime) -> None:
        match doing:
            case "create":
                self.editor.create(key, rng, stamp)
            case "change":
                self.editor.change(key, rng, stamp)
            case "part":
                self.editor.change_part(key, rng, stamp)
            case "spoil":
                self.editor.spoil(key, stamp)
            case "mend":
                self.editor.mend(key, stamp)
            case _:
                self.editor.vanish(key)
