"""Log-on, authorization and CSRF of the simulated S/4HANA."""

import json

import aiohttp
import pytest

from tests.fixtures.sap_caller import MAINTENANCE, PO, SapCaller, order_body

pytest_plugins = ["tests.fixtures.sap_s4hana"]
REALM = 'Basic realm="SAP NetWeaver Application Server [S4H/100]"'
TOKEN = "/sap/bc/sec/oauth2/token"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic !!!",
        "Bearer unknown",
        "Digest x",
        aiohttp.encode_basic_auth("COMM_USER", "wrong"),
        aiohttp.encode_basic_auth("NOBODY", "Sandbox-Full-1"),
    ],
)
async def test_bad_credentials_get_an_html_page(sap: SapCaller, authorization: str) -> None:
    answer = await sap.get(f"{PO}/A_PurchaseOrder", Authorization=authorization)

    assert answer.status == 401
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["www-authenticate"] == REALM


async def test_another_client_is_refused(sap: SapCaller) -> None:
    own = await sap.get(f"{PO}/A_PurchaseOrder?sap-client=100&$top=1")
    other = await sap.get(f"{PO}/A_PurchaseOrder?sap-client=200&$top=1")

    assert (own.status, other.status) == (200, 401)


async def test_client_credentials_give_a_bearer_token_for_an_hour(sap: SapCaller) -> None:
    client = aiohttp.encode_basic_auth("sandbox-client", "sandbox-secret")
    form = {"Authorization": client, "Content-Type": "application/x-www-form-urlencoded"}
    answer = await sap.call("POST", f"{TOKEN}?sap-client=100", b"grant_type=client_credentials", **form)
    given = json.loads(answer.text)
    bearer = f"Bearer {given['access_token']}"

    assert (given["token_type"], given["expires_in"], "refresh_token" in given) == ("Bearer", 3600, False)
    assert (await sap.get(f"{PO}/A_PurchaseOrder?$top=1", Authorization=bearer)).status == 200
    await sap.admin("POST", "/clock", {"offset_seconds": 3601})
    assert (await sap.get(f"{PO}/A_PurchaseOrder?$top=1", Authorization=bearer)).status == 401


@pytest.mark.parametrize(
    ("secret", "body", "status", "error"),
    [
        ("wrong", b"grant_type=client_credentials", 401, "invalid_client"),
        ("sandbox-secret", b"grant_type=password", 400, "unsupported_grant_type"),
    ],
)
async def test_the_token_endpoint_refuses(sap: SapCaller, secret: str, body: bytes, status: int, error: str) -> None:
    answer = await sap.call("POST", TOKEN, body, Authorization=aiohttp.encode_basic_auth("sandbox-client", secret))

    assert answer.status == status
    assert f'"error":"{error}"' in answer.text


async def test_a_user_without_the_service_is_refused_there_only(sap: SapCaller) -> None:
    sap.user = "COMM_BUYER"

    refused = await sap.get(f"{MAINTENANCE}/MaintenanceOrder")
    assert (refused.status, refused.error["code"]) == (403, "/IWFND/CM_CONSUMER/101")
    assert "x-csrf-token" not in refused.headers
    assert (await sap.get(f"{PO}/A_PurchaseOrder?$top=1")).status == 200


async def test_a_read_only_user_writes_nothing(sap: SapCaller) -> None:
    sap.user = "COMM_READER"

    refused = await sap.write("POST", f"{PO}/A_PurchaseOrder", order_body())

    assert refused.status == 403
    assert "x-csrf-token" not in refused.headers
    assert (await sap.get(f"{PO}/A_PurchaseOrder/$count")).text == "40"


async def test_a_fetch_gives_a_token_and_the_cookies_it_is_bound_to(sap: SapCaller) -> None:
    answer = await sap.get(f"{PO}/", **{"x-csrf-token": "Fetch"})

    cookies = answer.headers.getall("set-cookie")
    assert answer.headers["x-csrf-token"]
    assert cookies[0] == "sap-usercontext=sap-client=100; path=/"
    assert cookies[1].startswith("SAP_SESSIONID_S4H_100=")


async def test_one_session_keeps_its_token_and_head_and_errors_give_it_too(sap: SapCaller) -> None:
    by_get = (await sap.get(f"{PO}/", **{"x-csrf-token": "fetch"})).headers["x-csrf-token"]
    by_head = (await sap.call("HEAD", f"{PO}/", **{"x-csrf-token": "Fetch"})).headers["x-csrf-token"]
    on_error = await sap.get(f"{PO}/A_Nothing", **{"x-csrf-token": "Fetch"})

    assert by_get == by_head == on_error.headers["x-csrf-token"]
    assert on_error.status == 404


@pytest.mark.parametrize("token", ["", "Fetch", "stale"])
async def test_a_write_without_its_token_is_refused_in_plain_text(sap: SapCaller, token: str) -> None:
    await sap.get(f"{PO}/", **{"x-csrf-token": "Fetch"})

    answer = await sap.call("POST", f"{PO}/A_PurchaseOrder", order_body(), **{"x-csrf-token": token})

    assert (answer.status, answer.text) == (403, "CSRF token validation failed")
    assert answer.headers["x-csrf-token"] == "Required"
    assert answer.headers["content-type"].startswith("text/plain")
    assert (await sap.get(f"{PO}/A_PurchaseOrder/$count")).text == "40"


async def test_a_token_without_its_cookies_is_refused(sap: SapCaller) -> None:
    token = (await sap.get(f"{PO}/", **{"x-csrf-token": "Fetch"})).headers["x-csrf-token"]
    sap.session.cookie_jar.clear()

    answer = await sap.call("POST", f"{PO}/A_PurchaseOrder", order_body(), **{"x-csrf-token": token})

    assert answer.headers["x-csrf-token"] == "Required"


async def test_the_session_of_another_user_does_not_count(sap: SapCaller) -> None:
    token = (await sap.get(f"{PO}/", **{"x-csrf-token": "Fetch"})).headers["x-csrf-token"]
    sap.user = "COMM_BUYER"

    answer = await sap.call("POST", f"{PO}/A_PurchaseOrder", order_body(), **{"x-csrf-token": token})

    assert answer.headers["x-csrf-token"] == "Required"


@pytest.mark.parametrize("how", ["idle", "ended"])
async def test_a_token_dies_with_its_session(sap: SapCaller, how: str) -> None:
    first = await sap.write("POST", f"{PO}/A_PurchaseOrder", order_body())
    if how == "idle":
        await sap.admin("POST", "/clock", {"offset_seconds": 1801})
    else:
        await sap.admin("POST", "/sessions/expire")
    second = await sap.write("POST", f"{PO}/A_PurchaseOrder", order_body())
    sap.token = ""
    third = await sap.write("POST", f"{PO}/A_PurchaseOrder", order_body())

    assert (first.status, second.status, third.status) == (201, 403, 201)
