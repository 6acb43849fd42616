"""Requests that schemathesis makes from the schema: whatever they say, nothing fails on our side."""

from dataclasses import replace
from functools import cache
from random import Random
from typing import Any, Final

import pytest
import schemathesis
from graphql import REMOVE, IntValueNode, StringValueNode, Visitor, parse, print_ast, visit
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes

from db.models.organization import TokenScope
from db.types import PREFIXES, encode_id
from graph.schema import sdl
from tests.factories.connections import make_token
from tests.factories.sync import make_event_counter
from tests.fixtures.mixed import fill
from tests.fixtures.oracle import loaded
from tests.fixtures.reading import Shelf

SCALARS: Final[dict[str, st.SearchStrategy[str]]] = {
    "DateTime": st.sampled_from(
        [
            "2026-01-01T00:00:00Z",
            "2026-06-01T12:00:00+02:00",
            "2026-01-01",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59.999999-14:00",
            "x",
        ]
    ),
    "Date": st.sampled_from(["2026-02-28", "2026-02-29", "0001-01-01", "9999-12-31", "infinity", ""]),
    "Decimal": st.sampled_from(["1.50", "-0", "1E+400", "1E-400", "NaN", "Infinity", "0x1", " 1", "1" * 301]),
    "JSON": st.text(max_size=5),
}
KEYS: Final = 12
"""Organization keys that requests take in turn, so that none runs out of points."""


@cache
def cases(count: int) -> list[str]:
    """Give documents, each with one field of the queries or of the mutations; the same ones every time."""
    for name, values in SCALARS.items():
        schemathesis.graphql.scalar(name, values.map(nodes.String))
    found: Any = schemathesis.graphql.from_file(sdl()).get_all_operations()
    operations = [each.ok().as_strategy() for each in found]
    made: list[str] = []

    @seed(count)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(operations))
    def take(case: Any) -> None:
        made.append(str(case.body))

    take()
    return made


class _Real(Visitor):
    """Puts what there is in the place of most ids and pages made up, so that requests get past the door."""

    def __init__(self, ids: dict[str, list[str]], random: Random) -> None:
        super().__init__()
        self._ids = ids
        self._random = random

    def enter_argument(self, node: Any, _key: Any, _parent: Any, _path: Any, ancestors: list[Any]) -> Any:
        if node.name.value in {"last", "after", "before"} and self._random.random() < 0.8:
            return REMOVE
        if node.name.value == "first" and self._random.random() < 0.8:
            return replace(node, value=IntValueNode(value=str(self._random.randint(0, 5))))
        of = next((each.name.value for each in reversed(ancestors) if getattr(each, "kind", "") == "field"), "")
        return self._replaced(node, f"{of[0].upper()}{of[1:]}")

    def enter_object_field(self, node: Any, *_: Any) -> Any:
        return self._replaced(node, "")

    def _replaced(self, node: Any, of: str) -> Any:
        name, value = node.name.value, node.value
        if not name.lower().endswith("id") or not isinstance(value, (StringValueNode, IntValueNode)):
            return None
        if self._random.random() < 0.2:
            return None
        kind = "ConnectedSystem" if name == "connectionId" else of if of in self._ids else ""
        return replace(node, value=StringValueNode(value=self._random.choice(self._ids[kind])))


def with_real_ids(document: str, ids: dict[str, list[str]], random: Random) -> str:
    """Give a document that names what there is."""
    return print_ast(visit(parse(document), _Real(ids, random)))


async def known_ids(shelf: Shelf) -> dict[str, list[str]]:
    """Give the ids of what there is, by type, but not those of keys: some documents revoke what they name."""
    rows = await loaded(shelf.database, shelf.own)
    kinds = sorted((rows.keys() & PREFIXES.keys()) - {"ApiKey"})
    ids = {name: [encode_id(name, row.id) for row in rows[name]] for name in kinds if rows[name]}
    return {**ids, "": [each for name in ids for each in ids[name]]}


@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("count", [300, pytest.param(5_000, marks=pytest.mark.slow)])
async def test_whatever_is_asked_nothing_fails_on_our_side(shelf: Shelf, count: int) -> None:
    """No 5xx, and no code that says so; a good part of the requests gets data.

    To see it fail, take `utc` out of `graph.values.of_filter`.
    """
    documents = cases(count)  # takes seconds; before any request, whose connection would lapse meanwhile
    for own in await fill(shelf):
        async with shelf.database.write(own) as session:
            await make_event_counter(session, scope=own, last_sequence=0)
    ids = await known_ids(shelf)
    async with shelf.database.write(shelf.product.scope) as session:
        keys = [await make_token(session, scope=shelf.product.scope, may=TokenScope.ADMIN) for _ in range(KEYS)]
    failed, answered = [], 0

    for number, document in enumerate(documents):
        asked = with_real_ids(document, ids, Random(number))
        status, body = await shelf.product.post(asked, key=keys[number % KEYS])
        codes = {error["extensions"]["code"] for error in body.get("errors", ())}
        answered += not codes
        if status >= 500 or codes & {"INTERNAL", "UNAVAILABLE"}:
            failed.append((asked, status, body))

    assert failed == []
    assert answered > count / 4
