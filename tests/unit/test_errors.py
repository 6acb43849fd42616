"""What leaves the process when something fails: told errors whole, unexpected ones masked."""

from typing import Any

import pytest
from graphql import GraphQLError, parse, validate
from graphql.error import located_error
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from db.types import RETRYABLE, ErrorCode, InvalidId
from graph.errors import MEANINGS, ApiError, bad_input, told
from graph.schema import make_schema

SECRET = "postgresql://crosshead:hunter2@db.internal/crosshead"


def raised(error: Exception) -> GraphQLError:
    """Give the error as graphql-core hands it on from a resolver."""
    return located_error(error, None, ["purchaseOrders"])


def extensions(code: ErrorCode, **values: Any) -> dict[str, Any]:
    return {
        "code": code.value,
        "retryable": code in RETRYABLE,
        "remedy": MEANINGS[code].remedy,
        "requestId": "req_1",
        **values,
    }


@pytest.mark.parametrize("error", [ValueError(SECRET), KeyError(SECRET), RuntimeError(SECRET), TypeError(SECRET)])
def test_an_unexpected_error_says_only_where_to_look_for_it(error: Exception) -> None:
    answer = told(raised(error), request_id="req_1")

    assert "hunter2" not in str(answer.formatted)
    assert answer.formatted == {
        "message": "Something failed on our side. Tell us the request id.",
        "path": ["purchaseOrders"],
        "extensions": extensions(ErrorCode.INTERNAL),
    }


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("SELECT 1", None, Exception(SECRET)),
        PoolTimeout(SECRET),
        ConnectionRefusedError(SECRET),
        TimeoutError(SECRET),
    ],
)
def test_a_store_that_is_down_is_unavailable_and_may_be_asked_again(error: Exception) -> None:
    answer = told(raised(error), request_id="req_1")

    assert "hunter2" not in str(answer.formatted)
    assert answer.message == "The store is not available; ask again soon."
    assert answer.extensions == extensions(ErrorCode.UNAVAILABLE, retryAfterSeconds=2)


def test_an_error_of_ours_keeps_its_message_code_and_details() -> None:
    error = ApiError(ErrorCode.CONFLICT, "It changed meanwhile.", connectionId="conn_1")

    answer = told(raised(error), request_id="req_1")

    assert answer.message == "It changed meanwhile."
    assert answer.path == ["purchaseOrders"]
    assert answer.extensions == extensions(ErrorCode.CONFLICT, connectionId="conn_1")


def test_an_error_of_ours_that_nobody_located_is_told_alike() -> None:
    answer = told(bad_input("No."), request_id="req_1")

    assert (answer.message, answer.extensions) == ("No.", extensions(ErrorCode.BAD_USER_INPUT))


def test_a_wrong_id_is_bad_input_with_its_own_words() -> None:
    answer = told(raised(InvalidId("'x' is not an id of this API.")), request_id="req_1")

    assert answer.message == "'x' is not an id of this API."
    assert answer.extensions == extensions(ErrorCode.BAD_USER_INPUT)


def test_an_error_of_the_language_keeps_its_message_and_place() -> None:
    (error,) = validate(make_schema()._schema, parse("{ nothing }"))

    answer = told(error, request_id="req_1")

    assert answer.message == "Cannot query field 'nothing' on type 'Query'."
    assert answer.formatted["locations"] == [{"line": 1, "column": 3}]
    assert answer.extensions == extensions(ErrorCode.BAD_USER_INPUT)


@pytest.mark.parametrize("code", list(ErrorCode))
def test_retryable_are_exactly_the_codes_that_waiting_helps(code: ErrorCode) -> None:
    waiting = {"SOURCE_UNREACHABLE", "SOURCE_RATE_LIMITED", "SOURCE_ERROR", "RATE_LIMITED", "UNAVAILABLE"}

    assert (ApiError(code, "x").extensions or {})["retryable"] is (code.value in waiting)
