"""Who asks: a bearer token looked up at each request, with no cache."""

from db import tokens
from db.engine import Database
from db.types import ErrorCode
from graph.context import Principal


class Refused(Exception):
    """The request carries no live token.

    Attributes:
        message: Why, for the holder; a token that was never issued is told nothing more.
        connection_status: The status of a once-valid token's connection.
    """

    code = ErrorCode.UNAUTHENTICATED

    def __init__(self, message: str, connection_status: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.connection_status = connection_status


def bearer(header: str | None) -> str | None:
    """Take the token from an Authorization header (RFC 6750); None where there is none."""
    scheme, _, token = (header or "").strip().partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


async def authenticate(database: Database, token: str | None) -> Principal:
    """Give the principal of a live token.

    Raises:
        Refused: No token, one that was never issued, or a dead one.
    """
    if token is None:
        raise Refused("Send a bearer token in the Authorization header.")
    if not tokens.well_formed(token):
        raise Refused("The token is not one of this API.")
    async with database.system() as session:
        holder = await tokens.find(session, token)
        if holder is not None and holder.dead_reason is None:
            await tokens.touch(session, holder.token_id)
    if holder is None:
        raise Refused("The token is not one of this API.")
    if holder.dead_reason is not None:
        raise Refused(holder.dead_reason, holder.connection_status.value if holder.connection_status else None)
    return Principal(holder.token_id, holder.kind, holder.may, holder.scope)
