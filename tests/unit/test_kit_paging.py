"""The kit's ways through pages and into sessions: values and generators, without I/O."""

from collections.abc import Generator
from typing import Any

import orjson
import pytest

from connectors.egress import Request, Response
from connectors.errors import BadResponse
from connectors.kit.paging import Walk, by_cursor, by_key, by_link, by_offset, by_page
from connectors.kit.session import Headers, SessionLogin

FIRST = Request("GET", "https://source.example/orders?status=open")


def answer(body: Any, status: int = 200) -> Response:
    return Response(status, {}, orjson.dumps(body))


def asked(walk: Walk, *answers: Response) -> list[str]:
    """Give the addresses that a walk asks for, as it is answered; it must end with the last answer."""
    urls = [next(walk).url]
    for number, each in enumerate(answers):
        try:
            urls.append(walk.send(each).url)
        except StopIteration:
            assert number == len(answers) - 1
            return urls
    raise AssertionError(f"the walk asks for more: {urls[-1]}")


def test_links_are_followed_to_the_last() -> None:
    walk = by_link(FIRST, lambda response: response.json().get("next"))

    assert asked(walk, answer({"next": "/orders?page=2"}), answer({"next": "?page=3"}), answer({})) == [
        "https://source.example/orders?status=open",
        "https://source.example/orders?page=2",
        "https://source.example/orders?page=3",
    ]


@pytest.mark.parametrize("link", ["https://elsewhere.example/orders", "http://source.example/orders", "?status=open"])
def test_a_link_to_another_host_or_in_a_circle_is_not_followed(link: str) -> None:
    walk = by_link(FIRST, lambda response: response.json()["next"])
    next(walk)

    with pytest.raises(BadResponse):
        walk.send(answer({"next": link}))


def test_a_cursor_is_handed_back_and_the_rest_of_the_query_kept() -> None:
    walk = by_cursor(FIRST, lambda response: response.json()["token"], name="$skiptoken")

    assert asked(walk, answer({"token": "a b"}), answer({"token": None}))[1:] == [
        "https://source.example/orders?status=open&$skiptoken=a%20b"
    ]


def test_a_cursor_that_comes_again_ends_the_walk_with_an_error() -> None:
    walk = by_cursor(FIRST, lambda response: response.json()["token"])
    next(walk)
    walk.send(answer({"token": "a"}))

    with pytest.raises(BadResponse, match="again"):
        walk.send(answer({"token": "a"}))


def test_offsets_go_on_behind_pages_smaller_than_asked_for() -> None:
    """A source may cap its pages; to see it fail, end the walk at a page that is not full."""
    walk = by_offset(FIRST, lambda response: len(response.json()), size=9)

    urls = asked(walk, answer([1, 2]), answer([3, 4]), answer([5]))

    assert [url.partition("&")[2] for url in urls] == [
        "offset=0&limit=9",
        "offset=2&limit=9",
        "offset=4&limit=9",
    ]


def test_a_skip_token_goes_with_the_filter_and_spaces_stay_spaces() -> None:
    first = Request("GET", "https://source.example/Orders?$filter=Name%20eq%20'A%2BB'&$top=2")
    walk = by_cursor(first, lambda response: response.json().get("token"), name="$skiptoken")

    urls = asked(walk, answer({"token": "x y"}), answer({}))

    assert urls[1] == "https://source.example/Orders?$filter=Name%20eq%20%27A%2BB%27&$top=2&$skiptoken=x%20y"


def test_offsets_go_on_until_a_page_is_not_full() -> None:
    walk = by_offset(FIRST, lambda response: len(response.json()), size=2)

    assert [url.partition("&")[2] for url in asked(walk, answer([1, 2]), answer([3, 4]), answer([]))] == [
        "offset=0&limit=2",
        "offset=2&limit=2",
        "offset=4&limit=2",
    ]


def test_pages_go_on_as_long_as_there_is_more() -> None:
    walk = by_page(FIRST, lambda response: bool(response.json()), start=0)

    assert [url[-6:] for url in asked(walk, answer([1]), answer([]))] == ["page=0", "page=1"]


def test_keys_go_on_behind_the_last_and_never_stand_still() -> None:
    def request(after: int | None) -> Request:
        return Request("GET", f"https://source.example/orders?after={after or 0}")

    walk = by_key(request, lambda response: response.json()[-1] if response.json() else None)
    still = by_key(request, lambda response: response.json()[-1], after=7)
    next(still)

    assert [url[-7:] for url in asked(walk, answer([1, 2]), answer([9]), answer([]))] == [
        "after=0",
        "after=2",
        "after=9",
    ]
    with pytest.raises(BadResponse, match="again"):
        still.send(answer([7]))


def test_a_session_is_opened_once_and_again_when_it_ended() -> None:
    logins = 0

    def login() -> Generator[Request, Response, Headers]:
        nonlocal logins
        logins += 1
        response = yield Request("POST", "https://source.example/login")
        return {"Cookie": response.json()["session"]}

    auth = SessionLogin(login)
    first = auth.flow(FIRST)
    assert next(first).url.endswith("/login")
    assert first.send(answer({"session": "s1"})).headers == {"Cookie": "s1"}
    with pytest.raises(StopIteration):
        first.send(answer({}))

    second = auth.flow(FIRST)
    assert next(second).headers == {"Cookie": "s1"}
    assert second.send(answer({}, 401)).url.endswith("/login")
    assert second.send(answer({"session": "s2"})).headers == {"Cookie": "s2"}
    with pytest.raises(StopIteration):
        second.send(answer({}, 401))  # refused twice: the caller's to judge
    assert logins == 2
