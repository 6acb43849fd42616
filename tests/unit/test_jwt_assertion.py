"""Client assertions: verified with the public key, by code that did not sign them."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pydantic import SecretStr

from connectors.egress import Request, Response
from connectors.errors import AuthError
from connectors.kit.jwt_assertion import JwtAssertion, private_key

URL = "https://1234567.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}


def pem(key: Any) -> str:
    form = serialization.PrivateFormat.PKCS8
    told: bytes = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return told.decode()


def an_auth(key: Any) -> JwtAssertion:
    clocks: Any = {"now": lambda: 0.0, "wall": lambda: 1_700_000_000.5}
    return JwtAssertion(URL, "client", "cert-1", SecretStr(pem(key)), scope="rest_webservices", **clocks)


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    head, body, signed = token.split(".")
    read = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in (head, body, signed)]
    return json.loads(read[0]), json.loads(read[1]), f"{head}.{body}".encode(), read[2]


def test_an_rsa_key_signs_by_pss() -> None:
    head, claims, signed, signature = parts(an_auth(RSA_KEY).assertion())

    pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
    RSA_KEY.public_key().verify(signature, signed, pss, hashes.SHA256())
    assert head == {"alg": "PS256", "kid": "cert-1", "typ": "JWT"}
    assert claims == {
        "iss": "client",
        "scope": "rest_webservices",
        "aud": URL,
        "iat": 1_700_000_000,
        "exp": 1_700_000_300,
    }


@pytest.mark.parametrize("algorithm", list(CURVES))
def test_an_elliptic_key_signs_by_its_curve(algorithm: str) -> None:
    key = ec.generate_private_key(CURVES[algorithm])
    head, _, signed, signature = parts(an_auth(key).assertion())

    half = len(signature) // 2
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    digest = {"ES256": hashes.SHA256(), "ES384": hashes.SHA384(), "ES512": hashes.SHA512()}[algorithm]
    key.public_key().verify(encode_dss_signature(r, s), signed, ec.ECDSA(digest))
    assert head["alg"] == algorithm


def test_a_token_is_asked_for_with_the_assertion_and_no_secret() -> None:
    flow = an_auth(RSA_KEY).flow(Request("GET", "https://x.example/records"))

    asked = next(flow)
    form = parse_qs((asked.body or b"").decode())
    signed = flow.send(Response(200, {}, b'{"access_token":"abc","expires_in":"3600","token_type":"Bearer"}'))

    assert (asked.method, asked.url, "Authorization" in asked.headers) == ("POST", URL, False)
    assert form["grant_type"] == ["client_credentials"]
    assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
    assert form["client_assertion"][0].count(".") == 2
    assert signed.headers["Authorization"] == "Bearer abc"


def test_a_refused_assertion_asks_for_other_credentials() -> None:
    flow = an_auth(RSA_KEY).flow(Request("GET", "https://x.example/records"))
    next(flow)
    with pytest.raises(AuthError):
        flow.send(Response(400, {}, b'{"error":"invalid_grant"}'))


@pytest.mark.parametrize(
    "told", ["no key", pem(ed25519.Ed25519PrivateKey.generate())], ids=["no key", "a key that signs otherwise"]
)
def test_what_cannot_sign_is_no_key(told: str) -> None:
    with pytest.raises(ValueError, match="private key"):
        private_key(told)
