"""One session for a conversation: opened on the first call, and once more when the source has ended it."""

from collections.abc import Callable, Collection, Generator, Mapping

from connectors.egress import Request, Response
from connectors.kit.auth import Flow

Headers = Mapping[str, str]


class SessionLogin:
    """Signs requests with what a log-in gave.

    Args:
        login: A conversation that logs in and returns the headers that later requests carry (a cookie, a token); it
            raises AuthError where the source refuses.
        ended: Statuses by which the source says, before it looks at the request, that the session is over.
    """

    def __init__(
        self, login: Callable[[], Generator[Request, Response, Headers]], *, ended: Collection[int] = (401,)
    ) -> None:
        self._login = login
        self._ended = ended
        self._headers: Headers | None = None

    @property
    def is_open(self) -> bool:
        """Whether a session is open that should be closed at the end."""
        return self._headers is not None

    def flow(self, request: Request) -> Flow:
        """Log in where needed, send, and once more after a refusal of the session."""
        fresh = self._headers is None
        if self._headers is None:
            self._headers = yield from self._login()
        response = yield request.with_headers(self._headers)
        if response.status in self._ended and not fresh:
            self._headers = None
            self._headers = yield from self._login()
            yield request.with_headers(self._headers)
