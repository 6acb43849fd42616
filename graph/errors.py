"""The errors of the API: one class, one closed list of codes, nothing unexpected told."""

from collections.abc import Iterator
from typing import Any, Final

from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from db.engine import Database
from db.types import RETRYABLE, ErrorCode, InvalidId

UNAVAILABLE: Final = Database.unreachable
_REFUSED_EARLY: Final = (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError)


class ApiError(GraphQLError):
    """A failure that the caller is told about.

    Args:
        code: What kind of failure it is.
        message: One sentence, free of internals.
        details: Further extensions, such as connectionId or retryAfterSeconds.
    """

    def __init__(self, code: ErrorCode, message: str, **details: Any) -> None:
        super().__init__(message, extensions={"code": code.value, "retryable": code in RETRYABLE, **details})
        self.code = code


def bad_input(message: str, **details: Any) -> ApiError:
    """Make a BAD_USER_INPUT error."""
    return ApiError(ErrorCode.BAD_USER_INPUT, message, **details)


def told(error: GraphQLError, *, request_id: str) -> GraphQLError:
    """Make the error that leaves the process.

    Errors of ours and of the GraphQL language keep their message; anything
    else was unexpected, and says only where to look for it.
    """
    original = error.original_error
    message, extensions = error.message, {"code": ErrorCode.BAD_USER_INPUT.value, "retryable": False}
    if isinstance(error, ApiError) or isinstance(original, ApiError):
        ours = error if isinstance(error, ApiError) else original
        extensions |= getattr(ours, "extensions", None) or {}
    elif isinstance(original, InvalidId):
        message = str(original)
    elif isinstance(original, UNAVAILABLE):
        message = "The store is not available; ask again soon."
        extensions = {"code": ErrorCode.UNAVAILABLE.value, "retryable": True}
    elif original is not None and not isinstance(original, GraphQLError):
        message = "Something failed on our side. Tell us the request id."
        extensions["code"] = ErrorCode.INTERNAL.value
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={**extensions, "requestId": request_id},
    )


class TellErrors(SchemaExtension):
    """Makes every error of an answer, and of each streamed one, ready to leave the process."""

    def __init__(self) -> None:
        self._streamed = False

    def _tell(self, result: Any) -> None:
        if getattr(result, "errors", None):
            request_id = self.execution_context.context.request_id
            result.errors = [told(error, request_id=request_id) for error in result.errors]

    def on_operation(self) -> Iterator[None]:
        """Tell the errors of a single answer, and of one that ended before there was an answer."""
        self._streamed = False
        try:
            yield
        except _REFUSED_EARLY:
            raise
        except Exception as error:
            found = error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
            raise told(found, request_id=self.execution_context.context.request_id) from error
        if not self._streamed:
            self._tell(self.execution_context.result)

    def on_stream_result(self, result: Any) -> Iterator[None]:
        """Tell the errors of one streamed answer."""
        self._streamed = True
        self._tell(result)
        yield None
