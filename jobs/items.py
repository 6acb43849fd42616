"""Items on their way in: hashed, to tell what is new; mapped, to records of text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.base import Connector, Item
from connectors.compiled import record
from connectors.errors import MappingError
from db import raw
from db.raw import Fetched
from db.types import Entity
from db.upsert import Incoming


@dataclass(frozen=True, slots=True)
class HashedItem:
    """An item with its text and hash."""

    item: Item
    body: bytes
    item_hash: bytes


def hashed(connector: Connector, entity: Entity, items: Iterable[Item]) -> list[HashedItem]:
    """Write and hash items."""
    version = connector.mappings[entity].version
    bodies = ((item, raw.body_text(item.body)) for item in items)
    return [HashedItem(item, body, raw.item_hash(body, mapping_version=version)) for item, body in bodies]


@dataclass(slots=True)
class Mapper:
    """Maps items of one read.

    Attributes:
        failed: How many could not be mapped so far.
    """

    connector: Connector
    entity: Entity
    units: Mapping[str, str]
    fetched: Fetched
    failed: int = 0

    def map(self, hashed_item: HashedItem) -> Incoming:
        """Map an item; one that cannot be is told with the reason."""
        item, body = hashed_item.item, hashed_item.body
        made, reason = None, None
        try:
            plain = b"\\u0000" not in body
            made = record(self.connector.mappings[self.entity], item.body, units=self.units, plain=plain)
        except MappingError as error:
            self.failed += 1
            reason = str(error)
        return Incoming(
            item.source_id,
            body.decode(),
            hashed_item.item_hash,
            self.fetched,
            item.updated_at,
            made,
            reason,
            item.dated_on,
        )

    def all(self, items: Iterable[HashedItem]) -> list[Incoming]:
        """Map a few items."""
        return [self.map(item) for item in items]
