"""One answer for all who follow the same stream with the same document."""

from typing import Any

from graphql import ExecutionResult, GraphQLError

from graph.shared import Shared, Sharing

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

    told = await answers(value, execute, *(Sharing(QUERY, None, {"after": "1"}) for _ in range(1000)))

    assert (set(told), execute.values) == ({b'{"a":1}'}, ["event"])


async def test_another_document_name_or_variable_is_executed_by_itself() -> None:
    execute, value = Executed(), Shared("event", {})

    await answers(
        value,
        execute,
        Sharing(QUERY, None, {}),
        Sharing(QUERY, "Other", {}),
        Sharing(QUERY, None, {"skip": True}),
        Sharing(QUERY.replace("sequence", "type"), None, {}),
    )

    assert len(execute.values) == 4


async def test_what_is_read_for_each_caller_and_what_failed_is_not_shared() -> None:
    """Off: `_READS` in graph/shared.py: one caller is told what another may see."""
    reads, fails, value = Executed(), Executed(errors=[GraphQLError("x")]), Shared("event", {})

    await answers(value, reads, *(Sharing("subscription { events { record { id } } }", None, {}) for _ in range(3)))
    await answers(value, fails, *(Sharing(QUERY, None, {}) for _ in range(3)))

    assert (len(reads.values), len(fails.values), value.answers) == (3, 3, {})


async def test_what_is_no_event_is_executed_for_each() -> None:
    execute = Executed()

    await answers("plain", execute, Sharing(QUERY, None, {}), Sharing(QUERY, None, {}))

    assert execute.values == ["plain", "plain"]
