"""What can be set when the simulated account starts: who may use it, and the behaviour that differs by account."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

Level = int
NONE: Final[Level] = 0
VIEW: Final[Level] = 1
FULL: Final[Level] = 4
"""Levels of a role's permissions, as NetSuite numbers them."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role.

    Attributes:
        rest: Whether it holds "REST Web Services" and "SuiteAnalytics Workbook"; without them every call answers 401.
        levels: Permission by kind of record; what is not named is at `default`.
    """

    name: str
    rest: bool = True
    default: Level = FULL
    levels: Mapping[str, Level] = field(default_factory=dict)

    def level(self, entity: str) -> Level:
        """Give the level for a kind of record."""
        return self.levels.get(entity, self.default)


@dataclass(frozen=True, slots=True)
class Token:
    """A token of token-based authentication: consumer (the integration), token (a user in a role)."""

    consumer_key: str
    consumer_secret: str
    token_id: str
    token_secret: str
    role: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """An OAuth 2.0 client-credentials mapping: integration, certificate, user in a role.

    Attributes:
        certificate_id: What `kid` of an assertion must name.
        public_key: PEM.
    """

    client_id: str
    certificate_id: str
    public_key: bytes
    role: str


@dataclass(slots=True)
class Options:
    """Behaviour that differs from one account or release to the next; changeable while it runs.

    Attributes:
        date_format: How a date shows that no TO_CHAR formats: `M/D/YYYY`, `D/M/YYYY`, `YYYY-MM-DD`.
        row_cap: Rows that one SuiteQL query gives at most, whatever its pages; the rest is not told.
        params: Whether SuiteQL takes `params` for `?`.
        concurrency: Calls of all integrations that the account takes at a time.
        concurrency_status: What exceeding it answers: 429, 400 or 401.
        service_ms: How long each call takes at least.
        approvals: Whether new purchase orders wait for approval.
        negative_quantities: Whether SuiteQL shows lines' quantities and amounts below 0.
        deleted_records: Whether the table DeletedRecord is there for the role.
        job_calls: How often an asynchronous job is asked for before it says that it has ended.
        token_s: Life of an access token, in seconds.
    """

    date_format: str = "M/D/YYYY"
    row_cap: int = 100_000
    params: bool = False
    concurrency: int = 15
    concurrency_status: int = 429
    service_ms: int = 0
    approvals: bool = False
    negative_quantities: bool = False
    deleted_records: bool = True
    job_calls: int = 1
    token_s: int = 3600


# Demonstration accounts of a simulator that listens on loopback only: they open nothing anywhere.
ROLES: Final = (
    Role("integration"),
    Role("reader", default=VIEW),
    Role("no_rest", rest=False),
    Role("buyer", levels={"inventory": NONE, "deletedrecord": NONE}),
    Role("storekeeper", levels={"purchaseOrder": NONE}),
)
TOKENS: Final = tuple(
    Token("ck-demo", "cs-demo-7f3a", f"tk-{role.name}", f"ts-{role.name}-51c0", role.name) for role in ROLES
)
CLIENT_ID: Final = "oauth-demo-client"


@dataclass(frozen=True, slots=True)
class Config:
    """Identity of the simulated account and who may use it.

    Attributes:
        account: Its id as the realm of a signature names it: upper case, `_` before a sandbox's part.
        zone: Time zone in which SuiteQL shows instants.
        certificates: Mappings of OAuth 2.0; more may be added by the administration.
    """

    account: str = "1234567_SB1"
    zone: str = "America/Los_Angeles"
    roles: Mapping[str, Role] = field(default_factory=lambda: {role.name: role for role in ROLES})
    tokens: Mapping[str, Token] = field(default_factory=lambda: {token.token_id: token for token in TOKENS})
    certificates: dict[str, Certificate] = field(default_factory=dict)
