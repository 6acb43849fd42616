"""CSRF tokens and OAuth tokens, without I/O."""

import pytest
from pydantic import SecretStr

from connectors.egress import Request, Response
from connectors.errors import AuthError, BadResponse
from connectors.kit.oauth2 import ClientCredentials
from connectors.sap_s4hana.csrf import CsrfSession

_POST = Request("POST", "https://s4.example/x/A", {"Content-Type": "application/json"}, b"{}", safe=False)


def _answer(status: int = 200, token: str = "", cookies: dict[str, str] | None = None, body: bytes = b"") -> Response:
    return Response(status, {"x-csrf-token": token} if token else {}, body, cookies or {})


def test_a_token_is_fetched_and_replayed_with_its_cookies() -> None:
    session = CsrfSession("https://s4.example/x/")

    fetch = session.fetch_request()
    session.learn(_answer(token="t0k", cookies={"SAP_SESSIONID_X": "a%3d", "sap-usercontext": "sap-client=100"}))
    signed = session.sign(_POST)

    assert (fetch.method, fetch.url, fetch.headers["x-csrf-token"]) == ("GET", "https://s4.example/x/", "Fetch")
    assert session.ready
    assert signed.headers["x-csrf-token"] == "t0k"
    assert signed.headers["Cookie"] == "SAP_SESSIONID_X=a%3d; sap-usercontext=sap-client=100"
    assert signed.headers["Content-Type"] == "application/json"
    assert (signed.body, signed.safe) == (b"{}", False)


def test_an_errors_token_counts_and_required_is_no_token() -> None:
    session = CsrfSession("https://s4.example/x/")

    session.learn(_answer(403, token="Required"))
    assert not session.ready
    session.learn(_answer(400, token="t0k"))
    assert session.ready


@pytest.mark.parametrize(
    ("status", "token", "refused"),
    [(403, "Required", True), (403, "required", True), (403, "", False), (400, "Required", False)],
)
def test_only_a_403_that_says_required_is_about_the_token(status: int, token: str, refused: bool) -> None:
    assert CsrfSession("https://s4.example/x/").refused(_answer(status, token)) is refused


def test_a_forgotten_session_replays_nothing() -> None:
    session = CsrfSession("https://s4.example/x/")
    session.learn(_answer(token="t0k", cookies={"a": "b"}))

    session.forget()

    assert not session.ready
    assert session.sign(_POST).headers == _POST.headers


def _credentials(clock: list[float]) -> ClientCredentials:
    return ClientCredentials("https://s4.example/token", "i d", SecretStr("s:x"), now=lambda: clock[0])


def test_a_token_is_asked_for_once_and_again_when_it_is_old() -> None:
    clock = [0.0]
    auth = _credentials(clock)

    flow = auth.flow(_POST)
    asked = next(flow)
    signed = flow.send(Response(200, {}, b'{"access_token":"one","expires_in":3600}'))
    assert (asked.url, asked.body) == ("https://s4.example/token", b"grant_type=client_credentials")
    assert asked.headers["Authorization"] == "Basic aSUyMGQ6cyUzQXg="  # i%20d:s%3Ax
    assert signed.headers["Authorization"] == "Bearer one"

    clock[0] = 3539.0
    assert next(auth.flow(_POST)).headers["Authorization"] == "Bearer one"
    clock[0] = 3540.0
    assert next(auth.flow(_POST)).url == "https://s4.example/token"


def test_a_refused_token_is_renewed_once() -> None:
    auth = _credentials([0.0])
    flow = auth.flow(_POST)
    next(flow)
    flow.send(Response(200, {}, b'{"access_token":"one","expires_in":3600}'))
    with pytest.raises(StopIteration):
        flow.send(Response(401, {}, b""))  # it was fresh: asking again would not help

    flow = auth.flow(_POST)
    assert next(flow).headers["Authorization"] == "Bearer one"
    assert flow.send(Response(401, {}, b"")).url == "https://s4.example/token"
    assert flow.send(Response(200, {}, b'{"access_token":"two"}')).headers["Authorization"] == "Bearer two"
    with pytest.raises(StopIteration):
        flow.send(Response(401, {}, b""))


@pytest.mark.parametrize(
    ("status", "error"), [(401, AuthError), (400, AuthError), (404, BadResponse), (503, BadResponse)]
)
def test_no_token_is_an_error_of_its_kind(status: int, error: type[Exception]) -> None:
    flow = _credentials([0.0]).flow(_POST)
    next(flow)

    with pytest.raises(error):
        flow.send(Response(status, {}, b"no"))
