"""Our fields as NetSuite's: references by id, currencies and units by their codes."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.base import JsonObject
from connectors.errors import WriteRejected
from connectors.netsuite.client import NetSuiteClient, ids_literal, text_literal
from connectors.netsuite.faults import BadQuery
from connectors.netsuite.forms import WriteDefaults
from connectors.netsuite.read import Reader
from connectors.netsuite.units import counts_pieces, same_unit
from connectors.netsuite.write.steps import problem


async def currency(reader: Reader, code: str, path: Sequence[str]) -> JsonObject | None:
    """Give a currency by its ISO code; None where the account has one alone and lists none.

    Raises:
        WriteRejected: The account does not have it.
    """
    known = await reader.currencies()
    if not known:
        return None
    for key, symbol in known.items():
        if symbol.upper() == code.upper():
            return {"id": key}
    message = f"NetSuite has no currency {code}."
    raise WriteRejected(message, problems=(problem(message, *path),))


class Units:
    """Finds the internal ids of units, by the items that they are for."""

    def __init__(self, client: NetSuiteClient, defaults: WriteDefaults) -> None:
        self._client = client
        self._overrides = defaults.unit_map
        self._items: dict[str, JsonObject] = {}

    async def learn(self, items: Sequence[str]) -> None:
        """Read the units of items; an account may have none at all."""
        if not items:
            return
        columns = "id, unitstype, stockunit, BUILTIN.DF(stockunit) AS stockunit_name, purchaseunit"
        columns += ", BUILTIN.DF(purchaseunit) AS purchaseunit_name"
        try:
            keys = ids_literal(items)
            found = await self._client.query(f"SELECT {columns} FROM item WHERE id IN ({keys}) ORDER BY id")  # noqa: S608
        except BadQuery:
            return
        self._items = {str(row["id"]): row for row in found.rows}

    async def native(self, item: str, unit: str, path: Sequence[str]) -> str | None:
        """Give the id to write for a unit; None where the item is bought in it anyway.

        Raises:
            WriteRejected: The item is not counted so.
        """
        row = self._items.get(item, {})
        if same_unit(unit, row.get("purchaseunit_name"), overrides=self._overrides):
            return None
        if row.get("stockunit") and same_unit(unit, row.get("stockunit_name"), overrides=self._overrides):
            return str(row["stockunit"])
        if row.get("unitstype"):
            if found := await self._of_type(str(row["unitstype"]), unit):
                return found
        elif counts_pieces(unit, overrides=self._overrides) and not row.get("purchaseunit_name"):
            return None  # without units of measure, NetSuite just counts
        if unit.isdigit():
            return unit
        message = f"NetSuite does not count this item in {unit}."
        raise WriteRejected(message, problems=(problem(message, *path),))

    async def _of_type(self, unit_type: str, unit: str) -> str | None:
        """Look among the units of a type."""
        columns = "internalid, unitname, abbreviation"
        try:
            where = f"unitstype = {ids_literal([unit_type])}"
            found = await self._client.query(f"SELECT {columns} FROM unitstypeuom WHERE {where} ORDER BY internalid")  # noqa: S608
        except BadQuery:
            return None
        for row in found.rows:
            if any(same_unit(unit, row.get(name), overrides=self._overrides) for name in ("unitname", "abbreviation")):
                return str(row["internalid"])
        return None


async def lookup(client: NetSuiteClient, table: str, column: str, code: str) -> list[str]:
    """Give the ids of what people call by this code, whatever its case."""
    sql = f"SELECT id FROM {table} WHERE UPPER({column}) = {text_literal(code.strip().upper())} ORDER BY id"  # noqa: S608
    return [str(row["id"]) for row in (await client.query(sql, limit=10)).rows]


def custom(values: Mapping[str, Any]) -> JsonObject:
    """Give custom fields as they are written."""
    return dict(values.get("custom_fields") or {})
