"""How NetSuite's REST services word a refusal: type, title, status, o:errorDetails."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson
from starlette.responses import Response

_SECTIONS: Final = {400: "4.1", 401: "4.2", 403: "4.4", 404: "4.5", 405: "4.6", 409: "4.10", 429: "4"}
_MEDIA: Final = "application/vnd.oracle.resource+json; type=error"
RESOURCE: Final = "Error while accessing a resource. "
LOGIN: Final = (
    "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at Setup > Users/Roles >"
    " User Management > View Login Audit Trail."
)
BUSY: Final = "Concurrent request limit exceeded. Request blocked."


class RestError(Exception):
    """A refusal.

    Attributes:
        where: Which of o:errorPath, o:urlPath, o:errorHeader, o:errorQueryParam names the culprit, and its name.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        where: tuple[str, str] | None = None,
        title: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.where = status, code, detail, where
        self.title = title or HTTPStatus(status).phrase
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """Render it."""
        return Response(orjson.dumps(self.body()), self.status, self.headers, _MEDIA)

    def body(self) -> dict[str, Any]:
        """Give its JSON."""
        told: dict[str, Any] = {"detail": self.detail}
        if self.where is not None:
            told[self.where[0]] = self.where[1]
        section = _SECTIONS.get(self.status, "5.1" if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "4.1")
        return {
            "type": f"https://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html#sec10.{section}",
            "title": self.title,
            "status": self.status,
            "o:errorDetails": [{**told, "o:errorCode": self.code}],
        }


def login_refused() -> RestError:
    """Refuse whoever does not log on, or whose role may not use REST: the answer does not tell which."""
    return RestError(401, "INVALID_LOGIN", LOGIN)


def invalid(detail: str, path: str) -> RestError:
    """Refuse a value."""
    return RestError(400, "INVALID_CONTENT", f"Error while accessing resource: {detail}", where=("o:errorPath", path))


def user_error(detail: str, path: str = "") -> RestError:
    """Refuse what a business rule forbids."""
    return RestError(400, "USER_ERROR", f"{RESOURCE}{detail}", where=("o:errorPath", path) if path else None)


def not_found(record: str, key: str) -> RestError:
    """Say that there is no such record, or none that the role may see."""
    return RestError(
        404,
        "NONEXISTENT_ID",
        f"The record instance does not exist. Provide a valid record instance ID. ({record} {key})",
        where=("o:errorUrlPath", key),
    )


def bad_query(detail: str) -> RestError:
    """Refuse a query that cannot be run."""
    text = f"Invalid search query. Detailed unprocessed description follows. {detail}"
    return RestError(400, "INVALID_PARAMETER", text, where=("o:errorQueryParam", "q"), title="Invalid search query.")


def denied(record: str, need: str) -> RestError:
    """Refuse what the role may not do with a kind of record."""
    text = (
        f"Permission Violation: You need the '{need}' permission on {record} to access this page."
        " Please contact your account administrator."
    )
    return RestError(403, "INSUFFICIENT_PERMISSION", text)
