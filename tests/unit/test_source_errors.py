"""What a source says of its own accord holds none of the secrets that were sent to it."""

import pytest
from pydantic import SecretStr

from connectors.base import Form
from connectors.errors import AuthError, ConnectorError
from db.types import ErrorCode, Problem
from jobs.discreet import without_secrets


class Credentials(Form):
    user: str
    password: SecretStr
    pin: SecretStr | None = None


def test_secrets_are_taken_out_of_an_error_of_their_source() -> None:
    given = Credentials(user="api", password=SecretStr("s3cret!"), pin=SecretStr("12"))
    problem = Problem(ErrorCode.SOURCE_REJECTED, "refused s3cret!", ("x",), "s3cret!")

    with pytest.raises(ConnectorError) as raised, without_secrets(given):
        raise AuthError("No s3cret! for api.", source_message="bad password 's3cret!' (12)", problems=(problem,))

    error = raised.value
    assert (error.message, str(error)) == ("No *** for api.", "No *** for api.")
    assert error.source_message == "bad password '***' (12)"
    assert error.problems == (Problem(ErrorCode.SOURCE_REJECTED, "refused ***", ("x",), "***"),)


def test_other_errors_pass_as_they_are() -> None:
    with pytest.raises(ZeroDivisionError), without_secrets(Credentials(user="api", password=SecretStr("s3cret!"))):
        1 // 0  # noqa: B018
