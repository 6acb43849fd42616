"""What rows refer to, read once a conversation and laid beside the reference, under its name and a dot."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from connectors.base import JsonObject
from connectors.errors import BadResponse, PermissionRefused
from connectors.odoo.client import Client
from connectors.odoo.rows import key_of, plain, wanted

_BATCH: Final = 1000
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "product.product": ("default_code", "barcode", "type", "name"),
    "account.tax": ("name",),
    "res.country": ("code",),
    "res.country.state": ("code", "name"),
    "res.partner": ("name", "street", "street2", "city", "zip", "state_id", "country_id"),
    "stock.picking.type": ("warehouse_id",),
    "stock.warehouse": ("code", "name", "partner_id", "view_location_id", "lot_stock_id"),
    "maintenance.equipment": ("serial_no", "name"),
    "maintenance.stage": ("name", "sequence", "done"),
    "stock.location": ("complete_name", "name", "usage"),
}


class Lookups:
    """Records by model and key; those of a model that the user may not read are none."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, dict[int, JsonObject | None]] = {}
        self._refused: set[str] = set()

    async def attach(self, rows: Sequence[JsonObject], field: str, model: str) -> None:
        """Lay beside each reference what it refers to; nothing where the field, or the right, is not there."""
        known = await self.get(model, (key_of(row.get(field)) for row in rows))
        for row in rows:
            found = known.get(key_of(row.get(field)) or 0)
            if found is not None:
                row[f"{field}."] = found

    async def attach_many(self, rows: Sequence[JsonObject], field: str, model: str) -> None:
        """Lay beside each list of keys what it refers to."""
        known = await self.get(model, (key for row in rows for key in row.get(field) or ()))
        for row in rows:
            if row.get(field):
                row[f"{field}."] = [found for key in row[field] if (found := known.get(key)) is not None]

    async def get(self, model: str, keys: Iterable[int | None]) -> Mapping[int, JsonObject | None]:
        """Give records by key."""
        known = self._known.setdefault(model, {})
        missing = sorted({key for key in keys if key and key not in known})
        if missing and model not in self._refused:
            try:
                for start in range(0, len(missing), _BATCH):
                    known |= await self._read(model, missing[start : start + _BATCH])
            except (PermissionRefused, BadResponse):
                self._refused.add(model)
        return known

    async def all(self, model: str) -> list[JsonObject]:
        """Give every record of a small model; none where the user may not read it."""
        if f"{model}*" not in self._known:
            try:
                rows = await self._rows(model, [])
            except (PermissionRefused, BadResponse):
                rows = []
            self._known[f"{model}*"] = {row["id"]: row for row in rows}
        return [row for row in self._known[f"{model}*"].values() if row is not None]

    async def _read(self, model: str, keys: list[int]) -> dict[int, JsonObject | None]:
        found = {row["id"]: row for row in await self._rows(model, [["id", "in", keys]])}
        return {key: found.get(key) for key in keys}

    async def _rows(self, model: str, domain: list[Any]) -> list[JsonObject]:
        kinds = await self._client.fields(model)
        fields = wanted(FIELDS[model], kinds, custom=False)
        return [plain(row, kinds) for row in await self._client.find(model, domain, fields, archived=True)]
