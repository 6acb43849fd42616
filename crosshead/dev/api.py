"""Dev mode as a customer of its own API: connect the sandboxes and wait for their first syncs."""

import asyncio
from typing import Any

import orjson

from connectors.egress import Egress, Request
from connectors.errors import SourceUnavailable
from crosshead.embedded.errors import EmbeddedError

_CONNECT = """
mutation ($input: ConnectSystemInput!) {
  connectSystem(input: $input) { connection { id } token userErrors { code message } }
}
"""
_RUNS = """
query ($id: ID!) {
  syncRuns(connectionId: $id, last: 50) { nodes { entity status fetched error { message } } }
}
"""
_CONNECTION = "query ($id: ID!) { connection(id: $id) { id status baseUrl } }"
_ENDED = {"SUCCEEDED", "PARTIAL", "FAILED", "CANCELLED"}


class DevApi:
    """Calls the API with the demo organization's key."""

    def __init__(self, egress: Egress, *, url: str, key: str) -> None:
        self._egress = egress
        self._url = url
        self._key = key

    async def alive(self) -> bool:
        """Tell whether the API is ready."""
        try:
            return (await self._egress.send(Request("GET", f"{self._url}/readyz"))).status == 200
        except SourceUnavailable:
            return False

    async def _gql(self, query: str, **variables: Any) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        body = orjson.dumps({"query": query, "variables": variables})
        answer = (await self._egress.send(Request("POST", f"{self._url}/graphql", headers, body))).json()
        if answer.get("errors"):
            raise EmbeddedError(f"The API answered: {answer['errors'][0]['message']}")
        data: dict[str, Any] = answer["data"]
        return data

    async def known(self, connection_id: str, *, base_url: str) -> bool:
        """Tell whether a remembered connection still stands, for the same address."""
        found = (await self._gql(_CONNECTION, id=connection_id))["connection"]
        return found is not None and found["status"] == "ACTIVE" and found["baseUrl"] == base_url

    async def connect(self, *, system: str, name: str, credentials: dict[str, Any], **more: Any) -> dict[str, str]:
        """Connect a sandbox; gives id, system and token."""
        given = {"system": system, "credentials": credentials, "customer": {"ref": f"demo-{system}", "name": name}}
        payload = (await self._gql(_CONNECT, input={**given, **more}))["connectSystem"]
        if payload["userErrors"]:
            raise EmbeddedError(f"{name} could not be connected: {payload['userErrors'][0]['message']}")
        return {"id": payload["connection"]["id"], "system": system, "token": payload["token"]}

    async def synced(self, connection_id: str, *, timeout_seconds: float = 300) -> str:
        """Wait until no run of a connection is open, and tell what they brought.

        Raises:
            EmbeddedError: A run failed, or they took too long.
        """
        async with asyncio.timeout(timeout_seconds):
            while True:
                runs = (await self._gql(_RUNS, id=connection_id))["syncRuns"]["nodes"]
                failed = [run for run in runs if run["status"] == "FAILED"]
                if failed:
                    raise EmbeddedError(f"A first sync failed: {failed[0]['error']}")
                if all(run["status"] in _ENDED for run in runs):
                    return ", ".join(f"{run['fetched']} {run['entity'].lower().replace('_', ' ')}s" for run in runs)
                await asyncio.sleep(0.3)
