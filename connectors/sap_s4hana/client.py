"""Calls to SAP's OData services: addresses, headers, CSRF sessions, and errors in our words."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, Literal

import orjson

from connectors.base import JsonObject
from connectors.egress import Egress, Request, Response
from connectors.errors import BadResponse, ConfigError, SourceFault, SourceUnavailable
from connectors.kit.auth import Auth
from connectors.kit.odata2 import Listed, etag_of, follow, listed, query, single
from connectors.sap_s4hana.csrf import CsrfSession
from connectors.sap_s4hana.faults import error_of, fault_of, words_of

Service = Literal[
    "API_PURCHASEORDER_PROCESS_SRV",
    "API_BUSINESS_PARTNER",
    "API_PRODUCT_SRV",
    "API_MATERIAL_STOCK_SRV",
    "API_MAINTENANCEORDER",
    "API_MATERIAL_DOCUMENT_SRV",
    "API_EQUIPMENT",
    "API_FUNCTIONALLOCATION",
]
_ROOT: Final = "/sap/opu/odata/sap"
CUSTOM: Final = "YY1_"
"""What the names of custom fields begin with."""
# The maintenance order service is published in version 2 only (its metadata's self link).
_VERSIONS: Final[Mapping[str, str]] = {"API_MAINTENANCEORDER": ";v=0002"}


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity as SAP told it, with its ETag where the service has one."""

    body: JsonObject
    etag: str | None


class SapClient:
    """Speaks to one system as one user."""

    def __init__(self, egress: Egress, auth: Auth, *, root: str, client: str | None) -> None:
        self._egress = egress
        self._auth = auth
        self._root = root
        self._client = client
        self._sessions: dict[Service, CsrfSession] = {}
        self.unknown: set[str] = set()
        """Navigation that this release turned out not to know."""
        # Parallel writers of one session invalidate each other's tokens (SAP/cloud-sdk PR 1852).
        self._writing = asyncio.Lock()

    def url(self, service: Service, path: str = "", options: Mapping[str, str] | None = None) -> str:
        """Build an address; the client goes along, or the default one answers."""
        told = {**(options or {}), **({"sap-client": self._client} if self._client else {})}
        address = f"{self._root}{_ROOT}/{service}{_VERSIONS.get(service, '')}/{path}"
        return f"{address}?{query(told)}" if told else address

    async def list(self, service: Service, path: str, options: Mapping[str, str], *, at_most: int) -> Listed:
        """Read a list up to `at_most` rows, following the server's own page links.

        Custom fields, whose names only the tenant knows, are collected under one key.
        """
        url = self.url(service, path, options)
        found = listed(self._read_json(await self._get(url)), gather=CUSTOM)
        rows, link = list(found.rows), found.next_link
        while link and len(rows) < at_most:
            target = follow(link, came_from=url)
            if target == url:
                raise BadResponse("The source's next link leads to the same page again.")
            url = target
            more = listed(self._read_json(await self._get(url)), gather=CUSTOM)
            rows += more.rows
            link = more.next_link
        return Listed(rows, link, found.count)

    async def get(self, service: Service, path: str, options: Mapping[str, str] | None = None) -> Entity | None:
        """Read one entity; None when SAP has none of this key."""
        response = await self._get(self.url(service, path, options), missing=True)
        if response.status == HTTPStatus.NOT_FOUND:
            return None
        body = self._read_json(response)
        etag = response.headers.get("etag") or etag_of(body)  # before its metadata is dropped
        return Entity(single(body), etag)

    async def clock(self) -> datetime:
        """Read SAP's clock from the Date header of a cheap answer; a refusal of rights tells the time too."""
        options = {"$top": "1", "$select": "PurchaseOrder"}
        response = await self._send(
            self._request("GET", self.url("API_PURCHASEORDER_PROCESS_SRV", "A_PurchaseOrder", options))
        )
        if response.status not in {HTTPStatus.OK, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
            raise error_of(response, writing=False)
        try:
            return parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
        except (KeyError, ValueError) as error:
            raise BadResponse("The source's answer has no Date header.") from error

    def changing(
        self,
        method: Literal["POST", "PATCH", "DELETE"],
        service: Service,
        path: str,
        *,
        body: JsonObject | None = None,
        etag: str | None = None,
        options: Mapping[str, str] | None = None,
    ) -> Request:
        """Make a request that changes something; nothing is sent."""
        headers = {"If-Match": etag} if etag else {}
        return self._request(method, self.url(service, path, options), headers, body)

    async def carry(self, service: Service, request: Request) -> JsonObject:
        """Send a request that changes something; gives the entity of the answer, or {} where SAP answers without one.

        Raises:
            WriteRejected: Refused; with SAP's reasons. VersionConflict: the ETag is stale.
            SourceUnavailable: With `sent` true, the outcome is unknown.
        """
        async with self._writing:
            response = await self._signed(service, request)
        if not 200 <= response.status < 300:
            raise error_of(response, writing=True)
        if response.status == HTTPStatus.NO_CONTENT or not response.body:
            return {}
        try:
            return single(response.json())
        except BadResponse as error:
            # It was carried out; that its answer is strange must not look like a refusal.
            raise SourceUnavailable(
                error.message, reason="RESET", sent=True, source_message=error.source_message
            ) from error

    async def _signed(self, service: Service, request: Request) -> Response:
        session = self._sessions.setdefault(service, CsrfSession(self.url(service)))
        if not session.ready:
            await self._fetch_token(session)
        response = await self._send(session.sign(request))
        if session.refused(response):
            session.forget()
            await self._fetch_token(session)
            response = await self._send(session.sign(request))
            if session.refused(response):
                raise SourceFault("SAP refused two fresh CSRF tokens.", source_message=words_of(response, None))
        session.learn(response)
        return response

    async def _fetch_token(self, session: CsrfSession) -> None:
        try:
            response = await self._send(self._with_client(session.fetch_request()))
        except SourceUnavailable as error:
            # The change itself has not left yet.
            raise SourceUnavailable(error.message, reason=error.reason, sent=False) from error
        session.learn(response)
        if not session.ready and response.status >= 300:
            raise error_of(response, writing=False)

    async def _get(self, url: str, *, missing: bool = False) -> Response:
        response = await self._send(self._request("GET", url))
        if response.status == HTTPStatus.OK:
            return response
        if missing and response.status == HTTPStatus.NOT_FOUND:
            fault = fault_of(response)
            if fault is not None and not fault.code.startswith("/IWFND/MED/"):
                return response
        raise error_of(response, writing=False)

    async def _send(self, request: Request) -> Response:
        return await self._egress.send(request, auth=self._auth)

    def _request(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: JsonObject | None = None
    ) -> Request:
        told = {"Accept": "application/json", "Accept-Language": "en", **(headers or {})}
        if body is not None:
            told["Content-Type"] = "application/json"
        data = None if body is None else orjson.dumps(body)
        return self._with_client(Request(method, url, told, data, safe=method == "GET"))

    def _with_client(self, request: Request) -> Request:
        # As a header too: the server's own page links may have lost the query parameter.
        return request.with_headers({"sap-client": self._client}) if self._client else request

    @staticmethod
    def _read_json(response: Response) -> JsonObject:
        kind = response.headers.get("content-type", "")
        if "html" in kind:
            raise ConfigError(
                "The address answers with a web page: it is not the API host.", source_message=words_of(response, None)
            )
        try:
            body = response.json()
        except BadResponse as error:
            if "json" not in kind:
                raise
            # Called JSON and not readable as such: cut on its way. It comes whole next time.
            raise SourceUnavailable("The source's answer was cut short.", reason="RESET", sent=True) from error
        if not isinstance(body, dict):
            raise BadResponse("The answer is not an OData 2.0 document.", source_message=response.text(200))
        return body
