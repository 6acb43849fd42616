"""Who may see what: the scope that every statement and every session carries."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows a caller may see and change.

    Attributes:
        organization_id: The organization whose rows they are.
        connection_id: The only connection, for a connection token; None means all of the organization.
    """

    organization_id: UUID
    connection_id: UUID | None = None

    def narrowed(self, connection_id: UUID) -> "Scope":
        """Give the same scope for one connection.

        Raises:
            PermissionError: This scope is held to another connection.
        """
        if self.connection_id not in (None, connection_id):
            raise PermissionError("the scope is held to another connection")
        return Scope(self.organization_id, connection_id)

    @property
    def settings(self) -> dict[str, str]:
        """Session settings that the row-level security policies read; empty text means none."""
        return {
            "crosshead.organization": str(self.organization_id),
            "crosshead.connection": str(self.connection_id) if self.connection_id else "",
        }
