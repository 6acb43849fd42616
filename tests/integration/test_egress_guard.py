"""Addresses that users type: nothing but public ones is connected to, however it is written."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from connectors.addresses import Blocked, Guard
from connectors.egress import Egress, Request
from connectors.errors import SourceUnavailable
from tests.fixtures.product import CONNECT, Product

PUBLIC_ONLY = Guard()

# {port} is a listener on loopback; none of these may reach it, or any private network.
HOSTS = (
    "127.0.0.1",
    "127.0.0.2",
    "127.1",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0.0.0.0",  # noqa: S104
    "localhost",
    "LOCALHOST",
    "localhost.",
    "ip6-localhost",
    "⑫⑦.0.0.1",
    "１２７.0.0.1",  # noqa: RUF001
    "127。0。0。1",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:7f00:0001::1]",
    "[2001:0:7f00:1::]",
    "[2001:10::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd12:3456:789a::1]",
    "[ff02::1]",
    "[ff0e::1]",
    "[100::1]",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "169.254.169.254",
    "[::ffff:169.254.169.254]",
    "[fd00:ec2::254]",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
)
URLS = (
    *(f"http://{host}:{{port}}/" for host in HOSTS),
    *(f"https://{host}:{{port}}/" for host in ("127.0.0.1", "[::1]", "localhost", "[::ffff:127.0.0.1]", "⑫⑦.0.0.1")),
    "http://user:secret@127.0.0.1:{port}/",
    "http://example.com@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@example.com/",
    "http://127.0.0.1:{port}\\@example.com/",
    "ftp://127.0.0.1:{port}/",
    "file:///etc/hostname",
    "gopher://127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "http:///",
)


class Canary:
    """A listener that must never be connected to."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.touched = 0


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    """Listen on both loopback addresses."""
    held = Canary(0)

    async def touch(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.touched += 1
        writer.close()

    first = await asyncio.start_server(touch, "127.0.0.1", 0)
    held.port = first.sockets[0].getsockname()[1]
    async with first, await asyncio.start_server(touch, "::1", held.port):
        yield held


async def test_the_canary_hears_what_is_let_through(canary: Canary) -> None:
    """Shows that the guard is what keeps the canary silent below."""
    async with Egress.open(guard=Guard.of(["127.0.0.0/8", "::1/128"])) as egress:
        for host in ("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"):
            with pytest.raises(SourceUnavailable) as failed:
                await egress.send(Request("POST", f"http://{host}:{canary.port}/", safe=False))
            assert failed.value.reason == "RESET"

    await asyncio.sleep(0)
    assert canary.touched == 3


async def test_hostile_addresses_are_never_connected_to(canary: Canary) -> None:
    """Without socket_factory in Egress.open the canary is touched and this fails."""
    assert len(URLS) >= 60
    told = {}
    async with Egress.open(guard=PUBLIC_ONLY) as egress:
        for url in URLS:
            with pytest.raises(SourceUnavailable) as failed:
                await egress.send(Request("GET", url.format(port=canary.port)))
            told[url] = (failed.value.reason, failed.value.sent)

    assert canary.touched == 0
    # A spelling that no resolver knows ends as DNS or as a malformed address; whatever resolved was blocked.
    assert {reason for reason, _ in told.values()} <= {"BLOCKED", "DNS", "CONNECT"}
    assert {sent for _, sent in told.values()} == {False}
    assert told["http://127.0.0.1:{port}/"] == ("BLOCKED", False)


async def test_a_name_that_changes_its_address_between_looks_is_blocked_at_the_connect(canary: Canary) -> None:
    """What is checked is the address of the socket, so a second, different answer of DNS changes nothing."""
    with pytest.raises(Blocked):
        PUBLIC_ONLY.check("127.0.0.1", canary.port, encrypted=True)
    async with Egress.open(guard=PUBLIC_ONLY) as egress:
        with pytest.raises(SourceUnavailable) as failed:
            await egress.send(Request("GET", f"http://localhost:{canary.port}/"))

    assert failed.value.reason == "BLOCKED"
    assert canary.touched == 0


@pytest.mark.parametrize(
    ("address", "encrypted", "passes"),
    [
        ("93.184.216.34", True, True),
        ("93.184.216.34", False, False),
        ("2606:2800:220:1:248:1893:25c8:1946", True, True),
        ("::ffff:93.184.216.34", True, True),
        ("10.1.2.3", False, True),
        ("::ffff:10.1.2.3", False, True),
        ("10.2.0.1", True, False),
    ],
)
def test_public_addresses_need_tls_and_allowed_networks_do_not(address: str, *, encrypted: bool, passes: bool) -> None:
    guard = Guard.of(["10.1.0.0/16"])

    try:
        guard.check(address, 443, encrypted=encrypted)
    except Blocked:
        assert not passes
    else:
        assert passes


def test_an_allowed_port_opens_no_other() -> None:
    guard = Guard.of(["127.0.0.1/32@8100"])

    guard.check("127.0.0.1", 8100, encrypted=False)
    with pytest.raises(Blocked):
        guard.check("127.0.0.1", 8101, encrypted=False)


@pytest.mark.parametrize("network", ["10.0.0.1/8", "nonsense", "10.0.0.0/8@0", "10.0.0.0/8@x"])
def test_a_malformed_network_is_refused(network: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Guard.of([network])


async def test_connecting_a_system_at_a_private_address_is_blocked_and_stores_nothing(product: Product) -> None:
    given = {
        "system": "tryton",
        "credentials": {"base_url": "http://10.9.8.7:8000", "database": "d", "username": "u", "password": "p"},
        "customer": {"ref": "c-1", "name": "Customer 1"},
    }

    payload = (await product.gql(CONNECT, input=given))["connectSystem"]

    assert [error["code"] for error in payload["userErrors"]] == ["SOURCE_UNREACHABLE"]
    assert "may not be connected to" in payload["userErrors"][0]["message"]
    assert (await product.gql("{ connections { totalCount } }"))["connections"] == {"totalCount": 0}
