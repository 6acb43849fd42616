"""Who asks: a bearer token looked up at each request, with no cache."""

from typing import Any

from db import tokens
from db.models.connection import ConnectionStatus
from db.tokens import Holder
from db.types import ErrorCode, encode_id, tell_instant
from graph.context import Principal
from graph.together import Together


class Refused(Exception):
    """The request carries no live token.

    Attributes:
        message: Why, for the holder; a token that was never issued is told nothing more.
        holder: Who held a token that was valid once.
        reason: Why in one word, for the holder of a token that was valid once.
        connection_id, connection_status: Such a token's connection.
    """

    code = ErrorCode.UNAUTHENTICATED

    def __init__(self, message: str, holder: Holder | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.holder = holder
        self.reason = holder.dead.name if holder and holder.dead else None
        self.connection_status = holder.connection_status if holder else None
        self.connection_id = holder.scope.connection_id if holder else None

    @property
    def details(self) -> dict[str, str]:
        """What an answer's extensions tell beside the code."""
        told = {
            "reason": self.reason,
            "connectionId": encode_id("ConnectedSystem", self.connection_id) if self.connection_id else None,
            "connectionStatus": self.connection_status.value if self.connection_status else None,
        }
        return {name: value for name, value in told.items() if value is not None}


def bearer(header: str | None) -> str | None:
    """Take the token from an Authorization header (RFC 6750); None where there is none."""
    scheme, _, token = (header or "").strip().partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def challenge(error: str | None = None, description: str = "", *, scope: str | None = None) -> str:
    """Give the WWW-Authenticate header of RFC 6750, which names no error where no token was sent.

    Args:
        error: invalid_token or insufficient_scope.
        description: A sentence of ours; quotes and whatever is not ASCII are left out, as the header asks.
        scope: The scope that would do.
    """
    plain = "".join(sign for sign in description if " " <= sign <= "~" and sign not in '"\\')
    told = {"realm": "crosshead", "error": error, "error_description": plain if error else None, "scope": scope}
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in told.items() if value)


async def authenticate(together: Together, token: str | None) -> Principal:
    """Give the principal of a live token.

    Raises:
        Refused: No token, one that was never issued, or a dead one.
    """
    if token is None:
        raise Refused("Send a bearer token in the Authorization header.")
    if not tokens.well_formed(token):
        raise Refused("The token is not one of this API.")
    holder = await together.holder(token)
    if holder is None:
        raise Refused("The token is not one of this API.")
    if holder.dead is not None:
        raise Refused(holder.dead.value, holder)
    return Principal(
        holder.token_id,
        holder.kind,
        holder.may,
        holder.scope,
        _unreachable(holder),
        last_four=holder.last_four,
        api_version=holder.api_version,
    )


def _unreachable(holder: Holder) -> dict[str, Any] | None:
    """Give what answers from the store say while the source cannot be reached."""
    if holder.connection_status is not ConnectionStatus.UNREACHABLE:
        return None
    at = holder.last_success_at
    return {"connectionStatus": holder.connection_status.value, "lastSuccessAt": at and tell_instant(at)}
