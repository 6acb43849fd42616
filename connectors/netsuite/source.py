"""One conversation with one NetSuite account."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

from connectors.base import Change, Checked, Feed, Form, Item, JsonObject, Page, Referable, Window, Wire, Written
from connectors.errors import ConfigError, ConnectorError, PermissionRefused, Unsupported
from connectors.netsuite.client import NetSuiteClient
from connectors.netsuite.faults import BadQuery
from connectors.netsuite.forms import Credentials, WriteDefaults
from connectors.netsuite.read import Reader
from connectors.netsuite.tables import DELETED, LEVELS, LEVELS_ELSEWHERE, ORDERS, TABLES
from connectors.netsuite.write import orders, stock, vendors
from connectors.netsuite.write.fields import lookup
from connectors.netsuite.write.steps import Steps
from connectors.netsuite.zone import FORMAT, Zone
from db.types import Entity, Operation

_LOOKUPS: Final[dict[Referable, tuple[str, str]]] = {
    "vendor": ("vendor", "entityid"),
    "item": ("item", "itemid"),
    "payment_terms": ("term", "name"),
    "location": ("location", "name"),
}
_RECORDS: Final = {
    Entity.PURCHASE_ORDER: orders.RECORD,
    Entity.VENDOR: vendors.RECORD,
    Entity.INVENTORY_LEVEL: stock.RECORD,
}
_ALIKE: Final = timedelta(minutes=5)
"""Stamps this near to each other are of one zone."""


class NetSuiteSource:
    """Reads and writes; see connectors.base.Source."""

    def __init__(self, client: NetSuiteClient, credentials: Credentials) -> None:
        self._client = client
        self._credentials = credentials
        self._reader = Reader(client, Zone(credentials.time_zone))

    async def check(self) -> Checked:
        """Read one key of each entity, and compare the time zone with NetSuite's own.

        Raises:
            PermissionRefused: The role may read none of them. ConfigError: the time zone is not the account's.
        """
        refused: dict[Entity, str] = {}
        last: ConnectorError | None = None
        for entity, table in TABLES.items():
            names = [table.name, LEVELS_ELSEWHERE] if table is LEVELS else [table.name]
            for name in names:
                try:
                    sql = f"SELECT {table.key} FROM {name}{table.where()} ORDER BY {table.key}"  # noqa: S608
                    found = await self._client.query(sql, limit=1)
                    if not found.rows:
                        await self._client.may_list(table.record)
                except (PermissionRefused, BadQuery) as error:
                    refused[entity] = error.source_message or error.message
                    last = error
                else:
                    refused.pop(entity, None)
                    break
        if last is not None and len(refused) == len(TABLES):
            raise PermissionRefused("The role may read none of the records.", source_message=last.source_message)
        if Entity.PURCHASE_ORDER not in refused:
            await self._check_zone()
        told = self._credentials
        facts = {"account": told.realm, "signIn": told.auth_method, "timeZone": told.time_zone}
        return Checked({name: value for name, value in facts.items() if value}, refused)

    async def _check_zone(self) -> None:
        """Compare an order's stamp in the account's time with the record's own, which is UTC."""
        if self._reader.zone.name is None:
            return
        stamp = f"SELECT id, TO_CHAR(lastmodifieddate, '{FORMAT}') AS lastmodifieddate"
        found = await self._client.query(f"{stamp} FROM transaction{ORDERS.where()} ORDER BY id", limit=1)
        if not found.rows:
            return
        record = await self._client.record(f"{orders.RECORD}/{found.rows[0]['id']}", "?fields=lastModifiedDate")
        local = self._reader.zone.instant(found.rows[0].get("lastmodifieddate"))
        if record is None or local is None or not record.get("lastModifiedDate"):
            return
        off = local - datetime.fromisoformat(str(record["lastModifiedDate"]))
        if abs(off) > _ALIKE:
            raise ConfigError(
                f"The time zone is not the account's: its stamps are {round(off.total_seconds() / 3600, 2)} h off.",
                remedy="Give the time zone of the NetSuite user that signs in (Home > Set Preferences).",
            )

    async def clock(self) -> datetime:
        """Give NetSuite's time, from the Date header of its answers."""
        return await self._client.clock()

    def read(self, feed: Feed, *, window: Window, position: JsonObject | None) -> AsyncIterator[Page]:
        """Yield pages of whole items in the order of their keys."""
        if feed.name == DELETED:
            return self._reader.gone(window)
        return self._reader.pages(TABLES[feed.entity], window, position)

    async def fetch(self, entity: Entity, source_ids: list[str]) -> list[Item]:
        """Read whole items by key; missing keys are left out."""
        if entity not in TABLES:
            raise Unsupported(f"{entity} is not read from NetSuite.")
        return await self._reader.fetch(TABLES[entity], source_ids)

    async def resolve(self, kind: Referable, code: str) -> list[str]:
        """Give the internal ids of what people call by this code."""
        if kind not in _LOOKUPS:
            raise Unsupported(f"NetSuite has no {kind}.")
        return await lookup(self._client, *_LOOKUPS[kind], code)

    async def write(self, change: Change, *, defaults: Form, wire: Wire) -> Written:
        """Carry one change to NetSuite; see connectors.base.Source.write."""
        told = defaults if isinstance(defaults, WriteDefaults) else WriteDefaults()
        steps = Steps(self._client, wire)
        async with steps.outcome():
            return await self._carry(change, told, steps)

    async def _carry(self, change: Change, told: WriteDefaults, steps: Steps) -> Written:
        reader = self._reader
        match change.entity, change.operation:
            case Entity.PURCHASE_ORDER, Operation.CREATE:
                done = await orders.make(reader, steps, change, told)
            case Entity.PURCHASE_ORDER, Operation.UPDATE if change.transition in {None, "CLOSE"}:
                done = await orders.update(reader, steps, change, told)
            case Entity.PURCHASE_ORDER, Operation.CANCEL:
                done = await orders.cancel(reader, steps, change)
            case Entity.PURCHASE_ORDER, Operation.DELETE:
                done = await orders.delete(reader, steps, change)
            case Entity.VENDOR, Operation.CREATE:
                done = await vendors.make(reader, steps, change, told)
            case Entity.VENDOR, Operation.UPDATE:
                done = await vendors.update(reader, steps, change)
            case Entity.INVENTORY_LEVEL, Operation.ADJUST:
                done = await stock.adjust(reader, steps, change, told)
            case _:
                doing = f"{change.operation} {change.transition or ''}".strip()
                raise Unsupported(f"NetSuite cannot {doing} a {change.entity}.")
        return done

    async def find(self, change: Change, *, defaults: Form) -> list[str]:
        """Find the record that carries a change's reference; an adjustment stands for the level it moved."""
        found = await self._client.record(f"{_RECORDS[change.entity]}/eid:{change.reference}", "?fields=id")
        if found is None or not found.get("id"):
            return []
        if change.entity is not Entity.INVENTORY_LEVEL:
            return [str(found["id"])]
        told = defaults if isinstance(defaults, WriteDefaults) else WriteDefaults()
        return [stock.level_of(change, told)]
