"""How much demo data to make, and the making of it."""

import random
from dataclasses import dataclass
from datetime import date

from sandbox.odoo.seed.maintenance import seed_maintenance
from sandbox.odoo.seed.masters import seed_masters, seed_partners, seed_products, seed_stock
from sandbox.odoo.seed.orders import LineBase, OrderBase
from sandbox.odoo.store import Table
from sandbox.odoo.system import OdooSystem


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of the demo data.

    Attributes:
        orders: Purchase orders, one eighth of them older than 90 days; made lazily, so that 100,000 start at once.
        suppliers: Vendors; of four or more, one is archived.
        materials: Products; of four or more, one is archived, and every sixth is a service.
        requests: Maintenance requests in all stages.
        rng_seed: Seed of all that is random.
        today: The day that dates count back from; None is the system's own date.
    """

    orders: int = 60
    suppliers: int = 12
    materials: int = 20
    requests: int = 15
    rng_seed: int = 1
    today: date | None = None


def seed(system: OdooSystem, plan: Plan) -> None:
    """Fill an empty system.

    Raises:
        ValueError: Orders without suppliers or materials are asked for.
    """
    if plan.orders and not (plan.suppliers and plan.materials):
        raise ValueError("orders need at least one supplier and one material")
    today = plan.today or system.today()
    rng = random.Random(plan.rng_seed)
    seed_masters(system, today)
    vendors = seed_partners(system, plan.suppliers, today)
    products = seed_products(system, plan.materials, vendors, today)
    seed_stock(system, products, rng, today)
    seed_maintenance(system, plan.requests, rng, today)
    if plan.orders:
        base = OrderBase(system, plan.orders, vendors, products, seed=plan.rng_seed, today=today)
        lines = LineBase(base)
        models = system.models
        system.tables["purchase.order"] = Table(models["purchase.order"], base)
        system.tables["purchase.order.line"] = Table(models["purchase.order.line"], lines, parent="order_id")
