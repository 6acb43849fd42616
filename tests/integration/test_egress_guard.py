"""Addresses that users type: nothing but public ones is connected to, however it is written."""

import asyncio

import pytest

from connectors.addresses import Blocked, Guard
from connectors.egress import Egress, Request
from connectors.errors import SourceUnavailable
from tests.fixtures.hostile_addresses import URLS, Canary
from tests.fixtures.product import CONNECT, Product

PUBLIC_ONLY = Guard()


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
