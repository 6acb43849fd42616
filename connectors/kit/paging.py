"""Walking through the pages of a list as a conversation: yield a request, receive its response, no I/O inside.

Each way gives one request after the other until the list ends; what it makes of a response is handed to `rows`. A walk
never goes twice to one place: a source that leads in a circle is told, and not followed for ever.
"""

from collections.abc import Callable, Generator, Mapping
from typing import TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from connectors.egress import Egress, Request, Response, SignsRequests
from connectors.errors import BadResponse
from connectors.kit.odata2 import follow

T = TypeVar("T")
Walk = Generator[Request, Response, None]


def by_link(first: Request, link: Callable[[Response], str | None]) -> Walk:
    """Follow the source's own next links, as OData, GitHub and many others tell them; None or "" ends the list.

    Raises:
        BadResponse: A link leads to another host, or where the walk has been.
    """
    request, seen = first, {first.url}
    while True:
        response = yield request
        told = link(response)
        if not told:
            return
        target = follow(told, came_from=request.url)
        if target in seen:
            raise BadResponse("The source's next link leads to a page that was read before.")
        seen.add(target)
        request = Request(first.method, target, first.headers, first.body, safe=first.safe)


def by_cursor(first: Request, cursor: Callable[[Response], str | None], *, name: str = "cursor") -> Walk:
    """Hand back the cursor, or skip token, that each page tells, as the query's `name`; None or "" ends the list.

    Raises:
        BadResponse: The source tells a cursor again.
    """
    request, seen = first, set[str]()
    while True:
        response = yield request
        told = cursor(response)
        if not told:
            return
        if told in seen:
            raise BadResponse("The source tells a page's cursor again.")
        seen.add(told)
        request = with_query(first, {name: told})


def by_offset(
    first: Request, count: Callable[[Response], int], *, size: int, offset: str = "offset", limit: str = "limit"
) -> Walk:
    """Ask for `size` rows from 0 on, then behind those; a page smaller than the one before, or an empty one, ends it.

    So a source that gives fewer at once than it is asked for costs a call, and no rows.

    Rows that come or go meanwhile shift the others: only for lists that stand still, or are read again.
    """
    start, before = 0, 0
    while True:
        response = yield with_query(first, {offset: str(start), limit: str(size)})
        found = count(response)
        if found < (before or 1):
            return
        start, before = start + found, found


def by_page(first: Request, more: Callable[[Response], bool], *, name: str = "page", start: int = 1) -> Walk:
    """Ask for page after page, counted from `start`, as long as there is more."""
    number = start
    while True:
        response = yield with_query(first, {name: str(number)})
        if not more(response):
            return
        number += 1


def by_key(
    first: Callable[[T | None], Request], last: Callable[[Response], T | None], *, after: T | None = None
) -> Walk:
    """Ask for what lies behind the last key seen; None ends the list. The way that loses nothing while rows change.

    Raises:
        BadResponse: The source gives the same last key again.
    """
    while True:
        response = yield first(after)
        found = last(response)
        if found is None:
            return
        if found == after:
            raise BadResponse(f"The source gives {found!r} again behind {after!r}.")
        after = found


async def responses(egress: Egress, walk: Walk, *, auth: SignsRequests | None = None) -> "list[Response]":
    """Send all requests of a walk; gives their responses. For short lists: long ones are walked page by page."""
    found = []
    request = next(walk, None)
    while request is not None:
        found.append(await egress.send(request, auth=auth))
        try:
            request = walk.send(found[-1])
        except StopIteration:
            request = None
    return found


def with_query(request: Request, more: Mapping[str, str]) -> Request:
    """Give a request with names of its query set, others kept."""
    parts = urlsplit(request.url)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in more]
    # A space is %20: `+` is a plus sign to some; and `$filter` stays readable.
    url = urlunsplit(parts._replace(query=urlencode([*kept, *more.items()], quote_via=quote, safe="$")))
    return Request(request.method, url, request.headers, request.body, safe=request.safe)
