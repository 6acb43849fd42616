"""Hostile addresses through every place of the API that takes one: nobody is led to where the operator allows none."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from crosshead import compose
from crosshead.settings import Settings
from db.engine import Database
from tests.fixtures.address_places import (
    FORMS,
    INPUTS,
    NOT_CONNECTED,
    PLACES,
    Asker,
    fields_of_forms,
    fields_of_inputs,
)
from tests.fixtures.front import SYSTEMS, credentials
from tests.fixtures.hostile_addresses import URLS, Canary, listening_at
from tests.fixtures.ledger import Ledger
from tests.fixtures.product import serving


@asynccontextmanager
async def asking(settings: Settings, database: Database, *, allowed: str, **more: Any) -> AsyncIterator[Asker]:
    """Serve the API where the operator allows these networks."""
    given = settings.model_copy(update={"egress_allowed_cidrs": allowed})
    async with serving(given, database, **more) as product, compose.worker(given) as worker:
        yield Asker(product, database, worker)


def codes(told: list[dict[str, Any]]) -> set[str]:
    return {each["code"] for each in told}


def test_every_address_of_a_form_has_a_case() -> None:
    assert sorted(fields_of_forms()) == sorted(FORMS), "add a line to FORMS in tests/fixtures/address_places.py"


def test_every_address_of_an_input_has_a_case() -> None:
    told = "add a line to INPUTS (or NOT_CONNECTED) in tests/fixtures/address_places.py"
    assert sorted(fields_of_inputs()) == sorted([*INPUTS, *NOT_CONNECTED]), told


async def test_hostile_addresses_lead_nowhere_from_any_place(
    settings: Settings, database: Database, canary: Canary
) -> None:
    """Off: `socket_factory` in connectors/egress.py `open`."""
    assert len(URLS) >= 60
    async with asking(settings, database, allowed="") as asker:
        for place, ask in PLACES.items():
            for url in URLS:
                told = await ask(asker, url.format(port=canary.port))
                assert codes(told) <= {"SOURCE_UNREACHABLE", "BAD_USER_INPUT"}, (place, url, told)
                assert told, (place, url)
            [plain] = await ask(asker, f"http://127.0.0.1:{canary.port}")
            assert (plain["code"], "may not be connected to" in plain["message"]) == ("SOURCE_UNREACHABLE", True), place
    assert canary.touched == 0


async def test_each_place_leads_to_what_is_allowed(settings: Settings, database: Database, canary: Canary) -> None:
    """Shows that each place goes out to the address: what keeps the canary silent above is the guard."""
    async with asking(settings, database, allowed="127.0.0.0/8,::1/128") as asker:
        for place, ask in PLACES.items():
            for host in ("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"):
                before = canary.touched
                assert codes(await ask(asker, f"http://{host}:{canary.port}")) == {"SOURCE_UNREACHABLE"}
                assert canary.touched > before, (place, host)


async def test_a_system_in_an_allowed_network_is_connected(
    settings: Settings, database: Database, ledger: Ledger
) -> None:
    port = ledger.url.rsplit(":", 1)[1]
    async with asking(settings, database, allowed=f"127.0.0.1/32@{port}", connectors=SYSTEMS) as asker:
        assert await asker.connect("ledger", credentials(ledger)) == []
    async with asking(settings, database, allowed="10.0.0.0/8", connectors=SYSTEMS) as asker:
        assert codes(await asker.connect("ledger", credentials(ledger))) == {"SOURCE_UNREACHABLE"}


async def test_redirects_lead_nowhere_from_any_place(settings: Settings, database: Database, canary: Canary) -> None:
    """Off: `allow_redirects=False` in connectors/egress.py `_once`, and the guard."""
    asked = []

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        status = (301, 302, 303, 307, 308)[len(asked) % 5]
        location = f"http://127.0.0.1:{canary.port}/"
        head = f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nRefresh: 0; url={location}\r\n"
        writer.write(f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(redirect, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with asking(settings, database, allowed=f"127.0.0.1/32@{port}") as asker:
            for place, ask in PLACES.items():
                before = len(asked)
                for _ in range(5):
                    assert codes(await ask(asker, f"http://127.0.0.1:{port}")), place
                assert len(asked) >= before + 5, place
    assert canary.touched == 0


async def test_names_that_change_their_address_lead_nowhere_from_any_place(
    settings: Settings, database: Database, canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name has the address of a source that is allowed when it is first looked up, and the canary's ever after.

    Off: a guard that checks a name before the connect, and lets the connect look it up again.
    """
    looked_up = dict.fromkeys((f"{n}.rebinding.test" for n in range(len(PLACES))), 0)
    resolve = socket.getaddrinfo

    def rebinding(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if host not in looked_up:
            return resolve(host, port, *args, **more)
        looked_up[host] += 1
        address = "127.0.0.3" if looked_up[host] == 1 else "127.0.0.1"
        return resolve(address, port, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    async with (
        listening_at("127.0.0.3", port=canary.port) as source,
        asking(settings, database, allowed="127.0.0.3/32") as asker,
    ):
        for name, (place, ask) in zip(looked_up, PLACES.items(), strict=True):
            # One pool and its memory of names for each scheme: the second one looks up anew.
            for scheme in itertools.islice(itertools.cycle(("http", "https")), 4):
                assert codes(await ask(asker, f"{scheme}://{name}:{canary.port}")) == {"SOURCE_UNREACHABLE"}, place
            assert looked_up[name] >= 2, place
        assert source.touched >= len(PLACES) - len(INPUTS)  # some look a name up before they connect
    assert canary.touched == 0
