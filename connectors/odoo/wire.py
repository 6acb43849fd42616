"""Both ways of calling Odoo: JSON-RPC up to 18, JSON-2 from 19 on.

JSON-RPC puts database, user and key into the body, behind which come positional arguments; `session` fills in user and
key at the last moment, so that no request that is kept holds them. JSON-2 takes named arguments only.

Source: odoo/documentation, content/developer/reference/external_api.rst; addons/rpc/controllers/json2.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import orjson

from connectors.base import JsonObject
from connectors.egress import Request

JSON: Final = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "crosshead"}
_POSITIONAL: Final[Mapping[str, tuple[str, ...]]] = {
    "search_read": ("domain",),
    "search_count": ("domain",),
    "read": ("fields",),
    "create": ("vals_list",),
    "write": ("vals",),
}
"""Method → its arguments that JSON-RPC calls give by position, after the ids."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a model's method.

    Attributes:
        ids: The records that it is called on; None for methods of the model itself.
        named: Its arguments by name.
        safe: True when it changes nothing.
    """

    model: str
    method: str
    ids: tuple[int, ...] | None = None
    named: JsonObject = field(default_factory=dict)
    context: JsonObject = field(default_factory=dict)
    safe: bool = True


class Dialect(Protocol):
    """One way of calling."""

    def request(self, call: Call) -> Request:
        """Make the request of a call, without what proves who calls."""
        ...


@dataclass(frozen=True, slots=True)
class JsonRpc:
    """POST /jsonrpc, service `object`, method `execute_kw`."""

    base_url: str
    database: str

    def request(self, call: Call) -> Request:
        """See Dialect."""
        named = dict(call.named)
        arguments: list[Any] = [] if call.ids is None else [list(call.ids)]
        arguments += [named.pop(name) for name in _POSITIONAL.get(call.method, ()) if name in named]
        if call.context:
            named["context"] = call.context
        told = [self.database, None, None, call.model, call.method, arguments, named]
        return rpc(self.base_url, "object", "execute_kw", told, safe=call.safe)


@dataclass(frozen=True, slots=True)
class Json2:
    """POST /json/2/MODEL/METHOD."""

    base_url: str
    database: str

    def request(self, call: Call) -> Request:
        """See Dialect."""
        body = dict(call.named)
        if call.ids is not None:
            body["ids"] = list(call.ids)
        if call.context:
            body["context"] = call.context
        headers = {**JSON, "X-Odoo-Database": self.database}
        url = f"{self.base_url.rstrip('/')}/json/2/{call.model}/{call.method}"
        return Request("POST", url, headers, orjson.dumps(body), safe=call.safe)


def rpc(base_url: str, service: str, method: str, arguments: list[Any], *, safe: bool = True) -> Request:
    """Make a request of JSON-RPC."""
    params = {"service": service, "method": method, "args": arguments}
    body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
    return Request("POST", f"{base_url.rstrip('/')}/jsonrpc", JSON, orjson.dumps(body), safe=safe)
