"""One conversation with one S/4HANA."""

import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

from connectors.base import Change, Checked, Feed, Form, Item, JsonObject, Page, Referable, Window, Wire, Written
from connectors.errors import ConnectorError, PermissionRefused, Unsupported
from connectors.kit.odata2 import text_literal
from connectors.sap_s4hana import read
from connectors.sap_s4hana.client import SapClient, Service
from connectors.sap_s4hana.forms import Credentials, WriteDefaults
from connectors.sap_s4hana.services import RESOURCES
from connectors.sap_s4hana.write import order_changes, orders, stock, vendors, work
from connectors.sap_s4hana.write.steps import Steps
from db.types import Entity, Operation

_KEY_LENGTHS: Final = {"vendor": 10, "item": 18}
_LOOKUPS: Final[dict[Referable, tuple[Service, str, str]]] = {
    "vendor": ("API_BUSINESS_PARTNER", "A_Supplier", "Supplier"),
    "item": ("API_PRODUCT_SRV", "A_Product", "Product"),
}
_PLACE: Final = re.compile(r"[A-Za-z0-9]{1,4}(/[A-Za-z0-9]{1,4})?")
_TERMS: Final = re.compile(r"[A-Za-z0-9]{1,4}")
_TECHNICAL: Final[dict[Referable, tuple[Entity, tuple[str, ...], re.Pattern[str]]]] = {
    "asset": (Entity.ASSET, ("Equipment",), re.compile(r"[A-Z0-9]{1,18}")),
    "work_location": (
        Entity.LOCATION,
        ("FunctionalLocation", "FunctionalLocationLabelName"),
        re.compile(r"[A-Z0-9][A-Z0-9 ./_-]{0,29}"),
    ),
}
"""Equipment and functional locations: what people call them by, and what their keys look like."""
_REFERENCES: Final[dict[tuple[Entity, Operation], tuple[Service, str, str, str]]] = {
    (Entity.PURCHASE_ORDER, Operation.CREATE): (orders.SERVICE, "A_PurchaseOrder", orders.REFERENCE, "PurchaseOrder"),
    (Entity.VENDOR, Operation.CREATE): (vendors.SERVICE, "A_BusinessPartner", vendors.REFERENCE, "Supplier"),
    (Entity.INVENTORY_LEVEL, Operation.ADJUST): (
        stock.SERVICE,
        "A_MaterialDocumentHeader",
        stock.REFERENCE,
        "MaterialDocument",
    ),
}
"""Operation → where documents carry our reference, in which property, and their key."""


class SapSource:
    """Reads and writes; see connectors.base.Source."""

    def __init__(self, client: SapClient, credentials: Credentials) -> None:
        self._client = client
        self._credentials = credentials

    async def check(self) -> Checked:
        """Read one key of each entity: proves address, client, credentials, and the right to each service.

        Raises:
            PermissionRefused: The user may read none of them.
        """
        refused: dict[Entity, str] = {}
        last: ConnectorError | None = None
        for entity, resource in RESOURCES.items():
            options = {"$top": "1", "$select": resource.key}
            try:
                await self._client.list(resource.service, resource.path, options, at_most=1)
            except PermissionRefused as error:
                refused[entity] = error.source_message or error.message
                last = error
        if last is not None and len(refused) == len(RESOURCES):
            raise last
        told = self._credentials
        facts = {"client": told.client, "user": told.username or told.client_id, "signIn": told.auth_method}
        return Checked({name: value for name, value in facts.items() if value}, refused)

    async def clock(self) -> datetime:
        """Give SAP's time, from the Date header of its web server."""
        return await self._client.clock()

    def read(self, feed: Feed, *, window: Window, position: JsonObject | None) -> AsyncIterator[Page]:
        """Yield pages of whole items in the order of their keys."""
        return read.pages(self._client, RESOURCES[feed.entity], window, position)

    async def fetch(self, entity: Entity, source_ids: list[str]) -> list[Item]:
        """Read whole items by key; missing keys are left out."""
        if entity not in RESOURCES:
            raise Unsupported(f"{entity} is not read from SAP S/4HANA.")
        return await read.fetch(self._client, RESOURCES[entity], source_ids)

    async def resolve(self, kind: Referable, code: str) -> list[str]:
        """Give the keys of what people call by this code.

        Suppliers and products are looked up, with and without leading zeros, equipment and functional locations, too.
        Terms and places (`plant` or `plant/storage`) are keys themselves and listed by none of these services: SAP
        judges them on writing. So are equipment and functional locations that the user may not read.
        """
        told = code.strip()
        if kind == "location":
            return [told.upper()] if _PLACE.fullmatch(told) else []
        if kind == "payment_terms":
            return [told.upper()] if _TERMS.fullmatch(told) else []
        if kind in _TECHNICAL:
            return await self._technical(kind, told.upper())
        service, path, key = _LOOKUPS[kind]
        forms = {told, told.upper()}
        if told.isdigit():
            forms |= {told.lstrip("0") or "0", told.zfill(_KEY_LENGTHS[kind])}
        found = " or ".join(f"{key} eq {text_literal(form)}" for form in sorted(forms))
        options = {"$filter": found, "$select": key, "$top": "10"}
        rows = (await self._client.list(service, path, options, at_most=10)).rows
        return sorted({str(row[key]) for row in rows})

    async def _technical(self, kind: Referable, code: str) -> list[str]:
        entity, names, pattern = _TECHNICAL[kind]
        resource = RESOURCES[entity]
        forms = sorted({code, code.lstrip("0") or "0"} if code.isdigit() else {code})
        wanted = " or ".join(f"{name} eq {text_literal(form)}" for name in names for form in forms)
        options = {"$filter": " and ".join(filter(None, (f"({wanted})", resource.always))), "$top": "10"}
        options["$select"] = resource.key
        try:
            rows = (await self._client.list(resource.service, resource.path, options, at_most=10)).rows
        except PermissionRefused:
            return [code] if pattern.fullmatch(code) else []
        return sorted({str(row[resource.key]) for row in rows})

    async def write(self, change: Change, *, defaults: Form, wire: Wire) -> Written:
        """Carry one change to SAP; see connectors.base.Source.write."""
        told = defaults if isinstance(defaults, WriteDefaults) else WriteDefaults()
        steps = Steps(self._client, wire)
        async with steps.outcome():
            return await self._carry(change, told, steps)

    async def _carry(self, change: Change, told: WriteDefaults, steps: Steps) -> Written:
        client = self._client
        match change.entity, change.operation:
            case Entity.PURCHASE_ORDER, Operation.CREATE:
                done = await orders.create(client, steps, change, told)
            case Entity.PURCHASE_ORDER, Operation.UPDATE if change.transition is None:
                done = await order_changes.update(client, steps, change, told)
            case Entity.PURCHASE_ORDER, Operation.CANCEL:
                done = await order_changes.cancel(client, steps, change)
            case Entity.WORK_ORDER, Operation.CREATE:
                done = await work.create(steps, change, told)
            case Entity.WORK_ORDER, Operation.UPDATE:
                done = await work.update(client, steps, change, transition=change.transition)
            case Entity.VENDOR, Operation.CREATE:
                done = await vendors.create(client, steps, change, told)
            case Entity.VENDOR, Operation.UPDATE:
                done = await vendors.update(client, steps, change)
            case Entity.INVENTORY_LEVEL, Operation.ADJUST:
                done = await stock.adjust(client, steps, change, told)
            case _:
                doing = f"{change.operation} {change.transition or ''}".strip()
                raise Unsupported(f"SAP S/4HANA cannot {doing} a {change.entity}.")
        return done

    async def find(self, change: Change, *, defaults: Form) -> list[str]:
        """Find the documents that carry a change's reference; a material document stands for the level it moved."""
        service, path, field, key = _REFERENCES[change.entity, change.operation]
        options = {
            "$filter": f"{field} eq {text_literal(change.reference)}",
            "$select": key,
            "$orderby": key,
            "$top": "2",
        }
        rows = (await self._client.list(service, path, options, at_most=2)).rows
        if change.entity is not Entity.INVENTORY_LEVEL:
            return [str(row[key]) for row in rows if row.get(key)]
        told = defaults if isinstance(defaults, WriteDefaults) else WriteDefaults()
        return [await stock.level_id(self._client, change, told) for _ in rows]
