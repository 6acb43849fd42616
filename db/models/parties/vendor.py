"""Vendor: who an organization buys from."""

from typing import ClassVar

from sqlalchemy import Boolean, Index, UniqueConstraint

from db.models import columns as c
from db.models.base import (
    BY_CONNECTION,
    EntityRow,
    Fields,
    Many,
    One,
    Relation,
    Value,
    by_organization,
    made_by,
)
from db.models.summary import Summary


class Address(Value):
    """A postal address as the source holds it."""

    name: str | None = c.text("Addressee.")
    lines: list[str] = c.texts("Street lines, outermost last.")
    city: str | None = c.text("City.")
    region: str | None = c.text("State, province or region.")
    postal_code: str | None = c.text("Postal code.")
    country: str | None = c.text("Country, ISO 3166-1 alpha-2 where the source has it.")
    site_code: str | None = c.text("The source's code of the site, plant or warehouse.")


class PaymentTerms(Value):
    """When an invoice is due, as the source names it."""

    code: str | None = c.text("The source's code.")
    text: str | None = c.text("Its description.")


class VendorFields(Fields):
    """A vendor (supplier) as every system's vendors are told."""

    number: str | None = c.text("The number or code people know the vendor by.", filterable=True)
    name: str = c.text("Its name.", default=c.REQUIRED, filterable=True)
    tax_id: str | None = c.text("Tax identifier.")
    email: str | None = c.text("E-mail address for orders.")
    phone: str | None = c.text("Telephone number.")
    addresses: list[Address] = c.document("Postal addresses, the main one first.", default_factory=list)
    currency: str | None = c.text("Currency of its orders, ISO 4217.", max_length=3)
    payment_terms: PaymentTerms | None = c.document("Payment terms agreed with it.")
    active: bool = c.column("False once the source retires it.", sa_type=Boolean, default=True)
    blocked_for_purchasing: bool = c.column("True while the source refuses new orders.", sa_type=Boolean, default=False)


class Vendor(VendorFields, EntityRow, table=True):
    """Stored vendors."""

    __tablename__ = "vendor"
    __table_args__ = (
        UniqueConstraint("connection_id", "source_id"),
        *made_by("vendor"),
        Index("vendor_number", "connection_id", "number", "id"),
        Index("vendor_name", "connection_id", "name", "id"),
        Index("vendor_source_updated_at", "connection_id", "source_updated_at", "id"),
        Index("vendor_synced_at", "connection_id", "synced_at", "id"),
        by_organization("vendor"),
    )
    relations: ClassVar[dict[str, Relation]] = {
        "connection": One("ConnectedSystem", BY_CONNECTION),
        "purchase_orders": Many(
            "PurchaseOrder", {"connection_id": "connection_id", "vendor_source_id": "source_id"}, paged=True
        ),
    }
    summary: ClassVar[Summary] = Summary(by=("connection", "currency", "active", "blocked_for_purchasing"))
