"""What is read from NetSuite: SuiteQL's tables, columns, keys and filters, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from connectors.base import Feed
from connectors.netsuite.zone import FORMAT
from db.types import Entity

_WEEK: Final = timedelta(days=7)
_OVERLAP: Final = timedelta(minutes=10)
DAY: Final = "YYYY-MM-DD"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a query.

    Attributes:
        name: How its value is named in the item.
        sql: What is selected.
        optional: An account may lack it, by its features: it is left out from then on.
    """

    name: str
    sql: str
    optional: bool = True

    @property
    def selected(self) -> str:
        """How it stands in a query."""
        return self.sql if self.sql == self.name else f"{self.sql} AS {self.name}"

    @property
    def field(self) -> str:
        """The table's own field that it reads."""
        return self.sql.partition("(")[2].split(",")[0].rstrip(")") if "(" in self.sql else self.sql


@dataclass(frozen=True, slots=True)
class Table:
    """How one entity is queried.

    Attributes:
        name: SuiteQL's table.
        record: The record type that writes go to, and that the account's custom fields are told of.
        key: The column that pages are keyed on: a whole number that never changes.
        always: A condition on every query.
        changed: The column that tells when a row changed, in the account's time.
        period: The date that the historical period goes by.
        custom: How names of custom fields begin; "" where none are read.
        grouped: Several rows share a key: a page ends where it changes.
    """

    name: str
    record: str
    columns: tuple[Column, ...]
    key: str = "id"
    always: str = ""
    changed: str = ""
    period: str = ""
    custom: str = ""
    grouped: bool = False

    def where(self, *conditions: str) -> str:
        """Join conditions, its own before them."""
        told = [each for each in (self.always, *conditions) if each]
        return f" WHERE {' AND '.join(told)}" if told else ""


def _plain(*names: str, optional: bool = True) -> tuple[Column, ...]:
    return tuple(Column(name, name, optional) for name in names)


def _named(*names: str) -> tuple[Column, ...]:
    """Give the text of references beside their ids."""
    return tuple(Column(f"{name}_name", f"BUILTIN.DF({name})") for name in names)


def _days(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, f"TO_CHAR({name}, '{DAY}')") for name in names)


def _stamps(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, f"TO_CHAR({name}, '{FORMAT}')") for name in names)


ORDERS: Final = Table(
    "transaction",
    "purchaseOrder",
    (
        *_plain("id", "tranid", "status", "entity", optional=False),
        *_stamps("lastmodifieddate", "createddate"),
        *_days("trandate", "duedate"),
        *_plain("currency", "exchangerate", "foreigntotal", "otherrefnum", "memo", "externalid"),
        *_plain("terms", "employee", "approvalstatus", "shippingaddress", "billingaddress"),
        *_named("status", "entity", "terms", "employee", "incoterm"),
    ),
    always="type = 'PurchOrd'",
    changed="lastmodifieddate",
    period="trandate",
    custom="custbody",
)
LINES: Final = Table(
    "transactionline",
    "purchaseOrder",
    (
        *_plain("transaction", "id", "item", "quantity", optional=False),
        *_plain("linesequencenumber", "itemtype", "memo", "units", "rate", "foreignamount", "isclosed"),
        *_plain("quantityshiprecv", "quantitybilled", "location", "department", "class", "vendorname"),
        *_named("item", "units", "location"),
        *_days("expectedreceiptdate"),
    ),
    key="transaction",
    always="mainline = 'F' AND taxline = 'F'",
    custom="custcol",
)
VENDORS: Final = Table(
    "vendor",
    "vendor",
    (
        *_plain("id", "entityid", optional=False),
        *_plain("companyname", "legalname", "email", "phone", "currency", "terms", "isinactive", "subsidiary"),
        *_plain("externalid", "firstname", "lastname", "isperson", "vatregnumber", "taxidnum"),
        *_named("terms"),
        *_stamps("lastmodifieddate"),
    ),
    changed="lastmodifieddate",
)
ITEMS: Final = Table(
    "item",
    "inventoryItem",
    (
        *_plain("id", "itemid", "itemtype", optional=False),
        *_plain("displayname", "description", "purchasedescription", "isinactive", "upccode", "class", "cost"),
        *_plain("averagecost", "stockunit", "purchaseunit", "externalid"),
        *_named("stockunit", "purchaseunit", "class"),
        *_stamps("lastmodifieddate"),
    ),
    changed="lastmodifieddate",
    custom="custitem",
)
LOCATIONS: Final = Table(
    "location",
    "location",
    (
        *_plain("id", "name", optional=False),
        *_plain("fullname", "parent", "isinactive", "subsidiary", "locationtype", "mainaddress", "externalid"),
        *_named("subsidiary", "locationtype"),
    ),
)
LEVELS: Final = Table(
    "inventoryitemlocations",
    "inventoryAdjustment",
    (
        *_plain("item", "location", optional=False),
        *_plain("quantityonhand", "quantityavailable", "quantitycommitted", "quantityonorder"),
        *_named("item", "location"),
    ),
    key="item",
    grouped=True,
)
STOCK_UNITS: Final = Table("item", "inventoryItem", (*_plain("id", optional=False), *_named("stockunit")))
"""The units that stock is counted in."""
_ADDRESS: Final = _plain("addressee", "addr1", "addr2", "city", "state", "zip", "country")
ADDRESSES: Final[Mapping[str, Mapping[str, Table]]] = {
    owner: {
        column: Table(f"{owner}{column}", record, (*_plain("nkey", optional=False), *_ADDRESS), key="nkey")
        for column in columns
    }
    for owner, record, columns in (
        ("transaction", "purchaseOrder", ("shippingaddress", "billingaddress")),
        ("location", "location", ("mainaddress",)),
    )
}
"""A table and its column → the table of what it points to."""
ADDRESS_BOOK: Final = Table(
    "vendoraddressbook JOIN vendoraddressbookentityaddress"
    " ON vendoraddressbookentityaddress.nkey = vendoraddressbook.addressbookaddress",
    "vendor",
    (*_plain("entity", "internalid", optional=False), *_plain("defaultbilling"), *_ADDRESS),
    key="entity",
)
"""A vendor's addresses."""
LEVELS_ELSEWHERE: Final = "aggregateitemlocation"
"""Where releases keep stock by location that lack the table above; its columns are the same."""

TABLES: Final[Mapping[Entity, Table]] = {
    Entity.PURCHASE_ORDER: ORDERS,
    Entity.VENDOR: VENDORS,
    Entity.ITEM: ITEMS,
    Entity.LOCATION: LOCATIONS,
    Entity.INVENTORY_LEVEL: LEVELS,
}
DELETED: Final = "deleted"
"""The feed of orders that were deleted; what it tells is looked up."""

FEEDS: Final = (
    Feed(
        Entity.PURCHASE_ORDER,
        "orders",
        _OVERLAP,
        period_field="trandate",
        cursor="lastmodifieddate",
        tie_break="id",
        scan_every=_WEEK,
    ),
    Feed(Entity.PURCHASE_ORDER, DELETED, _OVERLAP, full=False, cursor="deleteddate", tie_break="recordid"),
    Feed(Entity.VENDOR, "vendors", _OVERLAP, cursor="lastmodifieddate", tie_break="id", scan_every=_WEEK),
    Feed(Entity.ITEM, "items", _OVERLAP, cursor="lastmodifieddate", tie_break="id", scan_every=_WEEK),
    Feed(Entity.LOCATION, "locations", timedelta(0), cursor=None, tie_break="id"),
    Feed(Entity.INVENTORY_LEVEL, "levels", timedelta(0), cursor=None, tie_break="item"),
)


def changed_since(table: Table, local: str) -> str:
    """Give the condition for changes at or after a local time."""
    return f"{table.changed} >= TO_TIMESTAMP('{local}', '{FORMAT}')"


def dated_since(table: Table, day: date) -> str:
    """Give the condition for documents dated at or after a day."""
    return f"{table.period} >= TO_DATE('{day.isoformat()}', '{DAY}')"
