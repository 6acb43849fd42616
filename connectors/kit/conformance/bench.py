"""A rig with a connector on it: opens sources, counts calls, reads passes, and listens for secrets."""

import logging
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from pydantic import SecretStr

from connectors.base import Change, Connector, Feed, Form, Item, Page, Source, Window, Wire, Written
from connectors.egress import Egress
from connectors.kit.conformance.rig import JsonObject, Rig, SignIn
from connectors.mapping import project
from db.types import Entity, Operation


class NotTried(Exception):
    """A case has nothing to try here; the message says why."""


@dataclass
class Bench:
    """One connector, on one rig.

    Attributes:
        egress: The way out.
        hasty: A way out that waits for an answer only as long as the rig says.
        calls: Requests that left, over all sources of this bench.
        proved: (entity, ability, value): what the present case has shown, for the matrix.
        told: What was said where others may read it: errors, wires, facts.
    """

    connector: Connector
    rig: Rig
    egress: Egress
    hasty: Egress
    calls: int = 0
    proved: list[tuple[str, str, str]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    kept: dict[bool, Source] = field(default_factory=dict)
    """Conversations with good credentials, hasty or not, that go on from case to case, as a worker's do."""

    def __post_init__(self) -> None:
        """Count what leaves."""
        self.egress = self.egress.through(self._gate)
        self.hasty = self.hasty.through(self._gate)

    @asynccontextmanager
    async def _gate(self) -> AsyncIterator[None]:
        self.calls += 1
        yield

    @property
    def defaults(self) -> Form:
        """The write defaults."""
        return self.connector.spec.write_defaults(**self.rig.defaults)

    def credentials(self, who: SignIn) -> Form:
        """Give credentials as a form."""
        return self.connector.spec.credentials(**self.rig.credentials(who))

    @asynccontextmanager
    async def open(self, who: SignIn = "right", *, hasty: bool = False) -> AsyncIterator[Source]:
        """Open a source, or go on with the one that is open."""
        if who == "right" and hasty in self.kept:
            yield self.kept[hasty]
            return
        egress = self.hasty if hasty else self.egress
        async with self.connector.open(self.credentials(who), egress=egress) as source:
            yield source

    @asynccontextmanager
    async def sign_in(self, credentials: Mapping[str, Any]) -> AsyncIterator[Source]:
        """Open a source with credentials of another system than the rig's."""
        form = self.connector.spec.credentials(**credentials)
        async with self.connector.open(form, egress=self.egress) as source:
            yield source

    def feeds(self, entity: Entity, *, full: bool) -> list[Feed]:
        """Give an entity's feeds: those of a full pass, or all."""
        return [feed for feed in self.connector.feeds if feed.entity is entity and (feed.full or not full)]

    async def pages(
        self, source: Source, feed: Feed, window: Window | None = None, position: JsonObject | None = None
    ) -> list[Page]:
        """Read a pass over one feed."""
        return [page async for page in source.read(feed, window=window or Window(), position=position)]

    async def whole(self, source: Source, entity: Entity) -> dict[str, Item]:
        """Read an entity whole, by key."""
        found = [page for feed in self.feeds(entity, full=True) for page in await self.pages(source, feed)]
        return {item.source_id: item for page in found for item in page.items}

    async def since(self, source: Source, entity: Entity, since: datetime) -> dict[str, Item]:
        """Read what changed, over all feeds of an entity."""
        found = [
            page for feed in self.feeds(entity, full=False) for page in await self.pages(source, feed, Window(since))
        ]
        return {item.source_id: item for page in found for item in page.items}

    def record(self, entity: Entity, item: Item) -> Any:
        """Map an item with the rig's units."""
        return project(self.connector.mappings[entity], item.body, units=self.connector.units(self.defaults))

    async def fetched(self, source: Source, entity: Entity, source_id: str) -> Any:
        """Fetch one item and map it."""
        [item] = await source.fetch(entity, [source_id])
        return self.record(entity, item)

    async def any_key(self, entity: Entity) -> str:
        """Give a document to work on.

        Raises:
            NotTried: There is none.
        """
        keys = sorted(await self.rig.keys(entity))
        if not keys:
            raise NotTried(f"the system holds no {entity}")
        return keys[len(keys) // 2]

    async def fresh_key(self, entity: Entity) -> str:
        """Give a document that was just made, or where none can be made, one that is there."""
        try:
            [made] = await self.rig.make(entity.value, 1)
        except NotImplementedError:
            return await self.any_key(entity)
        return made

    def change(self, entity: Entity, operation: Operation, given: Mapping[str, Any], **more: Any) -> Change:
        """Make a change of a rig's sample, with a reference of its own."""
        return Change(entity, operation, **{"reference": reference(), **given, **more})

    async def write(self, source: Source, change: Change, *, wire: Wire | None = None) -> Written:
        """Carry a change, and keep what its wire tells."""
        over = wire or Wire()
        try:
            return await source.write(change, defaults=self.defaults, wire=over)
        finally:
            self.told.append(str((over.requests, over.answers)))

    def prove(self, entity: Entity, ability: str, value: str = "yes") -> None:
        """Note for the matrix what was shown."""
        self.proved.append((entity.value, ability, value))

    def secrets(self) -> set[str]:
        """Give every secret of the rig's credentials, as it stands and as Basic sends it."""
        found: set[str] = set()
        for who in ("right", "wrong", "unprivileged", "read_only", "expired"):
            try:
                form = self.credentials(who)
            except NotImplementedError:
                continue
            for name in type(form).model_fields:
                value = getattr(form, name)
                if isinstance(value, SecretStr) and len(value.get_secret_value()) > 3:
                    found |= _spellings(value.get_secret_value(), form)
        return found


def _spellings(secret: str, form: Form) -> set[str]:
    names = [value for name in type(form).model_fields if isinstance(value := getattr(form, name), str)]
    return {secret, *(b64encode(f"{name}:{secret}".encode()).decode() for name in names)}


def reference() -> str:
    """Draw a reference as the product does: 12 letters and digits."""
    return uuid4().hex[:12].upper()


class Listener(logging.Handler):
    """Keeps every line that anything logs, at every level."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line, with its traceback."""
        self.lines.append(logging.Formatter().format(record))


Applies = Callable[[Connector, Entity], bool]
"""Whether a case has anything to try, by what the connector declares."""
EntityCases = Mapping[str, tuple[Applies, Callable[[Bench, Entity], Awaitable[None]]]]


def always(_connector: Connector, _entity: Entity) -> bool:
    """Say yes."""
    return True


def has_cursor(connector: Connector, entity: Entity) -> bool:
    """Tell whether an entity is read by what changed; others are read whole each time."""
    return any(feed.entity is entity and feed.cursor for feed in connector.feeds)


def plain(value: Any) -> Any:
    """Give a value of a record as it is compared: models as dicts, dates and instants as they are."""
    if hasattr(value, "model_dump"):
        return {name: one for name, one in value.model_dump().items() if one not in (None, [])}
    return value.isoformat() if isinstance(value, date) else value
