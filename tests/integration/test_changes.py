"""The sequence of changes of a connection: whoever applies it has a copy, and knows when it cannot have one."""

import asyncio
from typing import Any

from sqlalchemy import text

from db import events
from db.changes import WINDOW
from db.events import NewEvent
from db.types import encode_id
from tests.factories.sync import make_event_counter
from tests.fixtures.reading import Shelf, watched
from tests.fixtures.storing import Store, incoming, order

CHANGES = """
query ($connection: ID!, $after: String, $first: Int, $types: [String!]) {
  changes(connectionId: $connection, afterSequence: $after, first: $first, types: $types) {
    nextSequence lastSequence oldestSequence pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { id } }
    nodes { id sequence type createdAt entity recordId version data
            record { __typename id
                     ... on PurchaseOrder { version deletedAt notes lines { lineNumber quantity } } } } } }
"""


async def counted(shelf: Shelf) -> None:
    async with shelf.database.write(shelf.own) as session:
        await make_event_counter(session, scope=shelf.own, last_sequence=0)


async def a_store(shelf: Shelf) -> Store:
    await counted(shelf)
    return Store(shelf.database, shelf.own, None)  # nothing is looked at behind


async def say(shelf: Shelf, *types: str) -> None:
    async with shelf.database.write(shelf.own) as session:
        await events.append(session, shelf.own, [NewEvent(each, {}) for each in types])


async def changes(shelf: Shelf, **asked: Any) -> Any:
    return (await shelf.gql(CHANGES, connection=shelf.connection_id, **asked))["changes"]


async def test_applying_all_changes_in_turn_makes_a_copy_that_equals_the_store(shelf: Shelf) -> None:
    """Each page is one statement, records included; events of records changed again tell the newest state."""
    store = await a_store(shelf)
    copy: dict[str, Any] = {}
    after, seen_numbers = None, []
    for turn in range(6):
        for key in "abcde"[turn % 3 : 5]:
            await store.put(incoming(key, order(notes=f"{turn}{key}" if turn % 2 else key), at=store.now))
        if turn == 3:
            await store.delete("c", "d")
        while True:
            with watched() as seen:
                page = await changes(shelf, after=after, first=3)
            assert len(seen.data) == 1
            for node in page["nodes"]:
                seen_numbers.append(int(node["sequence"]))
                assert node["record"]["version"] >= node["version"]
                assert (node["data"]["id"], node["data"]["version"]) == (node["recordId"], node["version"])
                if node["record"]["deletedAt"] is None:
                    copy[node["recordId"]] = node["record"]
                else:
                    copy.pop(node["recordId"], None)
            after = page["nextSequence"]
            if not page["pageInfo"]["hasNextPage"]:
                break

    stored = await shelf.gql(
        "{ purchaseOrders { nodes { __typename id version deletedAt notes lines { lineNumber quantity } } } }"
    )
    assert copy == {node["id"]: node for node in stored["purchaseOrders"]["nodes"]}
    assert seen_numbers == list(range(1, int(page["lastSequence"]) + 1))


async def test_a_page_says_where_it_stands(shelf: Shelf) -> None:
    await counted(shelf)
    nothing = await changes(shelf)
    await say(shelf, "a", "b", "c")

    first = await changes(shelf, first=2)
    last = await changes(shelf, after="2")
    none = await changes(shelf, after="3")

    assert (nothing["nodes"], nothing["lastSequence"], nothing["oldestSequence"]) == ([], "0", "1")
    assert [(edge["cursor"], edge["node"]["id"]) for edge in first["edges"]] == [
        (node["sequence"], node["id"]) for node in first["nodes"]
    ]
    assert [node["sequence"] for page in (first, last, none) for node in page["nodes"]] == ["1", "2", "3"]
    assert [page["nextSequence"] for page in (nothing, first, last, none)] == ["0", "2", "3", "3"]
    assert {page["lastSequence"] for page in (first, last, none)} == {"3"}
    assert first["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": "1",
        "endCursor": "2",
    }
    assert [page["pageInfo"]["hasNextPage"] for page in (last, none)] == [False, False]
    assert (await changes(shelf, first=0, after="1"))["nextSequence"] == "1"


async def test_types_leave_others_out_and_the_reader_still_moves_on(shelf: Shelf) -> None:
    """A page looks at no more than its window, so that rare types cost no more than frequent ones."""
    await counted(shelf)
    await say(shelf, *["often"] * (WINDOW + 5), "rare", "often")

    first = await changes(shelf, types=["rare"])
    second = await changes(shelf, types=["rare"], after=first["nextSequence"])

    assert (first["nodes"], first["nextSequence"], first["pageInfo"]["hasNextPage"]) == ([], str(WINDOW), True)
    assert [node["type"] for node in second["nodes"]] == ["rare"]
    assert (second["nextSequence"], second["pageInfo"]["hasNextPage"]) == (str(WINDOW + 7), False)


async def test_what_retention_has_deleted_is_refused_with_the_oldest_number(shelf: Shelf) -> None:
    """To see it fail, leave `refused` out of `db.page`."""
    await counted(shelf)
    await say(shelf, *"abcde")
    async with shelf.database.write(shelf.own) as session:
        await session.execute(text("DELETE FROM event WHERE sequence <= 3"))

    status, body = await shelf.product.post(CHANGES, key=shelf.token, connection=shelf.connection_id, after="2")

    extensions = body["errors"][0]["extensions"]
    assert (status, extensions["code"], extensions["oldestSequence"]) == (200, "SEQUENCE_EXPIRED", "4")
    assert [node["sequence"] for node in (await changes(shelf, after="3"))["nodes"]] == ["4", "5"]
    assert [node["sequence"] for node in (await changes(shelf))["nodes"]] == ["4", "5"]
    async with shelf.database.write(shelf.own) as session:
        await session.execute(text("DELETE FROM event"))
    assert (await changes(shelf, after="5"))["oldestSequence"] == "6"


async def test_a_number_that_was_not_given_yet_is_refused(shelf: Shelf) -> None:
    """A store that was brought back from a backup: a reader that is ahead of it must not go on as if nothing was."""
    await counted(shelf)
    await say(shelf, "a")

    code, message = await shelf.refusal(CHANGES, connection=shelf.connection_id, after="2")

    assert (code, "has number 1" in message) == ("BAD_USER_INPUT", True)
    for wrong in ("-1", "x", "", "9" * 30, "\u0661"):
        assert (await shelf.refusal(CHANGES, connection=shelf.connection_id, after=wrong))[0] == "BAD_USER_INPUT"


async def test_readers_see_every_number_once_while_writers_commit(shelf: Shelf) -> None:
    """Forty transactions at once, a reader all the while: no number is told before the one in front of it.

    To see it fail, give numbers by a Postgres sequence in `db.events` (a number is then seen before a lower one).
    """
    await counted(shelf)
    done = asyncio.Event()
    told: list[int] = []

    async def write(number: int) -> None:
        await say(shelf, *[f"t{number}"] * (1 + number % 3))

    async def read() -> None:
        while True:
            over = done.is_set()
            page = await changes(shelf, after=str(told[-1] if told else 0), first=7)
            told.extend(int(node["sequence"]) for node in page["nodes"])
            if over and not page["nodes"]:
                return

    async def written() -> None:
        await asyncio.gather(*(write(number) for number in range(40)))
        done.set()

    await asyncio.gather(read(), written())

    assert told == list(range(1, 1 + sum(1 + number % 3 for number in range(40))))


async def test_a_connection_that_the_token_does_not_see_has_no_changes(shelf: Shelf) -> None:
    other, _ = await shelf.connect()
    stranger = await shelf.stranger()
    for scope in (other, stranger):
        assert scope.connection_id is not None
        hidden = encode_id("ConnectedSystem", scope.connection_id)
        assert (await shelf.refusal(CHANGES, connection=hidden))[0] == "NOT_FOUND"
