"""Signing in as a conversation, without I/O."""

from base64 import b64decode

import orjson
import pytest
from pydantic import SecretStr

from connectors.egress import Request, Response
from connectors.errors import AuthError, ConfigError, RateLimited, SourceFault
from connectors.kit.auth import Flow
from connectors.kit.session import SessionLogin
from connectors.tryton import wire
from connectors.tryton.session import session_login

CALL = wire.request("http://erp.example/demo/", "model.party.party.search", [], {})


def auth() -> SessionLogin:
    return session_login(
        base_url="http://erp.example", database="demo", username="buyer", password=SecretStr("correct horse")
    )


def answer(result: object) -> Response:
    return Response(200, {}, orjson.dumps({"id": 1, "result": result}))


def method(request: Request) -> str:
    return str(orjson.loads(request.body or b"")["method"])


def token(request: Request) -> str:
    scheme, _, value = request.headers["Authorization"].partition(" ")
    assert scheme == "Session"
    return b64decode(value).decode()


def opened(signs: SessionLogin, session: str) -> Flow:
    """Log in for a first call; the flow waits for that call's response."""
    flow = signs.flow(CALL)
    assert method(next(flow)) == "common.db.login"
    assert token(flow.send(answer([7, session]))) == f"buyer:7:{session}"
    return flow


def end(flow: Flow, response: Response) -> None:
    with pytest.raises(StopIteration):
        flow.send(response)


def test_the_first_call_logs_in() -> None:
    flow = auth().flow(CALL)
    login = next(flow)

    assert login.url == "http://erp.example/demo/"
    assert orjson.loads(login.body or b"")["params"] == ["buyer", {"password": "correct horse"}, "en"]
    signed = flow.send(answer([7, "abc"]))
    assert signed.body == CALL.body
    assert token(signed) == "buyer:7:abc"
    end(flow, answer([]))


def test_later_calls_use_the_session() -> None:
    signs = auth()
    end(opened(signs, "abc"), answer([]))

    flow = signs.flow(CALL)

    assert token(next(flow)) == "buyer:7:abc"
    end(flow, answer([]))


def test_a_forgotten_session_is_opened_once_more() -> None:
    signs = auth()
    end(opened(signs, "abc"), answer([]))
    flow = signs.flow(CALL)
    next(flow)

    login = flow.send(Response(401, {}, b""))
    again = flow.send(answer([7, "def"]))

    assert method(login) == "common.db.login"
    assert token(again) == "buyer:7:def"
    end(flow, Response(401, {}, b""))


def test_a_wrong_password_is_told() -> None:
    flow = auth().flow(CALL)
    next(flow)

    with pytest.raises(AuthError, match="user name or the password") as caught:
        flow.send(Response(401, {}, b""))
    assert "correct horse" not in str(caught.value)


def test_too_many_failed_logins_are_a_rate_limit() -> None:
    flow = auth().flow(CALL)
    next(flow)

    with pytest.raises(RateLimited):
        flow.send(Response(429, {}, b""))


def test_a_second_factor_cannot_be_given() -> None:
    flow = auth().flow(CALL)
    next(flow)

    with pytest.raises(AuthError, match="further sign-in step"):
        flow.send(Response(200, {}, b'{"id":1,"error":["LoginException",["sms_code","Code for buyer","char"]]}'))


FAULT = Response(200, {}, b"""{"id":1,"error":["'Transaction' object has no attribute '_datamanagers'",""]}""")


def test_a_database_that_is_not_listed_does_not_exist() -> None:
    flow = auth().flow(CALL)
    next(flow)
    listing = flow.send(FAULT)

    assert (listing.url, method(listing)) == ("http://erp.example/", "common.db.list")
    with pytest.raises(ConfigError, match="no database named 'demo'"):
        flow.send(answer(["other"]))


@pytest.mark.parametrize("listing", [answer(["demo"]), Response(403, {}, b"")])
def test_a_fault_of_a_listed_database_stays_a_fault(listing: Response) -> None:
    flow = auth().flow(CALL)
    next(flow)
    flow.send(FAULT)

    with pytest.raises(SourceFault):
        flow.send(listing)


def test_a_database_that_answers_404_does_not_exist() -> None:
    flow = auth().flow(CALL)
    next(flow)

    with pytest.raises(ConfigError):
        flow.send(Response(404, {}, b"<html>"))
