"""The simulated account as a whole: tables, clock, options, the log of its edits."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sandbox.kit.clock import Clock, wall_clock
from sandbox.kit.log import Edits
from sandbox.netsuite.config import Config, Options
from sandbox.netsuite.store import Store
from sandbox.netsuite.suiteql.functions import stored

DELETED_TYPES: Final = {"purchaseOrder": (-30, "Purchase Order"), "vendor": (-9, "Vendor"), "item": (-10, "Item")}


class NetSuite:
    """One account.

    Attributes:
        spoiled: Documents that no mapping can read, by entity and key.
    """

    def __init__(
        self, config: Config | None = None, options: Options | None = None, clock: Callable[[], datetime] = wall_clock
    ) -> None:
        self.config = config or Config()
        self.options = options or Options()
        self.clock = Clock(clock)
        self.edits = Edits(self.clock.now)
        self.store = Store()
        self.zone = ZoneInfo(self.config.zone)
        self.spoiled: set[tuple[str, str]] = set()
        self.reserved = 0

    def clear(self) -> None:
        """Forget all documents."""
        self.store.clear()
        self.spoiled.clear()
        self.reserved = 0

    def local_now(self) -> datetime:
        """Tell the time in the account's zone."""
        return self.local(self.clock.now())

    def local(self, moment: datetime) -> datetime:
        """Bring an instant to the account's zone."""
        return moment.astimezone(self.zone)

    def today(self) -> date:
        """Tell the day in the account's zone."""
        return self.local_now().date()

    def stamped(self, moment: datetime | None = None) -> dict[str, Any]:
        """Give the columns that tell when a record changed: in the account's zone as tables show it, and in UTC."""
        at = (moment or self.clock.stamp()).replace(microsecond=0)
        return {"lastmodifieddate": stored(self.local(at)), "_modified": f"{at:%Y-%m-%dT%H:%M:%SZ}"}

    def new_transaction(self) -> int:
        """Draw the internal id of a transaction; what was drawn later may be seen earlier."""
        self.reserved = max(self.reserved + 1, self.store.next_id("transaction"))
        return self.reserved

    def forget(self, entity: str, key: int, name: str) -> None:
        """Note in the table of deleted records that one was deleted."""
        number, kind = DELETED_TYPES.get(entity, (0, entity))
        row = {
            "recordid": key,
            "recordtypeid": number,
            "type": kind,
            "scriptid": entity.lower(),
            "name": name,
            "deleteddate": stored(self.local(self.clock.stamp())),
            "deletedby": 1,
            "context": "REST Web Services",
            "iscustomrecord": "F",
            "iscustomlist": "F",
            "iscustomtransaction": "F",
        }
        self.store.add("deletedrecord", row)
