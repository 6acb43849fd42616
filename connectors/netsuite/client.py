"""Calls to one NetSuite account: SuiteQL queries, records, and errors in our words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, Literal

import orjson

from connectors.base import JsonObject
from connectors.egress import Egress, Request, Response
from connectors.errors import BadResponse, ConfigError, PermissionRefused, SourceUnavailable
from connectors.kit.auth import Auth
from connectors.netsuite.faults import ROLE_REMEDY, error_of, fault_of, words_of

PAGE_ROWS: Final = 1000
"""What NetSuite gives at once, at most."""
_SUITEQL: Final = "/services/rest/query/v1/suiteql"
_RECORDS: Final = "/services/rest/record/v1"
_PROBE: Final = "SELECT 1 AS ok FROM dual"


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of a query.

    Attributes:
        more: There are further rows.
        total: All rows of the query, where NetSuite tells.
    """

    rows: list[JsonObject]
    more: bool
    total: int | None


def text_literal(text: str) -> str:
    """Write a text into a query: placeholders are taken by some releases only."""
    return "'" + text.replace("'", "''") + "'"


class NetSuiteClient:
    """Speaks to one account as one role.

    Attributes:
        page_rows: Rows to ask for at once.
    """

    def __init__(self, egress: Egress, auth: Auth, *, root: str) -> None:
        self._egress = egress
        self._auth = auth
        self._root = root
        self.page_rows = PAGE_ROWS

    async def query(self, sql: str, *, limit: int | None = None, offset: int = 0) -> Rows:
        """Run a query; `offset` is a multiple of `limit`, which is `page_rows` where nothing is said.

        Raises:
            BadQuery: NetSuite does not understand it.
        """
        response = await self._send(self._query(sql, limit=limit or self.page_rows, offset=offset))
        if response.status != HTTPStatus.OK:
            raise error_of(response, writing=False, querying=True)
        body = _object(response)
        rows = body.get("items")
        if not isinstance(rows, list):
            raise BadResponse("The answer holds no rows.", source_message=response.text(200))
        for row in rows:
            row.pop("links", None)
        more, total = body.get("hasMore"), body.get("totalResults")
        return Rows(rows, bool(more), total if isinstance(total, int) else None)

    async def record(self, path: str, options: str = "") -> JsonObject | None:
        """Read one record, by `type/id` or `type/eid:external`; None where there is none."""
        response = await self._send(self._request("GET", f"{_RECORDS}/{path}{options}"))
        if response.status == HTTPStatus.OK:
            return _object(response)
        fault = fault_of(response)
        if response.status == HTTPStatus.NOT_FOUND and fault is not None:
            return None
        raise error_of(response, writing=False)

    async def may_list(self, record: str) -> None:
        """Ask for one record of a type, for queries show nothing where the role may not look, and do not say so.

        Raises:
            PermissionRefused: The role may not see records of this type.
        """
        response = await self._send(self._request("GET", f"{_RECORDS}/{record}?limit=1"))
        if response.status == HTTPStatus.OK:
            return
        error = error_of(response, writing=False)
        if isinstance(error, PermissionRefused) or error.transient:
            raise error

    async def schema(self, record: str) -> Mapping[str, JsonObject]:
        """Give the properties of a record type as the account's metadata catalogue tells them; {} where it does not."""
        request = self._request("GET", f"{_RECORDS}/metadata-catalog/{record}")
        response = await self._send(request.with_headers({"Accept": "application/schema+json"}))
        if response.status != HTTPStatus.OK or "json" not in response.headers.get("content-type", ""):
            if response.status < 500 and response.status != HTTPStatus.TOO_MANY_REQUESTS:
                return {}
            raise error_of(response, writing=False)
        properties = _object(response).get("properties")
        return properties if isinstance(properties, dict) else {}

    async def clock(self) -> datetime:
        """Read NetSuite's clock from the Date header of a cheap answer; any answer tells the time."""
        response = await self._send(self._query(_PROBE, limit=1, offset=0))
        if response.status >= 500 or response.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise error_of(response, writing=False)
        try:
            return parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
        except (KeyError, ValueError) as error:
            raise BadResponse("The source's answer has no Date header.") from error

    def changing(self, method: Literal["POST", "PATCH", "DELETE"], path: str, body: JsonObject | None) -> Request:
        """Make a request that changes something; nothing is sent."""
        return self._request(method, f"{_RECORDS}/{path}", body, safe=False)

    async def carry(self, request: Request) -> str:
        """Send a request that changes something; gives the id of the record that its answer points to, or "".

        Raises:
            WriteRejected: Refused; with NetSuite's reasons.
            SourceUnavailable: With `sent` true, the outcome is unknown.
        """
        response = await self._send(request)
        if not 200 <= response.status < 300:
            raise error_of(response, writing=True)
        return response.headers.get("location", "").rstrip("/").rpartition("/")[2]

    async def _send(self, request: Request) -> Response:
        """Send a request; a 401 is told apart by a query that needs no right to any record.

        NetSuite answers 401 for wrong credentials, for a role without a permission, and at times when too much is
        asked at once.

        Raises:
            AuthError: The login is refused as such. PermissionRefused: it is not, and only this is.
        """
        response = await self._egress.send(request, auth=self._auth)
        if response.status != HTTPStatus.UNAUTHORIZED:
            return response
        words = words_of(response, fault_of(response))
        try:
            probe = await self._egress.send(self._query(_PROBE, limit=1, offset=0), auth=self._auth)
        except SourceUnavailable as error:
            # What was asked for was refused, whatever became of the question why.
            raise SourceUnavailable(error.message, reason=error.reason, sent=False) from error
        if probe.status == HTTPStatus.UNAUTHORIZED:
            raise error_of(response, writing=False)
        if request.safe:
            response = await self._egress.send(request, auth=self._auth)
        if response.status != HTTPStatus.UNAUTHORIZED:
            return response
        raise PermissionRefused("NetSuite refuses this to the role.", source_message=words, remedy=ROLE_REMEDY)

    def _query(self, sql: str, *, limit: int, offset: int) -> Request:
        path = f"{_SUITEQL}?limit={limit}&offset={offset}"
        return self._request("POST", path, {"q": sql}).with_headers({"Prefer": "transient"})

    def _request(self, method: str, path: str, body: JsonObject | None = None, *, safe: bool = True) -> Request:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if not safe:
            # Without it, names that NetSuite does not know are taken and dropped without a word.
            headers["X-NetSuite-PropertyNameValidation"] = "Error"
        data = None if body is None else orjson.dumps(body)
        return Request(method, f"{self._root}{path}", headers, data, safe=safe)


def _object(response: Response) -> JsonObject:
    kind = response.headers.get("content-type", "")
    if "html" in kind:
        raise ConfigError(
            "The address answers with a web page: it is not the account's.", source_message=words_of(response, None)
        )
    try:
        body = response.json()
    except BadResponse as error:
        if "json" not in kind:
            raise
        # Called JSON and not readable as such: cut on its way. It comes whole next time.
        raise SourceUnavailable("The source's answer was cut short.", reason="RESET", sent=True) from error
    if not isinstance(body, dict):
        raise BadResponse("The answer is no NetSuite document.", source_message=response.text(200))
    return body


def ids_literal(ids: Sequence[str]) -> str:
    """Write internal ids into a query; what is no number is none, and left out. "-0" where nothing is left."""
    return ", ".join(each for each in ids if each.lstrip("-").isdigit()) or "-0"
