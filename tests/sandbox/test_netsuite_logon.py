"""Log-on of the simulated NetSuite: signatures that are really checked, assertions, and one 401 for everything."""

import base64
import json
import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.fixtures.netsuite_caller import NOW, NetSuiteCaller, authorization

pytest_plugins = ["tests.fixtures.netsuite"]
TOKEN = "/services/rest/auth/oauth2/v1/token"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


async def test_a_signed_call_is_let_in_with_its_query_signed(netsuite: NetSuiteCaller) -> None:
    answer = await netsuite.get("purchaseOrder?limit=2&offset=0&q=tranId%20IS%20%22PO00001%22")

    assert (answer.status, [row["id"] for row in answer.items]) == (200, ["1"])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"realm": "1234567-sb1"}, "realm '1234567-sb1' is not '1234567_SB1'"),
        ({"secret": "wrong"}, "InvalidSignature"),
        ({"signed_query": False}, "InvalidSignature"),
        ({"algorithm": "HMAC-SHA1"}, "signature method HMAC-SHA1 is not HMAC-SHA256"),
        ({"at": NOW - timedelta(minutes=6)}, "InvalidTimestamp"),
        ({"nonce": "abc"}, "NonceUsed"),
        ({"role": "nobody"}, "consumer key or token is unknown"),
        ({"role": "no_rest"}, "role no_rest lacks REST Web Services or SuiteAnalytics Workbook"),
    ],
)
async def test_whatever_is_wrong_with_a_log_on_the_answer_is_the_same(
    netsuite: NetSuiteCaller, changes: dict[str, Any], reason: str
) -> None:
    url = f"{netsuite.running.url}/services/rest/record/v1/purchaseOrder?limit=1&offset=0"
    answer = await netsuite.call("GET", url, Authorization=authorization("GET", url, **changes))

    assert (answer.status, answer.code) == (401, "INVALID_LOGIN")
    assert answer.detail.startswith("Invalid login attempt.")
    assert (await netsuite.admin("GET", ""))["failedLogins"][-1] == reason


async def test_a_nonce_is_good_for_one_call(netsuite: NetSuiteCaller) -> None:
    url = f"{netsuite.running.url}/services/rest/record/v1/purchaseOrder/1"
    header = authorization("GET", url, nonce="once-only")

    assert [(await netsuite.call("GET", url, Authorization=header)).status for _ in range(2)] == [200, 401]


async def test_a_revoked_token_is_dead(netsuite: NetSuiteCaller) -> None:
    await netsuite.admin("POST", "/tokens/revoke", {"id": "tk-integration"})

    assert (await netsuite.get("purchaseOrder/1")).status == 401


@pytest.mark.parametrize("algorithm", ["ES256", "ES512", "PS256"])
async def test_a_signed_assertion_gets_a_token_for_an_hour_told_as_text(
    netsuite: NetSuiteCaller, algorithm: str
) -> None:
    key = await certified(netsuite, algorithm)
    answer = await token(netsuite, assertion(netsuite, key, algorithm))
    given = answer.body
    bearer = f"Bearer {given['access_token']}"

    assert (answer.status, given["expires_in"], given["token_type"], len(given)) == (200, "3600", "Bearer", 3)
    assert (await netsuite.get("purchaseOrder/1", Authorization=bearer)).status == 200
    await netsuite.admin("POST", "/clock", {"offset_seconds": 3601})
    assert (await netsuite.get("purchaseOrder/1", Authorization=bearer)).code == "INVALID_LOGIN"


@pytest.mark.parametrize(
    ("claims", "header", "error"),
    [
        ({"aud": "https://elsewhere.example/token"}, {}, "invalid_grant"),
        ({"iss": "another"}, {}, "invalid_grant"),
        ({"exp": int(NOW.timestamp()) + 3700}, {}, "invalid_grant"),
        ({"scope": "everything"}, {}, "invalid_scope"),
        ({}, {"kid": "another"}, "invalid_grant"),
        ({}, {"typ": "at+jwt"}, "invalid_grant"),
        ({}, {"alg": "RS256"}, "invalid_grant"),
    ],
)
async def test_an_assertion_that_is_not_right_gets_none(
    netsuite: NetSuiteCaller, claims: dict[str, Any], header: dict[str, Any], error: str
) -> None:
    key = await certified(netsuite, "ES256")
    answer = await token(netsuite, assertion(netsuite, key, "ES256", claims=claims, header=header))

    assert (answer.status, answer.body["error"]) == (400, error)


async def test_an_assertion_signed_by_another_key_gets_none(netsuite: NetSuiteCaller) -> None:
    await certified(netsuite, "ES256")
    other = ec.generate_private_key(ec.SECP256R1())

    assert (await token(netsuite, assertion(netsuite, other, "ES256"))).body["error"] == "invalid_grant"


async def certified(netsuite: NetSuiteCaller, algorithm: str) -> Any:
    key: Any
    if algorithm.startswith("PS"):
        key = rsa.generate_private_key(65537, 2048)
    else:
        key = ec.generate_private_key({"ES256": ec.SECP256R1(), "ES512": ec.SECP521R1()}[algorithm])
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    added = {"clientId": "client-1", "certificateId": "cert-1", "publicKey": public.decode()}
    await netsuite.admin("POST", "/certificates", added)
    return key


def assertion(netsuite: NetSuiteCaller, key: Any, algorithm: str, *, claims: Any = None, header: Any = None) -> str:
    now = int(NOW.timestamp())
    told = {"typ": "JWT", "alg": algorithm, "kid": "cert-1", **(header or {})}
    says = {
        "iss": "client-1",
        "scope": "rest_webservices,suite_analytics",
        "aud": f"{netsuite.running.url}{TOKEN}",
        "iat": now,
        "exp": now + 3600,
        **(claims or {}),
    }
    signed = ".".join(encoded(json.dumps(part).encode()) for part in (told, says)).encode()
    hashed = {"256": hashes.SHA256(), "512": hashes.SHA512()}[algorithm[2:]]
    if algorithm.startswith("PS"):
        made = key.sign(signed, padding.PSS(padding.MGF1(hashed), hashed.digest_size), hashed)
    else:
        size = {"ES256": 32, "ES512": 66}[algorithm]
        made = b"".join(n.to_bytes(size, "big") for n in decode_dss_signature(key.sign(signed, ec.ECDSA(hashed))))
    return f"{signed.decode()}.{encoded(made)}"


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


async def token(netsuite: NetSuiteCaller, made: str) -> Any:
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION, "client_assertion": made}
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"none {time.time()}"}
    return await netsuite.call("POST", TOKEN, urlencode(form).encode(), **kind)
