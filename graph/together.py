"""What requests that are under way at the same time ask alike is asked of the database as one statement.

A statement costs both sides more on its way, in messages and wake-ups, than one row costs Postgres, and integrations
ask for rows side by side. Nobody waits for others: what is asked until the event loop comes round goes together, and
nothing is kept. So a token that was revoked before its request came is refused.
"""

from collections.abc import Hashable, Sequence
from functools import partial
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

from strawberry.dataloader import DataLoader

from db import tokens
from db.engine import Database
from db.page import read_each
from db.scope import Scope
from db.selection import OneById, Slots
from db.tokens import Holder

MOST: Final = 4
"""How much goes as one statement: the first one's answer waits for the last one's."""


class Together:
    """Looks up tokens, and reads objects, as many at once as are asked for at the same time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tokens: DataLoader[str, Holder | None] = DataLoader(self._holders, max_batch_size=MOST, cache=False)
        self._objects: WeakValueDictionary[Hashable, DataLoader[UUID, str | None]] = WeakValueDictionary()
        """Each is held by those who ask it, and gone with them, be it that all of them went away."""

    async def holder(self, token: str) -> Holder | None:
        """Look a token up; None where it was never issued. That it was used is noted."""
        return await self._tokens.load(token)

    async def one(self, root: OneById, slots: Slots, *, scope: Scope) -> str | None:
        """Read an object as `db.page.read_json` does, with others that are asked for in the same words and scope."""
        key, *others = slots
        asked = (root, scope, tuple(others))
        loader = self._objects.get(asked)
        if loader is None:
            read = partial(self._read, root, others, scope)
            loader = self._objects[asked] = DataLoader(read, max_batch_size=MOST, cache=False)
        return await loader.load(key)

    async def _holders(self, asked: Sequence[str]) -> list[Holder | None]:
        async with self._database.lookups.fetch() as fetch:
            found = await tokens.find(fetch, set(asked))
            used = [each.token_id for each in found.values() if each.dead is None and each.untouched]
            if used:
                await tokens.touch(fetch, used)
        return [found.get(each) for each in asked]

    async def _read(self, root: OneById, others: Slots, scope: Scope, keys: Sequence[UUID]) -> list[str | None]:
        return await read_each(self._database.reads, root, keys, others, scope=scope)
