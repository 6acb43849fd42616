"""Pages of whole items: keyset pages by internal id, so that no query comes near its 100,000 rows."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from connectors.base import Item, JsonObject, Page, Window
from connectors.errors import BadResponse, PermissionRefused
from connectors.netsuite.client import NetSuiteClient, Rows, ids_literal
from connectors.netsuite.faults import BadQuery
from connectors.netsuite.tables import (
    ADDRESS_BOOK,
    ADDRESSES,
    LEVELS,
    LEVELS_ELSEWHERE,
    LINES,
    ORDERS,
    STOCK_UNITS,
    VENDORS,
    Column,
    Table,
    changed_since,
    dated_since,
)
from connectors.netsuite.values import flag
from connectors.netsuite.zone import FORMAT, Zone

_IDS: Final = 500
"""Keys in one query."""
_MOST: Final = 100_000
"""Rows that one query gives at most; a total that is no less says nothing."""
CUSTOM: Final = "custom"
"""Where an item holds the fields that only its account knows."""


class Reader:
    """Reads one account.

    Attributes:
        zone: The account's local time.
    """

    def __init__(self, client: NetSuiteClient, zone: Zone) -> None:
        self.client = client
        self.zone = zone
        self._missing: dict[str, set[str]] = {}
        self._names: dict[str, str] = {}
        self._custom: dict[str, tuple[Column, ...]] = {}
        self._flags: set[str] = set()
        self._currencies: dict[str, str] | None = None

    async def pages(self, table: Table, window: Window, position: JsonObject | None) -> AsyncIterator[Page]:
        """Read a window, resuming after `position` (`{"after": id, "total": count}`).

        Raises:
            BadResponse: The source gives the same rows again.
        """
        after: int = position["after"] if position else 0
        total: int | None = position["total"] if position else None
        conditions = []
        if window.since is not None and table.changed:
            conditions.append(changed_since(table, self.zone.bound(window.since)))
        if window.period_start is not None and table.period:
            conditions.append(dated_since(table, window.period_start))
        while True:
            found = await self._rows(table, *conditions, f"{table.key} > {after}", order=table.key)
            if total is None and found.total is not None and found.total < _MOST:
                total = found.total
            rows = _whole_groups(found, table.key) if table.grouped else found.rows
            if table.grouped and found.more and not rows:
                rows = await self._one_group(table, found.rows[0][table.key], *conditions)
            last = int(rows[-1][table.key]) if rows else after
            if rows and last <= after:
                raise BadResponse(f"{table.name} gives {last} again after {after}.")
            if not rows and position is None and window.since is None:
                await self.client.may_list(table.record)
            ended = not found.more or not rows
            after = last
            yield Page(await self._items(table, rows), None if ended else {"after": after, "total": total}, total)
            if ended:
                return

    async def fetch(self, table: Table, source_ids: Sequence[str]) -> list[Item]:
        """Read whole items by key; missing keys are left out."""
        wanted = list(dict.fromkeys(source_ids))
        found: list[Item] = []
        for start in range(0, len(wanted), _IDS):
            batch = set(wanted[start : start + _IDS])
            keys = ids_literal(sorted({each.partition(":")[0] for each in batch}))
            rows: list[JsonObject] = []
            while True:
                page = await self._rows(table, f"{table.key} IN ({keys})", order=_order(table), offset=len(rows))
                rows += page.rows
                if not page.more:
                    break
            found += [item for item in await self._items(table, rows) if item.source_id in batch]
        return found

    async def gone(self, window: Window) -> AsyncIterator[Page]:
        """Tell the ids of orders that were deleted, as far as the role may see them; who asks looks each of them up."""
        since = self.zone.bound(window.since) if window.since else None
        where = f" WHERE deleteddate >= TO_TIMESTAMP('{since}', '{FORMAT}')" if since else ""
        sql = f"SELECT * FROM deletedrecord{where} ORDER BY recordid"  # noqa: S608
        seen: list[JsonObject] = []
        while True:
            try:
                found = await self.client.query(sql, offset=len(seen))
            except (BadQuery, PermissionRefused):
                break  # the role may not see it, or the release lacks it: full runs find what was deleted
            seen += found.rows
            if not found.more:
                break
        yield Page((), None, None, tuple(dict.fromkeys(filter(None, map(_deleted_order, seen)))))

    async def currencies(self) -> Mapping[str, str]:
        """Give the account's currencies: internal id → ISO code; an account with one alone may not list it."""
        if self._currencies is None:
            try:
                found = await self.client.query("SELECT id, symbol FROM currency ORDER BY id")
            except (BadQuery, PermissionRefused):
                self._currencies = {}
            else:
                self._currencies = {str(row["id"]): str(row.get("symbol") or "") for row in found.rows}
        return self._currencies

    async def custom(self, table: Table) -> tuple[Column, ...]:
        """Give the columns of a table that only this account has, as its metadata catalogue names them."""
        if not table.custom:
            return ()
        if table.name not in self._custom:
            try:
                told = await self.client.schema(table.record)
            except PermissionRefused:
                told = {}
            found = _custom_fields(told, table.custom)
            self._custom[table.name] = tuple(Column(name, name) for name in sorted(found))
            self._flags |= {name for name, kind in found.items() if kind == "boolean"}
        return self._custom[table.name]

    async def _rows(self, table: Table, *conditions: str, order: str, offset: int = 0) -> Rows:
        """Query a table; columns that the account lacks are left out from then on.

        Raises:
            BadQuery: It lacks something else.
        """
        custom = await self.custom(table)
        missing = self._missing.setdefault(table.name, set())
        while True:
            columns = [each for each in (*table.columns, *custom) if each.name not in missing]
            selected = ", ".join(each.selected for each in columns)
            name = self._names.get(table.name, table.name)
            sql = f"SELECT {selected} FROM {name}{table.where(*conditions)} ORDER BY {order}"  # noqa: S608
            try:
                return await self.client.query(sql, offset=offset)
            except BadQuery as error:
                lacking = _named_in(error.source_message or "", columns)
                if lacking:
                    missing |= lacking
                elif table is LEVELS and name == LEVELS.name:
                    self._names[table.name] = LEVELS_ELSEWHERE
                else:
                    raise

    async def _one_group(self, table: Table, key: Any, *conditions: str) -> list[JsonObject]:
        """Read all rows of one key, which are more than a page holds."""
        rows: list[JsonObject] = []
        while True:
            page = await self._rows(
                table, *conditions, f"{table.key} = {int(key)}", order=_order(table), offset=len(rows)
            )
            rows += page.rows
            if not page.more:
                return rows

    async def _items(self, table: Table, rows: list[JsonObject]) -> tuple[Item, ...]:
        lines: dict[str, list[JsonObject]] = {}
        if table is ORDERS and rows:
            lines = await self._lines([str(row["id"]) for row in rows])
        rows = await self._addressed(table, rows)
        if table is LEVELS and rows:
            units = await self._beside(STOCK_UNITS, [str(row["item"]) for row in rows])
            names = {item: told[0].get("stockunit_name") for item, told in units.items()}
            rows = [row | {"stockunit_name": names.get(str(row["item"]))} for row in rows]
        if table is VENDORS and rows:
            books = await self._beside(ADDRESS_BOOK, [str(row["id"]) for row in rows])
            rows = [row | {"addresses": told} if (told := books.get(str(row["id"]))) else row for row in rows]
        currencies = await self.currencies() if table.name in {"transaction", "vendor"} else {}
        custom = {each.name for each in await self.custom(table)}
        return tuple(self._item(table, row, lines, currencies, custom) for row in rows)

    def _item(
        self,
        table: Table,
        row: JsonObject,
        lines: Mapping[str, list[JsonObject]],
        currencies: Mapping[str, str],
        custom: set[str],
    ) -> Item:
        body = _collected(row, custom, self._flags)
        if table is LEVELS:
            return Item(f"{row['item']}:{row['location']}", body)
        source_id = str(row["id"])
        if "currency" in body:
            body["currency_symbol"] = currencies.get(str(body["currency"]))
        if table is ORDERS:
            body["lines"] = lines.get(source_id, [])
        dated = date.fromisoformat(row[table.period]) if table.period and row.get(table.period) else None
        return Item(source_id, body, self.zone.instant(row.get("lastmodifieddate")), dated)

    async def _addressed(self, table: Table, rows: list[JsonObject]) -> list[JsonObject]:
        """Put addresses beside the keys that columns hold."""
        for column, addresses in ADDRESSES.get(table.name, {}).items():
            known = await self._beside(addresses, [str(row[column]) for row in rows if row.get(column)])
            rows = [row | {f"{column}_": told[0]} if (told := known.get(str(row.get(column)))) else row for row in rows]
        return rows

    async def _beside(self, table: Table, keys: Sequence[str]) -> dict[str, list[JsonObject]]:
        """Read the rows of a table beside an entity's own, by key; an account may lack it altogether."""
        wanted, found = sorted(set(keys)), dict[str, list[JsonObject]]()
        order = f"{table.key}, internalid" if table is ADDRESS_BOOK else table.key
        for start in range(0, len(wanted), _IDS):
            chosen = f"{table.key} IN ({ids_literal(wanted[start : start + _IDS])})"
            seen, more = 0, True
            while more:
                try:
                    page = await self._rows(table, chosen, order=order, offset=seen)
                except (BadQuery, PermissionRefused):
                    return {}
                for row in page.rows:
                    found.setdefault(str(row[table.key]), []).append(row)
                seen, more = seen + len(page.rows), page.more
        return found

    async def _lines(self, orders: Sequence[str]) -> dict[str, list[JsonObject]]:
        """Read the lines of orders: an order is taken once all of it was on one page, or by itself."""
        lines: dict[str, list[JsonObject]] = {}
        left = sorted(orders, key=int)
        custom = {each.name for each in await self.custom(LINES)}
        while left:
            batch = left[: self.client.page_rows]
            keys = ids_literal(batch)
            found = await self._rows(LINES, f"{LINES.key} IN ({keys})", order=_order(LINES))
            rows = _whole_groups(found, LINES.key)
            if found.more and not rows:
                rows = await self._one_group(LINES, found.rows[0][LINES.key])
            for row in {(row[LINES.key], row["id"]): row for row in rows}.values():
                lines.setdefault(str(row[LINES.key]), []).append(_collected(row, custom, self._flags))
            done = int(rows[-1][LINES.key]) if found.more else int(batch[-1])
            left = [each for each in left if int(each) > done]
        return lines


def _order(table: Table) -> str:
    """Give an order in which each row has its place."""
    second = {LINES.name: "id", LEVELS.name: "location"}.get(table.name)
    return f"{table.key}, {second}" if second else table.key


def _whole_groups(found: Rows, key: str) -> list[JsonObject]:
    """Leave out the last key's rows where more of them may follow."""
    if not found.more or not found.rows:
        return found.rows
    last = found.rows[-1][key]
    return [row for row in found.rows if row[key] != last]


def _collected(row: JsonObject, custom: set[str], flags: set[str]) -> JsonObject:
    """Put custom fields, whose names only the account knows, under one key; flags as such, not as T and F."""
    if not custom:
        return row
    body = {name: value for name, value in row.items() if name not in custom}
    told = {name: flag(value) if name in flags else value for name, value in row.items() if name in custom}
    return {**body, CUSTOM: told} if told else body


def _custom_fields(properties: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """Find custom fields in a record's schema, with their types; those of lines stand in its sublists."""
    found: dict[str, str] = {}
    for name, told in properties.items():
        if not isinstance(told, dict):
            continue
        if re.fullmatch(rf"{prefix}[a-z0-9_]*", name.lower()):
            found[name.lower()] = str(told.get("type") or "")
        else:
            found |= _custom_fields(told, prefix)
    return found


def _named_in(words: str, columns: Sequence[Column]) -> set[str]:
    """Give the optional columns that an error names."""
    quoted = set(re.findall(r"['\"]([a-z0-9_]+)['\"]", words.lower()))
    for told in (quoted, set(re.findall(r"[a-z0-9_]+", words.lower()))):
        if found := {each.name for each in columns if each.optional and each.field in told}:
            return found
    return set()


def _deleted_order(row: JsonObject) -> str | None:
    """Give the id of a deleted order; None for a record of another kind."""
    kinds = " ".join(str(row[name]) for name in row if "type" in name).lower().replace(" ", "")
    key = str(row.get("recordid") or row.get("id") or "")
    known = not kinds or "purch" in kinds or not re.search(r"[a-z]", kinds)
    return key if key.isdigit() and known else None
