"""What records are counted and summed by, declared beside their table."""

from dataclasses import dataclass, field

from db.models.base import Relation


@dataclass(frozen=True, slots=True)
class Summary:
    """How a kind of records is summed up.

    Attributes:
        by: Columns, and relations to one, that groups can go by.
        months: Name of a group → the column whose month, UTC, it goes by.
        sums: Amounts that are added.
        per: The column that says what the amounts are counted in: those that differ in it are never added.
    """

    by: tuple[str, ...]
    months: dict[str, str] = field(default_factory=dict, hash=False)
    sums: tuple[str, ...] = ()
    per: str | None = None

    @property
    def groups(self) -> tuple[str, ...]:
        """All that groups can go by."""
        return (*self.by, *self.months)

    @staticmethod
    def joined(relation: Relation) -> tuple[str, ...]:
        """Give the own columns by which a relation is joined."""
        return tuple(relation.on.values()) if hasattr(relation, "on") else ()
