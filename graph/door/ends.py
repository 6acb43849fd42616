"""What stays open ends with its token: sockets by a close frame, streams by an error and their end."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Final

from db.tokens import Dead
from db.types import ErrorCode
from graph.context import Context
from graph.errors import ApiError, told
from graph.operations import Answer

FORBIDDEN: Final = 4403
"""Close code of graphql-transport-ws for a caller that is not let in. Not 4401, after which clients never come back:
one whose token was rotated comes back with the new one."""


async def until_ended(context: Context, answers: AsyncGenerator[Answer, None]) -> AsyncGenerator[Answer, None]:
    """Give answers until the token that asked for them ends; then the last one says why."""
    who = context.who
    async with contextlib.aclosing(answers), context.services.revocations.token(who.token_id, who.scope) as watch:
        ending = asyncio.ensure_future(watch.ended())
        try:
            while True:
                pending = asyncio.ensure_future(anext(answers))
                try:
                    await asyncio.wait({pending, ending}, return_when=asyncio.FIRST_COMPLETED)
                    if ending.done():
                        yield _ended(context, ending.result())
                        return
                    try:
                        answer = pending.result()
                    except StopAsyncIteration:
                        return
                finally:
                    if not pending.done():
                        pending.cancel()
                        await asyncio.wait({pending})
                yield answer
        finally:
            ending.cancel()


def _ended(context: Context, why: Dead) -> Answer:
    error = ApiError(ErrorCode.UNAUTHENTICATED, why.value, reason=why.name)
    return Answer(errors=[told(error, request_id=context.request_id)], refused=True)
