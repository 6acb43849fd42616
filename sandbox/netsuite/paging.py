"""Pages of collections: limit, offset, links, hasMore, totalResults."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.datastructures import URL

from sandbox.netsuite.errors import RestError

MAX_LIMIT: Final = 1000


def window(asked: Mapping[str, str]) -> tuple[int, int]:
    """Read limit and offset.

    Raises:
        RestError: 400: the limit is not 1 to 1000, or the offset no multiple of it.
    """
    limit, offset = _number(asked, "limit", MAX_LIMIT), _number(asked, "offset", 0)
    if not 1 <= limit <= MAX_LIMIT:
        raise _bad("limit", f"The limit must be between 1 and {MAX_LIMIT}.")
    if offset % limit:
        raise _bad("offset", "The offset must be divisible by the limit.")
    return limit, offset


def envelope(url: URL, items: Sequence[Any], *, limit: int, offset: int, total: int) -> dict[str, Any]:
    """Give a page as the services do."""
    more = offset + limit < total
    last = (total - 1) // limit * limit if total else 0
    places = {"self": offset}
    if offset:
        places |= {"first": 0, "previous": max(0, offset - limit)}
    if more:
        places |= {"next": offset + limit, "last": last}
    links = [
        {"rel": name, "href": str(url.include_query_params(limit=limit, offset=place))}
        for name, place in places.items()
    ]
    return {
        "links": links,
        "count": len(items),
        "hasMore": more,
        "items": items,
        "offset": offset,
        "totalResults": total,
    }


def _number(asked: Mapping[str, str], name: str, default: int) -> int:
    text = asked.get(name, str(default))
    if not text.isdigit():
        raise _bad(name, f"Invalid value {text!r} for query parameter {name}.")
    return int(text)


def _bad(name: str, text: str) -> RestError:
    return RestError(400, "INVALID_PARAMETER", text, where=("o:errorQueryParam", name))
