"""How much demo data there is."""

from dataclasses import dataclass
from datetime import date

from sandbox.netsuite.seed.masters import seed_customizing, seed_items, seed_stock, seed_vendors
from sandbox.netsuite.seed.orders import seed_orders
from sandbox.netsuite.system import NetSuite


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of the demo data.

    Attributes:
        lines: Most lines of an order; from 1 up.
        today: Day that dates count back from; None is the account's own.
        old_each: Every so many orders is older than 90 days; 0 for none.
    """

    orders: int = 60
    vendors: int = 12
    items: int = 20
    lines: int = 5
    rng_seed: int = 1
    old_each: int = 8
    today: date | None = None


def seed(system: NetSuite, plan: Plan) -> None:
    """Fill an empty account."""
    today = plan.today or system.today()
    seed_customizing(system)
    seed_vendors(system, plan.vendors, today)
    seed_items(system, plan.items, today)
    seed_stock(system, plan.items, plan.rng_seed)
    if plan.orders:
        seed_orders(system, plan.orders, lines=plan.lines, rng_seed=plan.rng_seed, old_each=plan.old_each, today=today)
