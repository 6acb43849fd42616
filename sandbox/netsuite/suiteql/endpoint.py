"""POST /services/rest/query/v1/suiteql: rows by pages of `limit` and `offset`, every value a text."""

import re
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from sandbox.kit.system import NO_PAGE_FAULTS, PAGE, PageFaults
from sandbox.netsuite.config import NONE, Role
from sandbox.netsuite.errors import RestError, bad_query
from sandbox.netsuite.paging import envelope, window
from sandbox.netsuite.suiteql.functions import DateFormatError, plain, shown, stored
from sandbox.netsuite.suiteql.translate import Translated, translate
from sandbox.netsuite.system import NetSuite

PATH: Final = "/services/rest/query/v1/suiteql"
_OPEN: Final = 8
_COLUMN: Final = re.compile(r"no such column: (?:(?P<owner>[^.]+)\.)?(?P<name>.+)")
TABLE_ENTITIES: Final = {
    "vendor": "vendor",
    "vendoraddressbook": "vendor",
    "entityaddress": "vendor",
    "item": "item",
    "inventoryitemlocations": "inventory",
    "aggregateitemlocation": "inventory",
    "location": "location",
    "subsidiary": "subsidiary",
    "deletedrecord": "deletedrecord",
    "transaction": "purchaseOrder",
    "transactionline": "purchaseOrder",
}


@dataclass(slots=True)
class _Running:
    """A query that is read page by page; good while nothing changes."""

    version: int
    rows: sqlite3.Cursor
    names: list[str]
    place: int
    total: int


class SuiteQL:
    """The endpoint."""

    def __init__(self, system: NetSuite) -> None:
        self._system = system
        self._running: dict[str, _Running] = {}

    def entity_of(self, content: bytes) -> str:
        """Tell what a query is about: the kind of record of its first table."""
        try:
            tables = translate(str(orjson.loads(content)["q"]), params=True).tables.values()
        except (RestError, orjson.JSONDecodeError, KeyError, TypeError):
            return ""
        return next((TABLE_ENTITIES[table] for table in tables if table in TABLE_ENTITIES), "")

    async def answer(self, request: Request, role: Role) -> Response:
        """Answer a query.

        Raises:
            RestError: 400 for a header, a body or a query that cannot be taken.
        """
        if "transient" not in request.headers.get("prefer", "").lower():
            text = "Invalid header value. The 'Prefer' header must have the value 'transient'."
            raise RestError(400, "INVALID_HEADER", text, where=("o:errorHeader", "Prefer"))
        query, params = self._asked(await request.body())
        limit, offset = window(request.query_params)
        translated = translate(query, hidden=self._hidden(role), params=self._system.options.params)
        faults: PageFaults = request.scope.get("state", {}).get(PAGE, NO_PAGE_FAULTS)
        rows, total = self._page(translated, params, limit, faults.start(offset))
        body = envelope(request.url, faults.rows(rows), limit=limit, offset=offset, total=total)
        return Response(orjson.dumps(body), media_type="application/vnd.oracle.resource+json; type=collection")

    def _asked(self, content: bytes) -> tuple[str, tuple[Any, ...]]:
        try:
            body = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise RestError(400, "INVALID_CONTENT", "The request body is not valid JSON.") from error
        if not isinstance(body, dict) or not isinstance(body.get("q"), str):
            raise RestError(400, "INVALID_CONTENT", "Missing property q.", where=("o:errorPath", "q"))
        if unknown := set(body) - {"q", "params"}:
            raise RestError(
                400, "INVALID_CONTENT", f"Unknown property {min(unknown)}.", where=("o:errorPath", min(unknown))
            )
        return body["q"], tuple(body.get("params", ()))

    def _hidden(self, role: Role) -> Callable[[str], str | None]:
        """A role without a permission sees no rows, and no word of it."""

        def condition(table: str) -> str | None:
            if table == "deletedrecord" and not self._system.options.deleted_records:
                raise bad_query("Search error occurred: Record 'DeletedRecord' was not found.")
            entity = TABLE_ENTITIES.get(table)
            if entity is None or role.level(entity) > NONE:
                return None
            return "type <> 'PurchOrd'" if table == "transaction" else "1 = 0"

        return condition

    def _page(
        self, translated: Translated, params: tuple[Any, ...], limit: int, offset: int
    ) -> tuple[list[dict[str, Any]], int]:
        key, store = f"{translated.sql}\0{params!r}", self._system.store
        running = self._running.pop(key, None)
        if running is None or running.version != store.version or running.place != offset or not translated.ordered:
            running = self._run(translated, params, offset, running)
        found = running.rows.fetchmany(min(limit, max(0, self._system.options.row_cap - offset)))
        running.place += len(found)
        self._running[key] = running
        while len(self._running) > _OPEN:
            self._running.pop(next(iter(self._running)))
        return list(self._rows(running.names, found)), running.total

    def _run(self, translated: Translated, params: tuple[Any, ...], offset: int, before: _Running | None) -> _Running:
        store, cap = self._system.store, self._system.options.row_cap
        store.now = stored(self._system.local_now())
        try:
            if before is not None and before.version == store.version:
                total = before.total
            else:
                total = store.value(f"SELECT count(*) FROM ({translated.sql})", params)
            sql, place = f"SELECT * FROM ({translated.sql})", offset
            if not translated.ordered and offset and total:
                # No order was asked for: each page takes its own, so that rows come twice and rows are left out.
                place = (offset + 7 * (offset // 100)) % total
            rows = store.db.execute(f"{sql} LIMIT {cap} OFFSET {place}", params)
        except sqlite3.Error as error:
            raise _refused(error, translated) from error
        except DateFormatError as error:
            raise bad_query(f"Search error occurred: {error}") from error
        names = [column[0].lower() for column in rows.description]
        return _Running(store.version, rows, names, offset, min(total, cap))

    def _rows(self, names: list[str], found: Iterable[tuple[Any, ...]]) -> Iterable[dict[str, Any]]:
        form, negative = self._system.options.date_format, self._system.options.negative_quantities
        for values in found:
            row: dict[str, Any] = {"links": []}
            for name, value in zip(names, values, strict=True):
                if value is None or name.startswith("_"):
                    continue
                if value.__class__ is str:
                    row[name] = value
                elif value.__class__ is bytes:
                    row[name] = shown(value, form)
                else:
                    row[name] = plain(-value if negative and name in {"quantity", "foreignamount"} else value)
            yield row


def _refused(error: sqlite3.Error, translated: Translated) -> RestError:
    """Word what SQLite refuses as NetSuite does."""
    if match := _COLUMN.search(str(error)):
        owner = (match["owner"] or "").strip('"').lower()
        table = translated.tables.get(owner) or next(iter(translated.tables.values()), "")
        name = match["name"].strip('"')
        return bad_query(
            f"Search error occurred: Field '{name}' for record '{table}' was not found. Reason: NOT_EXISTS - Field"
            " does not exist."
        )
    if "user-defined function raised" in str(error):
        return bad_query("Search error occurred: a date does not fit its format.")
    return bad_query(f"Search error occurred: Invalid or unsupported search ({error}).")
