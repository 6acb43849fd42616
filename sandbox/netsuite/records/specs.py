"""Which fields the record service shows, in its names, and where they are stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["id", "text", "integer", "number", "flag", "date", "stamp", "ref", "status", "approval"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field.

    Attributes:
        name: In the record service.
        column: In the table.
        to: Table that a reference leads to.
        writable: Whether a body may set it.
    """

    name: str
    column: str
    kind: Kind = "text"
    to: str = ""
    writable: bool = True


@dataclass(frozen=True, slots=True)
class Spec:
    """A type of record.

    Attributes:
        where: Condition that tells its rows from others of the table.
        entity: What permissions and fault scripts call it.
        writable: Which of POST, PATCH, DELETE it takes.
        sublists: Names of its sublists.
        key: Column of its internal id.
    """

    name: str
    table: str
    entity: str
    fields: tuple[Field, ...]
    where: str = "1 = 1"
    writable: frozenset[str] = frozenset()
    sublists: tuple[str, ...] = ()
    key: str = "id"
    by_name: Mapping[str, Field] = field(init=False)

    def __post_init__(self) -> None:
        """Index the fields."""
        object.__setattr__(self, "by_name", {each.name: each for each in self.fields})


def _text(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, name.lower()) for name in names)


def _ref(name: str, to: str, column: str = "") -> Field:
    return Field(name, column or name.lower(), "ref", to)


_ID: Final = Field("id", "id", "id", writable=False)
_MODIFIED: Final = Field("lastModifiedDate", "_modified", "stamp", writable=False)
_INACTIVE: Final = Field("isInactive", "isinactive", "flag")
LINE: Final = (
    Field("line", "id", "integer", writable=False),
    _ref("item", "item"),
    Field("description", "memo"),
    Field("quantity", "quantity", "number"),
    Field("quantityReceived", "quantityshiprecv", "number", writable=False),
    Field("quantityBilled", "quantitybilled", "number", writable=False),
    Field("units", "units", "text"),
    Field("rate", "rate", "number"),
    Field("amount", "foreignamount", "number"),
    Field("expectedReceiptDate", "expectedreceiptdate", "date"),
    Field("isClosed", "isclosed", "flag"),
    Field("vendorName", "vendorname"),
    _ref("location", "location"),
    Field("custcol_grade", "custcol_grade"),
    Field("custcol_weight", "custcol_weight", "number"),
)
ADDRESS: Final = (
    *_text("addressee", "attention", "addr1", "addr2", "city", "state", "zip"),
    Field("addrPhone", "addrphone"),
    Field("country", "country", "ref"),
)
PURCHASE_ORDER: Final = Spec(
    "purchaseOrder",
    "transaction",
    "purchaseOrder",
    (
        _ID,
        *_text("tranId", "memo", "externalId", "otherRefNum"),
        Field("tranDate", "trandate", "date"),
        Field("dueDate", "duedate", "date"),
        Field("shipDate", "shipdate", "date"),
        _ref("entity", "vendor"),
        _ref("currency", "currency"),
        _ref("terms", "term"),
        _ref("subsidiary", "subsidiary", "_subsidiary"),
        _ref("location", "location", "_location"),
        _ref("employee", "employee"),
        Field("exchangeRate", "exchangerate", "number"),
        Field("status", "status", "status", writable=False),
        Field("orderStatus", "status", "status", writable=False),
        Field("approvalStatus", "approvalstatus", "approval"),
        Field("total", "foreigntotal", "number", writable=False),
        Field("subtotal", "foreigntotal", "number", writable=False),
        Field("createdDate", "createddate", "stamp", writable=False),
        _MODIFIED,
        Field("custbody_project_code", "custbody_project_code"),
        Field("custbody_confirmed", "custbody_confirmed", "flag"),
        Field("custbody_need_by", "custbody_need_by", "date"),
    ),
    "type = 'PurchOrd'",
    frozenset({"POST", "PATCH", "DELETE"}),
    ("item",),
)
VENDOR: Final = Spec(
    "vendor",
    "vendor",
    "vendor",
    (
        _ID,
        *_text("entityId", "companyName", "legalName", "firstName", "lastName", "email", "phone", "fax", "url"),
        *_text("comments", "externalId", "vatRegNumber", "accountNumber"),
        Field("taxIdNum", "taxidnum"),
        Field("isPerson", "isperson", "flag"),
        _INACTIVE,
        _ref("currency", "currency"),
        _ref("terms", "term"),
        _ref("subsidiary", "subsidiary"),
        Field("balance", "balance", "number", writable=False),
        Field("dateCreated", "datecreated", "stamp", writable=False),
        _MODIFIED,
        Field("custentity_rating", "custentity_rating"),
    ),
    writable=frozenset({"POST", "PATCH", "DELETE"}),
    sublists=("addressBook",),
)
_ITEM_FIELDS: Final = (
    _ID,
    *_text("itemId", "displayName", "purchaseDescription", "externalId", "upcCode", "vendorName"),
    Field("description", "description", writable=False),
    _INACTIVE,
    _ref("unitsType", "unitstype"),
    Field("stockUnit", "stockunit", "ref", "unitstypeuom"),
    Field("purchaseUnit", "purchaseunit", "ref", "unitstypeuom"),
    Field("cost", "cost", "number"),
    Field("averageCost", "averagecost", "number", writable=False),
    Field("createdDate", "createddate", "stamp", writable=False),
    _MODIFIED,
    Field("custitem_material", "custitem_material"),
)


def _item(name: str, kind: str) -> Spec:
    return Spec(name, "item", "item", _ITEM_FIELDS, f"itemtype = '{kind}'")


LOCATION: Final = Spec(
    "location",
    "location",
    "location",
    (
        _ID,
        *_text("name", "externalId"),
        _INACTIVE,
        _ref("subsidiary", "subsidiary"),
        _ref("parent", "location"),
        Field("makeInventoryAvailable", "makeinventoryavailable", "flag"),
        _MODIFIED,
    ),
)
INVENTORY_ADJUSTMENT: Final = Spec(
    "inventoryAdjustment",
    "transaction",
    "inventory",
    (
        _ID,
        *_text("tranId", "memo", "externalId"),
        Field("tranDate", "trandate", "date"),
        _ref("subsidiary", "subsidiary", "_subsidiary"),
        _ref("account", "account", "_account"),
        _ref("adjLocation", "location", "_location"),
        Field("createdDate", "createddate", "stamp", writable=False),
        _MODIFIED,
    ),
    "type = 'InvAdjst'",
    frozenset({"POST"}),
    ("inventory",),
)
ITEM_RECEIPT: Final = Spec(
    "itemReceipt", "transaction", "purchaseOrder", PURCHASE_ORDER.fields[:5], "type = 'ItemRcpt'"
)
VENDOR_BILL: Final = Spec("vendorBill", "transaction", "purchaseOrder", PURCHASE_ORDER.fields[:5], "type = 'VendBill'")
SPECS: Final[Mapping[str, Spec]] = {
    spec.name.lower(): spec
    for spec in (
        PURCHASE_ORDER,
        VENDOR,
        _item("inventoryItem", "InvtPart"),
        _item("nonInventoryPurchaseItem", "NonInvtPart"),
        _item("servicePurchaseItem", "Service"),
        LOCATION,
        INVENTORY_ADJUSTMENT,
        ITEM_RECEIPT,
        VENDOR_BILL,
        Spec("subsidiary", "subsidiary", "subsidiary", (_ID, *_text("name"), _ref("currency", "currency"), _INACTIVE)),
        Spec("currency", "currency", "currency", (_ID, *_text("name", "symbol"), _INACTIVE)),
        Spec("term", "term", "term", (_ID, *_text("name"), Field("daysUntilNetDue", "daysuntilnetdue", "integer"))),
        Spec("account", "account", "account", (_ID, *_text("acctNumber", "acctType"), _INACTIVE)),
        Spec("employee", "employee", "employee", (_ID, *_text("entityId", "email"), _INACTIVE)),
    )
}
RECORD_OF: Final = {
    "vendor": "vendor",
    "currency": "currency",
    "term": "term",
    "subsidiary": "subsidiary",
    "location": "location",
    "item": "inventoryItem",
    "employee": "employee",
    "account": "account",
    "unitstype": "unitsType",
    "unitstypeuom": "unitsType",
}
"""Type of record that a reference to a table leads to."""
