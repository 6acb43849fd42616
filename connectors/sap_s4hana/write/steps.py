"""A change as a row of calls, for SAP takes an order's parts one by one: what was done stays known."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, Final, Literal

from connectors.base import JsonObject, Wire, Written
from connectors.errors import (
    ConnectorError,
    PermissionRefused,
    SourceUnavailable,
    VersionConflict,
    WriteRejected,
)
from connectors.kit import steps as kit_steps
from connectors.kit.odata2 import read_instant, text_literal
from connectors.sap_s4hana.client import SapClient, Service
from db.types import ErrorCode, Problem

_REFUSALS: Final = (WriteRejected, VersionConflict, PermissionRefused)


class Steps(kit_steps.Steps):
    """Sends the calls of one change, and tells them."""

    def __init__(self, client: SapClient, wire: Wire) -> None:
        super().__init__(wire)
        self._client = client

    async def call(
        self,
        method: Literal["POST", "PATCH", "DELETE"],
        service: Service,
        path: str,
        *,
        body: JsonObject | None = None,
        etag: str | None = None,
        options: Mapping[str, str] | None = None,
    ) -> JsonObject:
        """Send one call; on a dry wire the answer is empty.

        Raises:
            WriteRejected: Refused; when earlier calls were carried out, the message says so.
            SourceUnavailable: With `sent` true as soon as anything may have been carried out.
        """
        request = self._client.changing(method, service, path, body=body, etag=etag, options=options)
        if not self._leaves(request):
            return {}
        try:
            answer = await self._client.carry(service, request)
        except _REFUSALS as error:
            if not self._wire.answers:
                raise
            raise WriteRejected(
                f"{error.message} {len(self._wire.answers)} earlier part(s) of the change were stored.",
                source_message=error.source_message,
                problems=error.problems,
                remedy="Read the record again: SAP stored the earlier parts. Correct the rest and send only that.",
            ) from error
        except ConnectorError as error:
            if not self._wire.answers:
                raise
            raise SourceUnavailable(
                f"{error.message} Earlier parts of the change were stored.",
                reason="RESET",
                sent=True,
                source_message=error.source_message,
            ) from error
        self._wire.answers.append(answer)
        return answer


async def known(client: SapClient, service: Service, path: str, *, field: str, reference: str, key: str) -> str | None:
    """Find the document that carries our reference: an earlier answer may have been lost."""
    if not reference:
        return None
    options = {"$filter": f"{field} eq {text_literal(reference)}", "$select": key, "$orderby": key, "$top": "1"}
    rows = (await client.list(service, path, options, at_most=1)).rows
    return str(rows[0][key]) if rows and rows[0].get(key) else None


def found(source_id: str, reference: str) -> Written:
    """Tell a change that had been carried out before: nothing is sent."""
    return Written(source_id, {"foundByReference": reference})


def missing(needed: Mapping[str, Any], *, where: Mapping[str, str], prefix: Sequence[str] = ()) -> list[Problem]:
    """Name what SAP needs and nobody said.

    Args:
        needed: SAP's property → what would be sent.
        where: SAP's property → the write default that gives it.
        prefix: Path of the line that lacks it.
    """
    return [
        Problem(
            ErrorCode.BAD_USER_INPUT,
            f"SAP needs {name}: give it in sourceFields"
            + (f", or set {where[name]} in the connection's write defaults." if name in where else "."),
            (*prefix, "sourceFields", name) if prefix else ("sourceFields", name),
        )
        for name, value in needed.items()
        if value is None or value == ""
    ]


refuse: Final = partial(kit_steps.refuse, system="SAP")
expect: Final = partial(kit_steps.expect, system="SAP")


def ignored(sent: Mapping[str, Any], stored: Mapping[str, Any]) -> list[str]:
    """Name the properties that SAP accepted without storing them; nested ones are not judged."""
    return [
        name
        for name, value in sent.items()
        if not isinstance(value, (list, dict)) and not _same(value, stored.get(name))
    ]


def refuse_ignored(names: Sequence[str]) -> None:
    """Tell that SAP took a change without storing all of it; it does so with read-only properties.

    Raises:
        WriteRejected: There is any.
    """
    if names:
        raise WriteRejected(
            f"SAP accepted the change but did not store {', '.join(names)}.",
            problems=tuple(
                Problem(ErrorCode.SOURCE_REJECTED, f"SAP did not store {name}.", ("sourceFields", name))
                for name in names
            ),
            remedy="The property is read-only in SAP, or in the record's present state; the rest was stored.",
        )


_BLANK: Final = ("", "None", "False", "0")


def _same(sent: Any, stored: Any) -> bool:
    left, right = str(sent).strip(), str(stored).strip()
    if left.startswith("/Date(") and right.startswith("/Date("):
        return read_instant(left) == read_instant(right)
    try:
        return Decimal(left) == Decimal(right)
    except InvalidOperation:
        return left.casefold() == right.casefold() or (left in _BLANK and right in _BLANK)
