"""The connector protocol: what a system declares, and what an open source can do.

A `Connector` is a declaration without state. `open` gives a `Source`: one
authenticated conversation with one customer's system. The engine reads feeds
page by page, maps items to records with the connector's mapping, and hands
validated changes to `write`.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from connectors.egress import Egress, Request
from connectors.mapping import EntityMapping
from db.models.connection import SystemCategory
from db.types import Entity, Operation

JsonObject = dict[str, Any]
Referable = Literal["vendor", "item", "payment_terms", "location", "asset", "work_location"]


class Form(BaseModel):
    """Base of credential and write-default forms: titles and help become the connect form."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one connection may ask of its source, over all processes.

    Attributes:
        at_once: Calls under way at a time; with two or more, syncs leave one to writes.
        per_minute: Calls a minute over time; None sets no limit.
        burst: Calls that may go at once after a rest; syncs leave a fifth to writes.
    """

    at_once: int = 4
    per_minute: int | None = None
    burst: int = 20


@dataclass(frozen=True, slots=True)
class SystemSpec:
    """A system's entry in the catalogue.

    Attributes:
        slug: Its name in the API and of its folder.
        credits: What a connection costs: tier 1, 2 or 4; twice that on-premise, where its address is not public.
        credentials: The connect form; secrets are SecretStr.
        write_defaults: What writes need beyond the model.
        identity: The credentials' fields that tell which source it is; reauthorizing cannot change them.
        limits: How much a connection may ask of its source.
    """

    slug: str
    name: str
    vendor: str
    category: SystemCategory
    credits: int
    credentials: type[Form]
    write_defaults: type[Form]
    identity: tuple[str, ...] = ("base_url",)
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Feed:
    """One stream of changes that yields whole items of an entity, and the policy by which it is read.

    Attributes:
        entity: What its items are.
        name: Its name within the entity; checkpoints are kept under it.
        overlap: How far behind the window's start the next run begins, for changes committed late.
        period_field: The source's date field that the historical period applies to; None loads whole.
        full: Whether full and first runs read it (a feed of changed lines adds nothing to a full one).
        cursor: The source's field that tells when an item changed; None: it has none, and every run reads whole.
        tie_break: The source's field that pages are cut by: unique, and never changing.
        scan_every: How often a full run is due by itself, to find what was deleted without a word; None where the
            source tells deletions, or every run reads whole.
    """

    entity: Entity
    name: str
    overlap: timedelta
    period_field: str | None = None
    full: bool = True
    cursor: str | None = field(kw_only=True)
    tie_break: str = field(kw_only=True)
    scan_every: timedelta | None = field(kw_only=True, default=None)


@dataclass(frozen=True, slots=True)
class Window:
    """What a pass over a feed reads.

    Attributes:
        since: Changes at or after this instant, UTC; None reads all.
        period_start: Documents dated at or after this day; None reads all.
    """

    since: datetime | None = None
    period_start: date | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One whole raw document from the source.

    Attributes:
        source_id: The source's own stable key, as text.
        body: The document as JSON; exact decimals stay as the source wrote them.
        updated_at: When the source says any part of it changed, UTC; None where it does not say.
        dated_on: The document's date that the historical period goes by, for feeds with a `period_field`: what the
            source would compare with `Window.period_start`. A document without one is never taken for deleted.
        gone: The source keeps it, and says that it is deleted.
    """

    source_id: str
    body: JsonObject
    updated_at: datetime | None = None
    dated_on: date | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a pass.

    Attributes:
        items: 0 or more whole items; the same item may come again later in the pass.
        position: JSON value to resume after this page; None ends the pass.
        total: Items in the whole pass, where the source tells.
        gone: Keys that the source tells as deleted; each is looked up before it is believed.
    """

    items: tuple[Item, ...]
    position: JsonObject | None
    total: int | None = None
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """What a live check found out.

    Attributes:
        facts: Non-secret facts worth showing: version, company, user.
        refused: Entities that the credentials may not read, with the source's reason.
        unwritable: Writes that the credentials may not do, with the reason, where the source tells without trying.
    """

    facts: JsonObject = field(default_factory=dict)
    refused: Mapping[Entity, str] = field(default_factory=dict)
    unwritable: Mapping[tuple[Entity, Operation], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """A validated change for the source.

    Attributes:
        reference: Our own reference (at most 12 characters), to find the document again if the answer is lost.
        source_id: The record to change; None creates one.
        values: Fields of the record in our names; references are `…_source_id`, decimals Decimal, dates date.
        add_lines / change_lines / remove_lines: Line changes of an update; changed and removed lines are named by
            `source_line_id`.
        transition: A status to move to, e.g. SUBMIT or APPROVE.
        expected: The source's own version stamp that the caller saw, where it has one.
        source_fields: Values for the source's own field names, beyond the model.
    """

    entity: Entity
    operation: Operation
    reference: str
    source_id: str | None = None
    values: JsonObject = field(default_factory=dict)
    add_lines: tuple[JsonObject, ...] = ()
    change_lines: tuple[JsonObject, ...] = ()
    remove_lines: tuple[str, ...] = ()
    transition: str | None = None
    expected: str | None = None
    source_fields: JsonObject = field(default_factory=dict)


@dataclass(slots=True)
class Wire:
    """What one write sends to its source and gets from it: kept with the operation, so free of secrets.

    Attributes:
        dry: Requests are noted, and none is sent.
        allowed: Asked before each request; raises where the write is no longer ours to send.
        requests: Method, address and exact body of each changing request, in order; headers only where they carry
            more than form and identity (`If-Match`).
        answers: What the source answered to each of them.
    """

    dry: bool = False
    allowed: Callable[[], None] = lambda: None
    requests: list[JsonObject] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    def sends(self, request: Request) -> bool:
        """Note a request that changes something; False where it must stay here."""
        if not self.dry:
            self.allowed()
        told = {"method": request.method, "url": request.url}
        kept = {name: value for name, value in request.headers.items() if name == "If-Match"}
        body = None if request.body is None else request.body.decode()
        self.requests.append(told | ({"headers": kept} if kept else {}) | ({"body": body} if body is not None else {}))
        return not self.dry


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did.

    Attributes:
        source_id: Key of the record it made or changed; empty after a dry run that would make one.
        facts: What else people may want to know of it, e.g. the quantity that it started from.
    """

    source_id: str
    facts: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WriteSpec:
    """One operation that a connector can do on an entity.

    Attributes:
        required: Fields of the record that must be given (`lines.quantity` for a line's).
        writable: All fields that may be given.
        transitions: Transition that an update may ask for → the statuses that it may lead to.
        max_length: Field → longest text that the source takes, where that is less than the record's own limit.
        reference_field: The source's field that keeps our reference; None when it has none.
        late_seconds: How long after its answer was lost a request may still take effect in the source.
        look: What a person should look at where the outcome of a write stays unknown.
    """

    required: frozenset[str] = frozenset()
    writable: frozenset[str] = frozenset()
    transitions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    max_length: Mapping[str, int] = field(default_factory=dict)
    reference_field: str | None = None
    late_seconds: float = 20.0
    look: str = "Look at the record in the source."


class Source(Protocol):
    """One authenticated conversation with one customer's system.

    Every call may raise ConnectorError (see connectors.errors); none leaves a call to the source open.
    """

    async def check(self) -> Checked:
        """Make the cheapest calls that prove address, credentials and rights."""
        ...

    async def clock(self) -> datetime:
        """Give the source's own time, UTC, to the second: windows are cut on the source's clock, not ours."""
        ...

    def read(self, feed: Feed, *, window: Window, position: JsonObject | None) -> AsyncIterator[Page]:
        """Yield pages of whole items, resuming after `position`.

        Pages are keyset pages on a key that does not move while rows change. Each item is assembled
        whole; its `updated_at` is the newest stamp of its parts.
        """
        ...

    async def fetch(self, entity: Entity, source_ids: list[str]) -> list[Item]:
        """Read whole items by key; missing keys are left out."""
        ...

    async def resolve(self, kind: Referable, code: str) -> list[str]:
        """Give the source keys of everything people would call by this code: 0, 1 or more."""
        ...

    async def write(self, change: Change, *, defaults: Form, wire: Wire) -> Written:
        """Carry one change to the source; every request that changes something goes through `wire`.

        On a dry wire the same requests are made and none is sent; what later ones take from an earlier answer is
        left empty.

        Raises:
            WriteRejected: Refused; nothing changed, except where earlier requests on the wire were answered.
            VersionConflict: It changed meanwhile. SourceUnavailable: with `sent` true, the outcome is unknown.
        """
        ...

    async def find(self, change: Change, *, defaults: Form) -> list[str]:
        """Give the keys of the records that carry `change.reference`: 0, 1 or more.

        Asked only where the operation declares a `reference_field`, after an answer was lost.
        """
        ...


class Connector(Protocol):
    """What a connector declares."""

    spec: SystemSpec
    feeds: tuple[Feed, ...]
    mappings: Mapping[Entity, EntityMapping]
    writes: Mapping[tuple[Entity, Operation], WriteSpec]

    def open(self, credentials: Form, *, egress: Egress) -> AbstractAsyncContextManager[Source]:
        """Open a conversation; connecting and logging in happen on the first call."""
        ...

    def units(self, defaults: Form) -> Mapping[str, str]:
        """Give the native unit → UN/ECE Rec 20 code map of a connection."""
        ...

    def stamp(self, entity: Entity, body: Mapping[str, Any]) -> str | None:
        """Give the source's own version stamp of an item, as `Change.expected` takes it; None where it has none."""
        ...
