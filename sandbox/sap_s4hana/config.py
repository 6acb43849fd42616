"""What can be set when the simulated system starts: users, OAuth clients and the behaviour that differs by system."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class User:
    """A communication or technical user; `denied` names services for which S_SERVICE is missing."""

    name: str
    password: str
    denied: frozenset[str] = frozenset()
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """An OAuth 2.0 client for the client-credentials grant and the user that it works as."""

    client_id: str
    client_secret: str
    user: str


@dataclass(slots=True)
class Options:
    """Behaviour that differs from one system to the next; changeable while the server runs.

    Attributes:
        page_size: Rows that one answer holds at most; `page_sizes` overrides it by entity set.
        absolute_next: `__next` with scheme and host; otherwise it begins at /sap.
        bump_on_item_change: Whether a change of an item or schedule line moves LastChangeDateTime of the order.
        release_threshold: Order value (in its own currency) from which an order needs a release.
        session_s: Life of an idle HTTP session, in seconds, and so of its CSRF token.
        token_s: Life of an OAuth access token, in seconds.
    """

    page_size: int = 1000
    page_sizes: dict[str, int] = field(default_factory=lambda: {"A_Product": 100})
    absolute_next: bool = True
    bump_on_item_change: bool = False
    release_threshold: Decimal = Decimal(100_000)
    session_s: int = 1800
    token_s: int = 3600

    def page_size_of(self, set_name: str) -> int:
        """Rows that one answer over this set may hold."""
        return self.page_sizes.get(set_name, self.page_size)


# Demonstration accounts of a simulator that listens on loopback only: they open nothing anywhere.
DEMO_USERS: tuple[User, ...] = (
    User("COMM_USER", "Sandbox-Full-1"),
    User("COMM_READER", "Sandbox-Read-1", read_only=True),
    User(
        "COMM_BUYER",
        "Sandbox-Buy-1",
        denied=frozenset({"API_MAINTENANCEORDER", "API_EQUIPMENT", "API_FUNCTIONALLOCATION"}),
    ),
)
DEMO_CLIENTS: tuple[OAuthClient, ...] = (OAuthClient("sandbox-client", "sandbox-secret", "COMM_USER"),)


@dataclass(frozen=True, slots=True)
class Config:
    """Identity of the simulated system and who may use it."""

    sid: str = "S4H"
    client: str = "100"
    custom_fields: bool = True
    users: Mapping[str, User] = field(default_factory=lambda: {user.name: user for user in DEMO_USERS})
    oauth_clients: Mapping[str, OAuthClient] = field(default_factory=lambda: {c.client_id: c for c in DEMO_CLIENTS})
