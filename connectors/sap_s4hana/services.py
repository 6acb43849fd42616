"""Where each entity lives in SAP, and how its lists are asked for: data, one entry an entity."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from urllib.parse import quote, unquote

from connectors.base import Feed, JsonObject, Window
from connectors.kit.odata2 import (
    day_literal,
    instant_literal,
    read_day,
    read_instant,
    read_time,
    text_literal,
    time_literal,
)
from connectors.sap_s4hana.client import Service
from db.types import Entity

MINUTES: Final = timedelta(minutes=1)
STOCK_KEY: Final = (
    "Material",
    "Plant",
    "StorageLocation",
    "Batch",
    "Supplier",
    "Customer",
    "WBSElementInternalID",
    "SDDocument",
    "SDDocumentItem",
    "InventorySpecialStockType",
    "InventoryStockType",
)
"""The eleven parts of A_MatlStkInAcctMod's key, in the metadata's order."""


@dataclass(frozen=True, slots=True)
class Resource:
    """How one entity is listed.

    Attributes:
        key: The property that pages are keyed on; it never changes.
        order: What lists are ordered by; begins with `key`.
        source_id: Makes the item's key from its body.
        id_filter: Makes the filter that finds one item by its key.
        updated_at: Reads the item's change stamp, UTC.
        expand: Navigation that makes an item whole.
        optional: More navigation, left out where a release does not know it.
        always: A filter on every list.
        changed: Makes the filter of changes at or after an instant; None reads whole.
        period: Makes the filter of documents dated at or after a day.
        dated_on: Reads the date that `period` compares.
        is_key: Tells what may be a key of it.
        grouped: Pages end where `key` changes, for `key` alone does not tell rows apart.
    """

    service: Service
    path: str
    key: str
    order: str
    source_id: Callable[[JsonObject], str]
    id_filter: Callable[[str], str]
    updated_at: Callable[[JsonObject], datetime | None]
    expand: str = ""
    optional: str = ""
    always: str = ""
    changed: Callable[[datetime], str] | None = None
    period: Callable[[date], str] | None = None
    dated_on: Callable[[JsonObject], date | None] = lambda _: None
    page_size: int = 200
    is_key: Callable[[str], bool] = lambda _: True
    grouped: bool = False

    def filters(self, window: Window) -> list[str]:
        """Give the filters of a window, to be joined by `and`."""
        told = [self.always] if self.always else []
        if window.since is not None and self.changed is not None:
            told.append(self.changed(window.since))
        if window.period_start is not None and self.period is not None:
            told.append(self.period(window.period_start))
        return told


def _stamp(name: str, fallback: str) -> Callable[[JsonObject], datetime | None]:
    return lambda body: read_instant(body.get(name)) or read_instant(body.get(fallback))


def _key(name: str) -> Callable[[JsonObject], str]:
    return lambda body: str(body[name])


def _equals(name: str) -> Callable[[str], str]:
    return lambda value: f"{name} eq {text_literal(value)}"


def stock_id(body: JsonObject) -> str:
    """Make one text of the eleven key parts; parts are percent-encoded, so that `/` only parts them."""
    return "/".join(quote(str(body.get(part) or ""), safe="") for part in STOCK_KEY)


def stock_key(source_id: str) -> dict[str, str]:
    """Take a stock key apart.

    Raises:
        ValueError: It has not eleven parts.
    """
    parts = [unquote(part) for part in source_id.split("/")]
    if len(parts) != len(STOCK_KEY):
        raise ValueError(f"{source_id!r} is not the key of a stock level")
    return dict(zip(STOCK_KEY, parts, strict=True))


def _stock_filter(source_id: str) -> str:
    return " and ".join(f"{name} eq {text_literal(value)}" for name, value in stock_key(source_id).items())


def _partner_changed(since: datetime) -> str:
    """Compare a stamp that SAP splits into a date and a time; a partner never changed has none, only its creation."""
    at = since.astimezone(UTC)
    day, clock = day_literal(at.date()), time_literal(at.time())
    split = "({0}Date gt {1}) or ({0}Date eq {1} and {0}Time ge {2})"
    return f"({split.format('LastChange', day, clock)} or {split.format('Creation', day, clock)})"


def _partner_updated_at(body: JsonObject) -> datetime | None:
    for prefix in ("LastChange", "Creation"):
        day = read_day(body.get(f"{prefix}Date"))
        if day is not None:
            clock = read_time(body.get(f"{prefix}Time"))
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            return datetime.combine(day, clock, tzinfo=UTC) if clock else midnight
    return None


def _since(name: str, *, or_day: str | None = None, or_instant: str | None = None) -> Callable[[datetime], str]:
    def changed(since: datetime) -> str:
        told = f"{name} ge {instant_literal(since)}"
        if or_day:
            told += f" or {or_day} ge {day_literal(since.astimezone(UTC).date())}"
        if or_instant:
            told += f" or {or_instant} ge {instant_literal(since)}"
        return f"({told})"

    return changed


def _dated(name: str) -> Callable[[date], str]:
    return lambda start: f"{name} ge {day_literal(start)}"


_PRESENT: Final = f"ValidityEndDate eq {day_literal(date.max)}"
RESOURCES: Final[Mapping[Entity, Resource]] = {
    Entity.PURCHASE_ORDER: Resource(
        service="API_PURCHASEORDER_PROCESS_SRV",
        path="A_PurchaseOrder",
        key="PurchaseOrder",
        order="PurchaseOrder",
        source_id=_key("PurchaseOrder"),
        id_filter=_equals("PurchaseOrder"),
        updated_at=_stamp("LastChangeDateTime", "CreationDate"),
        expand="to_PurchaseOrderItem/to_ScheduleLine,to_PurchaseOrderItem/to_AccountAssignment,to_PurchaseOrderNote",
        changed=_since("LastChangeDateTime"),
        period=_dated("PurchaseOrderDate"),
        dated_on=lambda body: read_day(body.get("PurchaseOrderDate")),
    ),
    Entity.WORK_ORDER: Resource(
        service="API_MAINTENANCEORDER",
        path="MaintenanceOrder",
        key="MaintenanceOrder",
        order="MaintenanceOrder",
        source_id=_key("MaintenanceOrder"),
        id_filter=_equals("MaintenanceOrder"),
        updated_at=_stamp("LastChangeDateTime", "MaintOrderCreationDateTime"),
        expand="to_MaintenanceOrderOperation",
        optional="to_MaintenanceOrderOperation/to_MaintOrderOpComponent_2",
        changed=_since("LastChangeDateTime", or_instant="MaintOrderCreationDateTime"),
        period=_dated("MaintOrdBasicStartDate"),
        dated_on=lambda body: read_day(body.get("MaintOrdBasicStartDate")),
    ),
    Entity.VENDOR: Resource(
        service="API_BUSINESS_PARTNER",
        path="A_BusinessPartner",
        key="BusinessPartner",
        order="BusinessPartner",
        source_id=_key("Supplier"),
        id_filter=_equals("Supplier"),
        updated_at=_partner_updated_at,
        expand="to_Supplier/to_SupplierPurchasingOrg,to_BusinessPartnerTax,"
        "to_BusinessPartnerAddress/to_EmailAddress,to_BusinessPartnerAddress/to_PhoneNumber",
        always="Supplier ne ''",
        changed=_partner_changed,
    ),
    Entity.ITEM: Resource(
        service="API_PRODUCT_SRV",
        path="A_Product",
        key="Product",
        order="Product",
        source_id=_key("Product"),
        id_filter=_equals("Product"),
        updated_at=_stamp("LastChangeDateTime", "CreationDate"),
        expand="to_Description",
        optional="to_Valuation",
        changed=_since("LastChangeDateTime", or_day="CreationDate"),
    ),
    Entity.INVENTORY_LEVEL: Resource(
        service="API_MATERIAL_STOCK_SRV",
        path="A_MatlStkInAcctMod",
        key="Material",
        order=",".join(STOCK_KEY),
        source_id=stock_id,
        id_filter=_stock_filter,
        updated_at=lambda _: None,
        page_size=500,
        is_key=lambda source_id: source_id.count("/") == len(STOCK_KEY) - 1,
        grouped=True,
    ),
    # Equipment has a row for each time that it stood elsewhere; the present one has no end.
    Entity.ASSET: Resource(
        service="API_EQUIPMENT",
        path="Equipment",
        key="Equipment",
        order="Equipment",
        source_id=_key("Equipment"),
        id_filter=lambda value: f"Equipment eq {text_literal(value)} and {_PRESENT}",
        updated_at=_stamp("LastChangeDateTime", "CreationDate"),
        always=_PRESENT,
        changed=_since("LastChangeDateTime", or_day="CreationDate"),
    ),
    # One that was never changed has no stamp, and when it was made is told nowhere: places are read whole.
    Entity.LOCATION: Resource(
        service="API_FUNCTIONALLOCATION",
        path="FunctionalLocation",
        key="FunctionalLocation",
        order="FunctionalLocation",
        source_id=_key("FunctionalLocation"),
        id_filter=_equals("FunctionalLocation"),
        updated_at=lambda body: read_instant(body.get("LastChangeDateTime")),
    ),
}

_WEEKLY: Final = timedelta(days=7)
FEEDS: Final = (
    # Lines are deleted by a flag, orders vanish when they are archived: nothing tells of it.
    Feed(
        Entity.PURCHASE_ORDER,
        "orders",
        overlap=5 * MINUTES,
        period_field="PurchaseOrderDate",
        cursor="LastChangeDateTime",
        tie_break="PurchaseOrder",
        scan_every=_WEEKLY,
    ),
    Feed(
        Entity.WORK_ORDER,
        "maintenance_orders",
        overlap=5 * MINUTES,
        period_field="MaintOrdBasicStartDate",
        cursor="LastChangeDateTime",
        tie_break="MaintenanceOrder",
        scan_every=_WEEKLY,
    ),
    # The partner's stamp is in the system's own time zone, which no service tells: a day covers all zones.
    Feed(
        Entity.VENDOR,
        "suppliers",
        overlap=timedelta(days=1),
        cursor="LastChangeDate",
        tie_break="BusinessPartner",
        scan_every=_WEEKLY,
    ),
    Feed(
        Entity.ITEM,
        "products",
        overlap=5 * MINUTES,
        cursor="LastChangeDateTime",
        tie_break="Product",
        scan_every=_WEEKLY,
    ),
    # Stock has no stamp: it is read whole each time, and with it what is no more.
    Feed(Entity.INVENTORY_LEVEL, "stock", overlap=timedelta(0), cursor=None, tie_break="Material"),
    Feed(
        Entity.ASSET,
        "equipment",
        overlap=5 * MINUTES,
        cursor="LastChangeDateTime",
        tie_break="Equipment",
        scan_every=_WEEKLY,
    ),
    Feed(
        Entity.LOCATION,
        "functional_locations",
        overlap=timedelta(0),
        cursor=None,
        tie_break="FunctionalLocation",
    ),
)
