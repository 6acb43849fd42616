"""The simulated system as a whole: tables, clock, number ranges, options; what rules and the wire work on."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sandbox.sap_s4hana.config import Config, Options
from sandbox.sap_s4hana.edm import load_services
from sandbox.sap_s4hana.odata.query import Queries
from sandbox.sap_s4hana.store import Row, Table

# First number of each range, as the vendor delivers them.
NUMBER_RANGES: Mapping[str, int] = {
    "purchase_order": 4_500_000_000,
    "business_partner": 17_300_001,
    "address": 22_001,
    "material_document": 4_900_000_000,
    "maintenance_order": 4_000_001,
}


def wall_clock() -> datetime:
    """Tell the time in UTC."""
    return datetime.now(UTC)


class S4System:
    """One system and client.

    Args:
        config: Identity and users.
        options: Behaviour; may be changed while running.
        clock: Where the time comes from, UTC; `shift` is added to it.
    """

    def __init__(
        self, config: Config | None = None, options: Options | None = None, clock: Callable[[], datetime] = wall_clock
    ) -> None:
        self.config = config or Config()
        self.options = options or Options()
        self.clock = clock
        self.shift = timedelta()
        self.services = load_services(custom_fields=self.config.custom_fields)
        self.types = {name: kind for service in self.services.values() for name, kind in service.sets.items()}
        self.tables: dict[str, Table] = {}
        self.queries = Queries()
        self.clear()

    def clear(self) -> None:
        """Forget all documents and begin the number ranges anew."""
        self.tables = {name: Table(kind) for name, kind in self.types.items()}
        self.queries = Queries()
        self.numbers = dict(NUMBER_RANGES)
        self.received: dict[tuple[str, str], Any] = {}

    def now(self) -> datetime:
        """Tell the system's time, UTC."""
        return self.clock() + self.shift

    def today(self) -> date:
        """Tell the system's date, UTC."""
        return self.now().date()

    def number(self, name: str) -> str:
        """Draw the next number of a range."""
        value = self.numbers[name]
        self.numbers[name] = value + 1
        return str(value)

    def add(self, set_name: str, values: Mapping[str, Any], *, bulk: bool = False) -> Row:
        """Store a new row."""
        return self.tables[set_name].add(values, bulk=bulk)

    def changed(self, row: Row) -> None:
        """Note that a row was changed in place."""
        self.tables[row.type.set_name].touch()


def midnight(day: date) -> datetime:
    """Bring a date to the form in which Edm.DateTime is stored."""
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - Edm.DateTime has no zone


def clock_time(moment: datetime) -> str:
    """Bring the time of a moment to the form in which Edm.Time is stored."""
    return f"PT{moment:%H}H{moment:%M}M{moment:%S}S"
