"""The simulated system as a whole: tables, clock, number ranges, options; what rules and the wire work on."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from sandbox.kit.clock import Clock, wall_clock
from sandbox.kit.log import Change, Edits
from sandbox.sap_s4hana.config import Config, Options
from sandbox.sap_s4hana.edm import load_services
from sandbox.sap_s4hana.odata.query import Queries
from sandbox.sap_s4hana.roots import REFERENCES, Roots
from sandbox.sap_s4hana.store import Row, Table

# First number of each range, as the vendor delivers them.
NUMBER_RANGES: Mapping[str, int] = {
    "purchase_order": 4_500_000_000,
    "business_partner": 17_300_001,
    "address": 22_001,
    "material_document": 4_900_000_000,
    "maintenance_order": 4_000_001,
}


class S4System:
    """One system and client.

    Args:
        config: Identity and users.
        options: Behaviour; may be changed while running.
        clock: Where the time comes from, UTC.

    Attributes:
        edits: Every change of a row since the data was seeded, as a change of the document that the row belongs to.
        spoiled: Documents that no mapping can read, by set and key.
    """

    def __init__(
        self, config: Config | None = None, options: Options | None = None, clock: Callable[[], datetime] = wall_clock
    ) -> None:
        self.config = config or Config()
        self.options = options or Options()
        self.clock = Clock(clock)
        self.edits = Edits(self.clock.now)
        self.spoiled: set[tuple[str, str]] = set()
        self.services = load_services(custom_fields=self.config.custom_fields)
        self.types = {name: kind for service in self.services.values() for name, kind in service.sets.items()}
        self.roots = Roots(self.types)
        self.tables: dict[str, Table] = {}
        self.queries = Queries()
        self.clear()

    def clear(self) -> None:
        """Forget all documents and begin the number ranges anew."""
        self.tables = {name: Table(kind) for name, kind in self.types.items()}
        self.queries = Queries()
        self.numbers = dict(NUMBER_RANGES)
        self.received: dict[tuple[str, str], Any] = {}
        self.spoiled.clear()

    def now(self) -> datetime:
        """Tell the system's time, UTC."""
        return self.clock.now()

    def stamp(self) -> datetime:
        """Tell the time that changes are stamped with, UTC."""
        return self.clock.stamp()

    def today(self) -> date:
        """Tell the system's date, UTC."""
        return self.now().date()

    def number(self, name: str) -> str:
        """Draw the next number of a range."""
        value = self.numbers[name]
        self.numbers[name] = value + 1
        return str(value)

    def add(self, set_name: str, values: Mapping[str, Any], *, bulk: bool = False) -> Row:
        """Store a new row; `bulk` is how the data is seeded, of which no change is noted."""
        row = self.tables[set_name].add(values, bulk=bulk)
        if not bulk:
            self._note(row, "created")
        return row

    def changed(self, row: Row) -> None:
        """Note that a row was changed in place."""
        self.tables[row.type.set_name].touch()
        self._note(row, "changed")

    def remove(self, row: Row) -> None:
        """Take a row out."""
        self.tables[row.type.set_name].remove(row)
        self._note(row, "vanished")

    def _note(self, row: Row, change: Change) -> None:
        entity, key, part = self.roots.of(row)
        if part:
            self.edits.note(entity, key, "changed", stamp=self._stamp_of(entity, key), part=part)
            return
        self.edits.note(
            entity,
            key,
            change,
            stamp=row["LastChangeDateTime"] if "LastChangeDateTime" in row.type.properties else None,
            reference=row[REFERENCES[entity]] or None if entity in REFERENCES else None,
            mappable=(entity, key) not in self.spoiled,
        )

    def _stamp_of(self, entity: str, key: str) -> datetime | None:
        root = self.tables[entity].get(*key.split(","))
        stamp: datetime | None = root["LastChangeDateTime"] if root and "LastChangeDateTime" in root else None
        return stamp


def midnight(day: date) -> datetime:
    """Bring a date to the form in which Edm.DateTime is stored."""
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - Edm.DateTime has no zone


def clock_time(moment: datetime) -> str:
    """Bring the time of a moment to the form in which Edm.Time is stored."""
    return f"PT{moment:%H}H{moment:%M}M{moment:%S}S"
