"""Purchase order: what an organization buys from a vendor, with its lines."""

from datetime import date
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from db.models import columns as c
from db.models.base import (
    BY_CONNECTION,
    ConnectionRow,
    EntityRow,
    Fields,
    Many,
    One,
    Relation,
    Value,
    by_organization,
    made_by,
    one_of,
)
from db.models.parties.vendor import Address, PaymentTerms
from db.models.summary import Summary
from db.types import Exact


class PurchaseOrderStatus(StrEnum):
    """Where an order is on its way; receipt, billing and approval are told apart from it."""

    DRAFT = "DRAFT"
    """Being written."""
    PENDING_APPROVAL = "PENDING_APPROVAL"
    """Somebody has to approve it."""
    REJECTED = "REJECTED"
    """It was not approved."""
    APPROVED = "APPROVED"
    """It may be sent to the vendor."""
    SENT = "SENT"
    """The vendor has it."""
    PARTIALLY_RECEIVED = "PARTIALLY_RECEIVED"
    """A part of it has arrived."""
    RECEIVED = "RECEIVED"
    """All of it has arrived."""
    CLOSED = "CLOSED"
    """Nothing more is expected."""
    CANCELLED = "CANCELLED"
    """It has no effect any more."""
    ON_HOLD = "ON_HOLD"
    """It rests."""
    UNKNOWN = "UNKNOWN"
    """The source's own word is not known here."""


class ApprovalState(StrEnum):
    """Whether somebody had to approve, and did."""

    NOT_REQUIRED = "NOT_REQUIRED"
    """Nobody has to."""
    PENDING = "PENDING"
    """Somebody still has to."""
    APPROVED = "APPROVED"
    """It was approved."""
    REJECTED = "REJECTED"
    """It was refused."""
    UNKNOWN = "UNKNOWN"
    """The source does not say."""


class Progress(StrEnum):
    """How much of an order was received or billed."""

    NONE = "NONE"
    """Nothing yet."""
    PARTIAL = "PARTIAL"
    """A part."""
    FULL = "FULL"
    """All of it."""
    UNKNOWN = "UNKNOWN"
    """The source does not say."""


class LineKind(StrEnum):
    """What a line orders."""

    ITEM = "ITEM"
    """A material or product."""
    SERVICE = "SERVICE"
    """Work that somebody does."""
    COMMENT = "COMMENT"
    """Text; nothing is ordered."""
    CHARGE = "CHARGE"
    """A fee, freight or duty."""
    ACCOUNT = "ACCOUNT"
    """An amount on an account, without an item."""
    ASSET = "ASSET"
    """Something that becomes an asset."""


class LineStatus(StrEnum):
    """Where one line is on its way."""

    OPEN = "OPEN"
    """Nothing of it has arrived."""
    PARTIALLY_RECEIVED = "PARTIALLY_RECEIVED"
    """A part of it has arrived."""
    RECEIVED = "RECEIVED"
    """All of it has arrived."""
    CLOSED = "CLOSED"
    """Nothing more is expected."""
    CANCELLED = "CANCELLED"
    """It has no effect any more."""
    BLOCKED = "BLOCKED"
    """It may not be received or billed."""
    UNKNOWN = "UNKNOWN"
    """The source's own word is not known here."""


class PurchaseOrderTransition(StrEnum):
    """A step that an order is to take; which ones a system knows, its capabilities tell."""

    SUBMIT = "SUBMIT"
    """Hand it in for approval."""
    APPROVE = "APPROVE"
    """Approve it."""
    REJECT = "REJECT"
    """Refuse it."""
    CLOSE = "CLOSE"
    """Expect nothing more of it."""


class DeliverySchedule(Value):
    """One dated part of a line's quantity."""

    number: str | None = c.text("The source's number of the schedule line.")
    required_date: date | None = c.day("When the buyer wants it.")
    quantity: Exact | None = c.number("How much, in the line's unit.")
    promised_date: date | None = c.day("When the vendor promised it.")
    received_quantity: Exact | None = c.number("How much came, in the line's unit.")


class PurchaseOrderLineFields(Fields):
    """One line of a purchase order."""

    source_line_id: str = c.text("The source's own key of the line.", default=c.REQUIRED)
    line_number: str = c.text("The number people know the line by.", default=c.REQUIRED)
    kind: LineKind = c.choice("What the line orders.", default=LineKind.ITEM)
    item_source_id: str | None = c.text("The source's key of the item.", public=False)
    item_code: str | None = c.text("Code of the item, material or product.", filterable=True)
    vendor_item_code: str | None = c.text("The vendor's own code of it.")
    description: str | None = c.text("What the line says it is.", max_length=10_000)
    quantity: Exact | None = c.number("How much is ordered.", unit="unit")
    unit: str | None = c.text("Unit of measure: UN/ECE Rec 20 where the connection maps it, else the source's own.")
    native_unit: str | None = c.text("The source's own unit of measure.")
    unit_price: Exact | None = c.number("Price of one price unit.", unit="the order's currency")
    price_unit: str | None = c.text("The unit that the price is for.")
    source_price: Exact | None = c.number("The price as the source holds it, for `priceBase` price units.")
    price_base: Exact | None = c.number("How many price units the source's price is for.")
    discount_percent: Exact | None = c.number("Discount on the price.", unit="percent")
    net_amount: Exact | None = c.number("Amount before tax.", unit="the order's currency")
    tax_code: str | None = c.text("The source's tax code.")
    status: LineStatus = c.choice("Where the line is on its way.", default=LineStatus.UNKNOWN)
    received_quantity: Exact | None = c.number("How much came.", unit="unit")
    billed_quantity: Exact | None = c.number("How much was billed.", unit="unit")
    required_date: date | None = c.day("When the buyer asked for it.")
    delivery_date: date | None = c.day("When the vendor promised it.")
    schedules: list[DeliverySchedule] = c.document(
        "The quantity by date, where the source splits it.", default_factory=list
    )
    ship_to: Address | None = c.document("Where the line goes, when not where the order goes.")
    location: str | None = c.text("The source's code of the store or plant that receives it.")
    account_assignment: dict[str, Any] | None = c.document(
        "Cost centre, project and the like, as the source names them."
    )
    custom_fields: dict[str, Any] = c.document("Fields beyond the model.", default_factory=dict)


class PurchaseOrderFields(Fields):
    """A purchase order as every system's orders are told."""

    order_number: str | None = c.text(
        "The number people know the order by; null while the source has not given one (drafts).", filterable=True
    )
    revision: str | None = c.text("Revision of the order.")
    status: PurchaseOrderStatus = c.choice("Where the order is on its way.", filterable=True)
    native_status: str | None = c.text("The source's own status, word for word.", filterable=True)
    approval: ApprovalState = c.choice("Whether it is approved.", default=ApprovalState.UNKNOWN)
    receipt: Progress = c.choice("How much of it came.", default=Progress.UNKNOWN)
    billing: Progress = c.choice("How much of it was billed.", default=Progress.UNKNOWN)
    vendor_source_id: str | None = c.text("The source's key of the vendor.", public=False)
    vendor_reference: str | None = c.text("The vendor's own number of the order or quotation.", filterable=True)
    buyer: str | None = c.text("Who buys, as the source names them.")
    company: str | None = c.text("The source's code of the buying company.")
    currency: str | None = c.text("Currency of all amounts, ISO 4217.", max_length=3, filterable=True)
    order_date: date | None = c.day("Date of the order.", filterable=True)
    required_date: date | None = c.day("When the buyer asked for it: the earliest of the lines.", filterable=True)
    delivery_date: date | None = c.day("When the vendor promised it.")
    payment_terms: PaymentTerms | None = c.document("When invoices are due.")
    incoterms: str | None = c.text("Delivery terms, e.g. `FCA Hamburg`.")
    ship_to: Address | None = c.document("Where the goods go.")
    bill_to: Address | None = c.document("Where the invoice goes.")
    total_net: Exact | None = c.number("Sum before tax.", unit="currency", filterable=True)
    total_tax: Exact | None = c.number("Tax.", unit="currency")
    total_gross: Exact | None = c.number("Sum with tax.", unit="currency")
    notes: str | None = c.text("Free text for the vendor.", max_length=100_000)
    custom_fields: dict[str, Any] = c.document("Fields beyond the model.", default_factory=dict)


class PurchaseOrderRecord(PurchaseOrderFields):
    """A whole order: what a connector produces and a sync stores."""

    lines: list[PurchaseOrderLineFields] = Field(default_factory=list, description="The lines, in the source's order.")


class PurchaseOrder(PurchaseOrderFields, EntityRow, table=True):
    """Stored purchase orders."""

    __tablename__ = "purchase_order"
    __table_args__ = (
        UniqueConstraint("connection_id", "source_id"),
        *made_by("purchase_order"),
        one_of("status", PurchaseOrderStatus),
        one_of("approval", ApprovalState),
        one_of("receipt", Progress),
        one_of("billing", Progress),
        Index("purchase_order_order_number", "connection_id", "order_number", "id"),
        Index("purchase_order_status", "connection_id", "status", "id"),
        Index("purchase_order_vendor", "connection_id", "vendor_source_id", "id"),
        Index("purchase_order_native_status", "connection_id", "native_status", "id"),
        Index("purchase_order_vendor_reference", "connection_id", "vendor_reference", "id"),
        Index("purchase_order_currency", "connection_id", "currency", "id"),
        Index("purchase_order_required_date", "connection_id", "required_date", "id"),
        Index("purchase_order_order_date", "connection_id", "order_date", "id"),
        Index("purchase_order_total_net", "connection_id", "total_net_ordinal", "id"),
        Index("purchase_order_source_updated_at", "connection_id", "source_updated_at", "id"),
        Index("purchase_order_synced_at", "connection_id", "synced_at", "id"),
        by_organization("purchase_order"),
    )
    relations: ClassVar[dict[str, Relation]] = {
        "connection": One("ConnectedSystem", BY_CONNECTION),
        "vendor": One("Vendor", {"connection_id": "connection_id", "source_id": "vendor_source_id"}, filterable=True),
        "lines": Many(
            "PurchaseOrderLine",
            {"connection_id": "connection_id", "purchase_order_id": "id"},
            order=("position",),
        ),
    }
    summary: ClassVar[Summary] = Summary(
        by=("connection", "status", "approval", "receipt", "billing", "vendor", "currency", "company", "buyer"),
        months={"month": "order_date"},
        sums=("total_net", "total_tax", "total_gross"),
        per="currency",
    )

    total_net_ordinal: int | None = c.ordinal("total_net")


class PurchaseOrderLine(PurchaseOrderLineFields, ConnectionRow, table=True):
    """Stored lines, in the order of the source."""

    __tablename__ = "purchase_order_line"
    __table_args__ = (
        one_of("kind", LineKind),
        one_of("status", LineStatus),
        Index("purchase_order_line_item_code", "connection_id", "item_code"),
    )
    relations: ClassVar[dict[str, Relation]] = {
        "item": One("Item", {"connection_id": "connection_id", "source_id": "item_source_id"}),
    }

    purchase_order_id: UUID = c.uuid("The order it belongs to.", primary_key=True, public=False)
    position: int = c.integer("Place in the order, from 0.", primary_key=True, public=False)
