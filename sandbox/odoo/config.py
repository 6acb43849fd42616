"""What can be set when the simulated Odoo starts: version, users, and behaviour that differs by installation."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MAINTENANCE = frozenset({
    "maintenance.request", "maintenance.equipment", "maintenance.stage", "maintenance.team",
    "maintenance.equipment.category",
})  # fmt: skip
PURCHASING = frozenset({"purchase.order", "purchase.order.line"})


@dataclass(frozen=True, slots=True)
class User:
    """A user with a password and an API key.

    Attributes:
        denied: Models that none of the user's groups may read.
        read_only: No group lets the user change anything.
        stock_manager: May set what is on hand.
    """

    uid: int
    login: str
    password: str
    key: str
    name: str
    denied: frozenset[str] = frozenset()
    read_only: bool = False
    stock_manager: bool = True


# Demonstration accounts of a simulator that listens on loopback only: they open nothing anywhere.
DEMO_USERS: tuple[User, ...] = (
    User(2, "admin", "admin", "5a0d" * 10, "Administrator"),
    User(6, "buyer", "Sandbox-Buy-1", "b1e7" * 10, "Ben Buyer", denied=MAINTENANCE, stock_manager=False),
    User(7, "reader", "Sandbox-Read-1", "7ead" * 10, "Rita Reader", read_only=True, stock_manager=False),
    User(8, "fitter", "Sandbox-Fit-1", "f177" * 10, "Finn Fitter", denied=PURCHASING, stock_manager=False),
)


@dataclass(slots=True)
class Options:
    """Behaviour that differs from one installation to the next; changeable while the server runs.

    Attributes:
        price_digits: Decimal accuracy of "Product Price": a price with more is rounded without a word.
        quantity_digits: The same of quantities.
        approval_limit: Order total from which a second user must approve; None: no approval.
        lock_confirmed: Confirmed orders are locked at once.
        old_rpc: Whether /jsonrpc still answers (`rpc.use_deprecated_services` of the newest versions).
    """

    price_digits: int = 2
    quantity_digits: int = 2
    approval_limit: float | None = None
    lock_confirmed: bool = False
    old_rpc: bool = True


@dataclass(frozen=True, slots=True)
class Config:
    """Identity of the simulated system and who may use it."""

    version: int = 18
    database: str = "odoo"
    users: Mapping[str, User] = field(default_factory=lambda: {user.login: user for user in DEMO_USERS})

    @property
    def series(self) -> str:
        """The version as Odoo writes it."""
        return f"{self.version}.0"

    @property
    def euro(self) -> bool:
        """Whether the company keeps its books in EUR; the newer installations are US companies with sales tax."""
        return self.version < 18
