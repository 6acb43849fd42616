"""Times have one form, UTC with microseconds and `Z`, whoever tells them: SQL in lists, Python in what is followed."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import orjson
from graphql import (
    FieldNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    parse,
)

from tests.fixtures.listening import heard, socket, stream
from tests.fixtures.root_fields import OF_ONE, SUBSCRIPTIONS
from tests.fixtures.tenants import Tenants
from tests.fixtures.whole_documents import root_fields, schema, selections
from tests.integration.test_isolation_following import happen

MANY = 20
"""DateTime fields that have a value somewhere below a subscription; there are many more."""
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def times(document: str, data: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Give each DateTime field of an answer, as `Type.field`, with what is told."""
    [operation] = parse(document).definitions
    assert isinstance(operation, OperationDefinitionNode)
    root = schema().subscription_type if operation.operation.value == "subscription" else schema().query_type
    return list(_times(root, operation.selection_set, data))


def _times(of: Any, asked: SelectionSetNode, told: Any) -> Iterator[tuple[str, str | None]]:
    for each in told if isinstance(told, list) else [told]:
        for selection in asked.selections if each is not None else ():
            if isinstance(selection, InlineFragmentNode):
                assert selection.type_condition is not None
                yield from _times(schema().type_map[selection.type_condition.name.value], selection.selection_set, each)
                continue
            assert isinstance(selection, FieldNode)
            name = selection.name.value
            key = selection.alias.value if selection.alias else name
            if name == "__typename" or key not in each:
                continue
            assert isinstance(of, (GraphQLObjectType, GraphQLInterfaceType))
            target = get_named_type(of.fields[name].type)
            if target.name == "DateTime":
                yield f"{of.name}.{name}", each[key]
            elif selection.selection_set is not None:
                yield from _times(target, selection.selection_set, each[key])


async def test_every_time_that_reaches_a_subscription_has_the_form_of_lists(tenants: Tenants) -> None:
    """Off: `scalar_map` in graph/schema.py: what Python tells ends in `+00:00`."""
    of, seen = tenants.connections[0], dict[str, str | None]()
    async with AsyncExitStack() as stack:
        sockets = []
        for name in SUBSCRIPTIONS:
            named = f'(connectionId: "{of.connection}")' if name in OF_ONE else ""
            for told in selections(root_fields("Subscription")[name]):
                document = f"subscription {{ {name}{named} {told} }}"
                sockets.append((document, await stack.enter_async_context(socket(tenants.door, of.token, document))))
        await happen(tenants, of)
        await tenants.queue.wake_followers(of.scope)
        for document, followed in sockets:
            message = await heard(followed)
            assert message["type"] == "next", message
            seen |= {field: at for field, at in times(document, message["payload"]["data"]) if at is not None}

    assert [(field, at) for field, at in seen.items() if not TIME.fullmatch(at or "")] == []
    assert {"ConnectionStatusChange.changedAt", "Event.createdAt", "SyncRun.createdAt"} <= set(seen)
    assert len(seen) > MANY


async def test_a_time_of_an_event_is_the_same_over_server_sent_events_and_in_the_list(tenants: Tenants) -> None:
    of = tenants.connections[0]
    await happen(tenants, of)
    followed = 'subscription { events(afterSequence: "%s") { sequence createdAt } }'
    listed = f"""{{ changes(connectionId: "{of.connection}", afterSequence: "0", first: 1) {{
      nodes {{ sequence createdAt }} }} apiVersions {{ releasedAt }} }}"""

    data = await tenants.door.gql(listed, key=of.token)
    [first] = data["changes"]["nodes"]
    document = followed % (int(first["sequence"]) - 1)
    async with stream(tenants.door, of.token, document) as content:
        while not (line := (await asyncio.wait_for(content.readline(), 10)).decode()).startswith("data: {"):
            pass

    assert orjson.loads(line.removeprefix("data: "))["data"]["events"] == first
    assert [at for _, at in times(listed, data) if not TIME.fullmatch(at or "")] == []
