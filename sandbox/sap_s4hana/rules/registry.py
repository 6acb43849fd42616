"""Which function creates, changes and deletes the rows of which set; sets that are not named here are read-only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.sap_s4hana.config import User
from sandbox.sap_s4hana.odata.bodies import Draft
from sandbox.sap_s4hana.rules import goods, maintenance, partners, purchase_items, purchase_orders
from sandbox.sap_s4hana.store import Row
from sandbox.sap_s4hana.system import S4System

Create = Callable[[S4System, Draft, User], Row]
Update = Callable[[S4System, Row, Draft, User], None]
Delete = Callable[[S4System, Row, User], None]


@dataclass(frozen=True, slots=True)
class SetRules:
    """What can be done with the rows of a set; None is what the service does not offer."""

    create: Create | None = None
    update: Update | None = None
    delete: Delete | None = None


RULES: Mapping[str, SetRules] = {
    "A_PurchaseOrder": SetRules(
        purchase_orders.create_order, purchase_orders.update_order, purchase_orders.delete_order
    ),
    "A_PurchaseOrderItem": SetRules(purchase_items.create_item, purchase_items.update_item, purchase_items.delete_item),
    "A_PurchaseOrderScheduleLine": SetRules(
        purchase_items.create_line, purchase_items.update_line, purchase_items.delete_line
    ),
    "A_PurOrdAccountAssignment": SetRules(
        purchase_items.create_account, purchase_orders.update_plain, purchase_items.delete_account
    ),
    "A_PurchaseOrderNote": SetRules(
        purchase_orders.create_note, purchase_orders.update_plain, purchase_orders.delete_plain
    ),
    "A_PurchaseOrderItemNote": SetRules(
        purchase_orders.create_note, purchase_orders.update_plain, purchase_orders.delete_plain
    ),
    "A_BusinessPartner": SetRules(partners.create_partner, partners.update_partner),
    "A_BusinessPartnerRole": SetRules(partners.create_role, purchase_orders.update_plain),
    "A_BusinessPartnerAddress": SetRules(
        partners.create_address, partners.update_address, purchase_orders.delete_plain
    ),
    "A_AddressEmailAddress": SetRules(
        partners.create_contact, purchase_orders.update_plain, purchase_orders.delete_plain
    ),
    "A_AddressPhoneNumber": SetRules(
        partners.create_contact, purchase_orders.update_plain, purchase_orders.delete_plain
    ),
    "A_BusinessPartnerTaxNumber": SetRules(
        partners.create_tax_number, purchase_orders.update_plain, purchase_orders.delete_plain
    ),
    "A_Supplier": SetRules(update=purchase_orders.update_plain),
    "A_SupplierCompany": SetRules(partners.create_segment, partners.update_segment),
    "A_SupplierPurchasingOrg": SetRules(partners.create_segment, partners.update_segment),
    "A_MaterialDocumentHeader": SetRules(goods.create_document),
    "MaintenanceOrder": SetRules(maintenance.create_order, maintenance.update_order),
    "MaintenanceOrderOperation": SetRules(maintenance.create_operation, maintenance.update_operation),
}
