"""One answer for all who follow the same stream with the same document and the same rights."""

import asyncio
from dataclasses import replace
from typing import Any

from graphql import ExecutionResult, GraphQLError

from db.models.organization import TokenKind, TokenScope
from db.scope import Scope
from db.types import new_id
from graph.context import Principal
from graph.shared import Shared, Sharing

WHO = Principal(new_id(), TokenKind.ORGANIZATION, TokenScope.ADMIN, Scope(new_id()))
QUERY = "subscription { events { sequence } }"


class Executed:
    """Counts what is executed."""

    def __init__(self, **result: Any) -> None:
        self.values: list[Any] = []
        self.result = ExecutionResult(**{"data": {"a": 1}, **result})

    async def __call__(self, value: Any) -> ExecutionResult:
        self.values.append(value)
        return self.result


async def answers(value: Any, execute: Executed, *of: Sharing) -> list[bytes]:
    return [(await each.answered(value, execute))[0] for each in of]


async def test_the_same_document_with_the_same_variables_is_executed_once() -> None:
    """Off: the look into `value.answers` in graph/shared.py."""
    execute, value = Executed(), Shared("event", {})

    told = await answers(value, execute, *(Sharing(QUERY, None, {"after": "1"}, WHO) for _ in range(1000)))

    assert (set(told), execute.values) == ({b'{"a":1}'}, ["event"])


async def test_another_document_name_or_variable_is_executed_by_itself() -> None:
    execute, value = Executed(), Shared("event", {})

    await answers(
        value,
        execute,
        Sharing(QUERY, None, {}, WHO),
        Sharing(QUERY, "Other", {}, WHO),
        Sharing(QUERY, None, {"skip": True}, WHO),
        Sharing(QUERY.replace("sequence", "type"), None, {}, WHO),
    )

    assert len(execute.values) == 4


async def test_another_scope_or_right_is_answered_by_itself() -> None:
    """Off: `who` left out of the key in graph/shared.py: one caller is told what another may see."""
    execute, value = Executed(), Shared("event", {})
    held = replace(WHO, scope=WHO.scope.narrowed(new_id()))

    for who in (WHO, replace(WHO, token_id=new_id()), held, replace(WHO, may=TokenScope.READ), held):
        await answers(value, execute, Sharing(QUERY, None, {}, who))

    assert len(execute.values) == 3


async def test_what_failed_is_not_shared() -> None:
    fails, value = Executed(errors=[GraphQLError("x")]), Shared("event", {})

    await answers(value, fails, *(Sharing(QUERY, None, {}, WHO) for _ in range(3)))

    assert (len(fails.values), value.answers) == (3, {})


async def test_whoever_comes_while_it_is_executed_waits_for_it_and_goes_on_alone_where_that_one_leaves() -> None:
    """Off: `held.set_result` in graph/shared.py under `finally`: those who wait are never answered."""
    value, begun, go = Shared("event", {}), asyncio.Event(), asyncio.Event()
    executed: list[Any] = []

    async def execute(of: Any) -> ExecutionResult:
        executed.append(of)
        begun.set()
        await go.wait()
        return ExecutionResult(data={"a": 1})

    first, second, third = (
        asyncio.create_task(Sharing(QUERY, None, {}, WHO).answered(value, execute)) for _ in range(3)
    )
    await begun.wait()
    second.cancel()
    await asyncio.wait({second})
    assert executed == ["event"]
    first.cancel()
    await asyncio.wait({first})
    go.set()

    assert (await asyncio.wait_for(third, 5))[0] == b'{"a":1}'
    assert executed == ["event"] * 2


async def test_what_is_no_event_is_executed_for_each() -> None:
    execute = Executed()

    await answers("plain", execute, Sharing(QUERY, None, {}, WHO), Sharing(QUERY, None, {}, WHO))

    assert execute.values == ["plain", "plain"]
