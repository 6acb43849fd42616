"""OAuth 1.0a against the examples of RFC 5849, and against a signature made with other means."""

import base64
import hashlib
import hmac

from pydantic import SecretStr

from connectors.egress import Request
from connectors.kit.oauth1 import OAuth1, base_string, signature


def test_the_base_string_of_rfc_5849_3_4_1_1() -> None:
    url = "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b"
    pairs = [
        ("oauth_consumer_key", "9djdj82h48djs9d2"),
        ("oauth_token", "kkk9d7dh3k39sjv7"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131201"),
        ("oauth_nonce", "7d8f3e4a"),
        ("c2", ""),  # the body, which is a form there
        ("a3", "2 q"),
    ]

    assert base_string("post", url, pairs) == (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D"
        "%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1"
        "%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    )


def test_the_signature_of_rfc_5849_1_2() -> None:
    pairs = {
        "oauth_consumer_key": "dpf43f3p2l4k3l03",
        "oauth_token": "nnch734d00sl2jdk",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "137131202",
        "oauth_nonce": "chapoH",
    }
    url = "http://photos.example.net/photos?file=vacation.jpg&size=original"
    base = base_string("GET", url, pairs.items())

    assert signature(base, "kd94hf93k423kf44", "pfkkdhi9sl3r4s00", digest="sha1") == "MdpQcU8iPSUjWoN/UDMsK2sui9I="


def test_the_header_signs_query_pairs_and_not_the_realm() -> None:
    auth = OAuth1(
        consumer_key="ck",
        consumer_secret=SecretStr("c&s"),
        token="tk",
        token_secret=SecretStr("t s"),
        realm="1234567_SB1",
        now=lambda: 1_700_000_000.9,
        nonce=lambda: "abcdef",
    )
    request = Request("POST", "https://1234567-sb1.suitetalk.api.netsuite.com/services/rest/x?limit=1000&offset=0")

    header = next(auth.flow(request)).headers["Authorization"]

    base = (
        "POST&https%3A%2F%2F1234567-sb1.suitetalk.api.netsuite.com%2Fservices%2Frest%2Fx&limit%3D1000%26"
        "oauth_consumer_key%3Dck%26oauth_nonce%3Dabcdef%26oauth_signature_method%3DHMAC-SHA256%26"
        "oauth_timestamp%3D1700000000%26oauth_token%3Dtk%26oauth_version%3D1.0%26offset%3D0"
    )
    signed = base64.b64encode(hmac.new(b"c%26s&t%20s", base.encode(), hashlib.sha256).digest()).decode()
    told = signed.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    assert header == (
        'OAuth realm="1234567_SB1", oauth_consumer_key="ck", oauth_token="tk", oauth_signature_method="HMAC-SHA256", '
        f'oauth_timestamp="1700000000", oauth_nonce="abcdef", oauth_version="1.0", oauth_signature="{told}"'
    )
