"""Partners, products and maintenance."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.odoo.env import Env
from sandbox.odoo.errors import user_error, validation
from sandbox.odoo.store import Row

_EQUIPMENT: Final = "maintenance.equipment"
_REQUEST: Final = "maintenance.request"


def partner_defaults(_env: Env, _values: Row) -> Row:
    """Give what a new contact has."""
    return {"active": True, "is_company": False, "supplier_rank": 0, "customer_rank": 0, "type": "contact"}


def check_partner(_env: Env, row: Row, _number: int | None) -> Row:
    """Refuse a contact without a name."""
    if not row.get("name") and row.get("type", "contact") == "contact":
        raise validation("Contacts require a name")
    return row


def partner_may_go(env: Env, number: int) -> None:
    """Refuse to delete a contact that has orders."""
    orders = env.system.tables["purchase.order"]
    if any(orders[each]["partner_id"] == number for each in orders.ids()):
        raise user_error(
            "The operation cannot be completed: another model requires the record being deleted. If possible, archive"
            " it instead.\n\nModel: Purchase Order (purchase.order)\nConstraint: purchase_order_partner_id_fkey\n"
        )


def product_defaults(env: Env, values: Row) -> Row:
    """Give what a new product has."""
    given: Row = {
        "active": True,
        "uom_id": 1,
        "categ_id": 1,
        "standard_price": 0.0,
        "purchase_ok": True,
        "sale_ok": True,
        "tracking": "none",
    }
    if env.system.version >= 18:
        return given | {"type": "consu", "is_storable": False}
    kind = values.get("detailed_type") or "consu"
    return given | {"detailed_type": kind, "type": kind}


def check_product(env: Env, row: Row, number: int | None) -> Row:
    """Complete a product: its template is its only variant's."""
    linked = number or env.system.tables["product.product"].next_id
    more: Row = {"product_tmpl_id": linked}
    if env.system.version < 19:
        more["uom_po_id"] = row.get("uom_po_id") or row["uom_id"]
    if env.system.version < 18:
        more["type"] = row["detailed_type"]
    return row | more


def equipment_defaults(env: Env, _values: Row) -> Row:
    """Give what new equipment has."""
    return {"active": True, "effective_date": env.system.today().isoformat(), "maintenance_team_id": 1, "company_id": 1}


def check_equipment(env: Env, row: Row, number: int | None) -> Row:
    """Refuse a serial number that other equipment has."""
    table = env.system.tables[_EQUIPMENT]
    serial = row.get("serial_no")
    if serial and any(table[each].get("serial_no") == serial for each in table.ids() if each != number):
        raise validation("Another asset already exists with this serial number!")
    return row


def request_defaults(env: Env, _values: Row) -> Row:
    """Give what a new maintenance request has."""
    given: Row = {
        "request_date": env.system.today().isoformat(),
        "owner_user_id": env.user.uid,
        "stage_id": 1,
        "kanban_state": "normal",
        "archive": False,
        "maintenance_type": "corrective",
        "maintenance_team_id": 1,
        "company_id": 1,
        "duration": 0.0,
    }
    return given | ({"recurring_maintenance": False} if env.system.version >= 17 else {})


def check_request(env: Env, row: Row, number: int | None) -> Row:
    """Set the close date when a request comes into a stage that is done, and take it away when it leaves it."""
    requests = env.system.tables[_REQUEST]
    before = requests[number]["stage_id"] if number else None
    if row["stage_id"] == before:
        return row
    done = env.system.tables["maintenance.stage"][row["stage_id"]]["done"]
    equipment = env.system.tables[_EQUIPMENT].get(row.get("equipment_id") or 0) or {}
    return row | {
        "close_date": env.system.today().isoformat() if done else None,
        "kanban_state": "normal" if before else row["kanban_state"],
        "category_id": equipment.get("category_id"),
    }


def archive_request(env: Env, ids: list[int]) -> None:
    """Cancel requests; gives nothing at all."""
    env.allow(_REQUEST, "write")
    for number in env.existing(_REQUEST, ids):
        env.system.change(_REQUEST, number, {"archive": True}, stamp=env.now, uid=env.user.uid)


def reset_request(env: Env, ids: list[int]) -> None:
    """Take requests up again, in the first stage."""
    env.allow(_REQUEST, "write")
    for number in env.existing(_REQUEST, ids):
        again = {"archive": False, "stage_id": 1, "close_date": None}
        env.system.change(_REQUEST, number, again, stamp=env.now, uid=env.user.uid)


REQUEST_METHODS: Final[Mapping[str, Callable[..., Any]]] = {
    "archive_equipment_request": archive_request,
    "reset_equipment_request": reset_request,
}
