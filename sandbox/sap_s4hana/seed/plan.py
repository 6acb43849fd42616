"""How much demo data to make, and the making of it."""

import random
from dataclasses import dataclass
from datetime import date

from sandbox.sap_s4hana.seed.maintenance import seed_maintenance
from sandbox.sap_s4hana.seed.masters import seed_products, seed_stock, seed_suppliers
from sandbox.sap_s4hana.seed.orders import seed_orders
from sandbox.sap_s4hana.seed.plant import seed_plant
from sandbox.sap_s4hana.system import S4System


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of the demo data.

    Attributes:
        orders: Purchase orders, one eighth of them older than 90 days.
        suppliers: At least one; of four or more, one is blocked and one flagged for deletion.
        materials: Products, each in two or more plants.
        stocked: How many of the products have stock; None is all.
        maintenance_orders: Maintenance orders in all statuses.
        rng_seed: Seed of the random numbers.
        today: The day that dates count back from; None is the system's own date.
    """

    orders: int = 60
    suppliers: int = 12
    materials: int = 20
    stocked: int | None = None
    maintenance_orders: int = 15
    rng_seed: int = 1
    today: date | None = None


def seed(system: S4System, plan: Plan) -> None:
    """Fill an empty system.

    Raises:
        ValueError: Orders without suppliers or materials are asked for.
    """
    if plan.orders and not (plan.suppliers and plan.materials):
        raise ValueError("orders need at least one supplier and one material")
    rng, today = random.Random(plan.rng_seed), plan.today or system.today()
    seed_suppliers(system, plan.suppliers, today)
    seed_products(system, plan.materials, today)
    seed_stock(system, plan.materials if plan.stocked is None else plan.stocked, rng)
    seed_orders(system, plan.orders, rng, today)
    seed_plant(system, today)
    seed_maintenance(system, plan.maintenance_orders, rng, today)
