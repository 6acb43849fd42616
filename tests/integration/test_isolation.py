"""Nobody sees rows of others: every root field, asked by twenty connections and three organizations for each other's.

All of it is asked twice: as the product is, and with our own filters taken out of every statement, so that row-level
security alone is left.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLNonNull

from tests.fixtures.policies_alone import Changed, policies_alone
from tests.fixtures.root_fields import QUERIES, Listed, Naming
from tests.fixtures.tenant_rows import BEFORE
from tests.fixtures.tenants import Tenant, Tenants
from tests.fixtures.whole_documents import brief, listed, root_fields, selections

KEYS_ONLY = {name for name, case in QUERIES.items() if isinstance(case, Listed) and case.keys_only}
LISTS = sorted(name for name, case in QUERIES.items() if isinstance(case, Listed))
NAMED = sorted(name for name, case in QUERIES.items() if isinstance(case, Naming))
AT_ONCE = 40
"""Fields at the top of one document; a request may have 50."""
TOLD_ELSEWHERE = {"node", "nodes", *(name for name in QUERIES if name.endswith("Summary"))}
"""Tell whole objects that other fields are asked for all there is of."""
EVERY = 3
"""Of three askers, one asks for each part of all that can be told."""
OTHERS = 5
"""How many others' cursors each of them uses: each cursor is used by as many."""


async def ask(tenants: Tenants, asker: Tenant, document: str, **variables: Any) -> Any:
    """Send a document, and see that its answer holds nothing of others; gives the answer."""
    _, answer = await tenants.door.post(document, key=asker.token, **variables)
    codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
    assert codes <= {"NOT_FOUND", "FORBIDDEN"}, (asker.name, document[:200], answer["errors"][:2])
    assert tenants.foreign(asker, answer) == [], (asker.name, document[:200])
    return answer


def asks(name: str, arguments: list[str], told: str) -> str:
    """Write a document that asks one field with each of several arguments."""
    return "{ " + " ".join(f"a{n}: {name}({each}) {told}" for n, each in enumerate(arguments)) + " }"


def in_parts(arguments: list[str], size: int = AT_ONCE) -> Iterator[list[str]]:
    for at in range(0, len(arguments), size):
        yield arguments[at : at + size]


def test_every_query_has_a_case() -> None:
    assert sorted(root_fields("Query")) == sorted(QUERIES), "add a line to QUERIES in tests/fixtures/root_fields.py"


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_tells_rows_of_its_asker_only(tenants: Tenants, locks: Changed | None, name: str) -> None:
    field, case = root_fields("Query")[name], QUERIES[name]
    assert isinstance(case, Listed)

    for turn, asker in enumerate(tenants.all):
        # Everyone asks for what is at the top, and each for a part of all there is inside.
        told = [brief(field), *selections(field)[turn % EVERY :: EVERY]]
        answers = [await ask(tenants, asker, f"{{ {name}(first: 3) {each} }}") for each in told]
        assert bool(tenants.seen(answers)) == (asker.is_key or not case.keys_only), asker.name
        if "asOf" in field.args:
            answer = await ask(tenants, asker, f'{{ {name}(first: 3, asOf: "{BEFORE}") {brief(field)} }}')
            assert tenants.seen(answer), asker.name
    assert locks is None or locks.statements


@pytest.mark.parametrize("name", [each for each in LISTS if each not in KEYS_ONLY])
async def test_with_neither_lock_a_list_tells_rows_of_others(
    tenants: Tenants, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Shows that either lock is what holds above: taken out both, the same question finds the rows of others."""
    asker = tenants.connections[0]
    async with tenants.without_policies():
        with policies_alone(monkeypatch):
            _, answer = await tenants.door.post(
                f"{{ {name}(first: 250) {brief(root_fields('Query')[name])} }}", key=asker.token
            )

    assert len(tenants.foreign(asker, answer)) >= 20


@pytest.mark.usefixtures("locks")
@pytest.mark.parametrize("name", LISTS)
async def test_a_cursor_of_others_tells_nothing_of_them(tenants: Tenants, name: str) -> None:
    field = root_fields("Query")[name]
    told = brief(field)
    page = "nodes { __typename } pageInfo { endCursor }"
    cursors = {}
    for each in tenants.all:
        answer = await ask(tenants, each, f"{{ {name}(first: 1) {{ {page} }} }}")
        cursors[each.name] = ((answer["data"] or {}).get(name) or {"pageInfo": {"endCursor": None}})["pageInfo"][
            "endCursor"
        ]

    crossed = 0
    for asker in tenants.all:
        others = [cursor for each in tenants.turn(asker, OTHERS) if (cursor := cursors[each.name])]
        arguments = [f'first: 3, after: "{cursor}"' for cursor in others]
        if "before" in field.args:
            arguments += [f'last: 3, before: "{cursor}"' for cursor in others]
        if arguments:
            await ask(tenants, asker, asks(name, arguments, told))
        crossed += len(arguments)
    assert crossed >= 2 * 3 * 2


@pytest.mark.usefixtures("locks")
@pytest.mark.parametrize("name", [each for each in LISTS if "filter" in root_fields("Query")[each].args])
async def test_a_filter_that_names_rows_of_others_finds_none(tenants: Tenants, name: str) -> None:
    field = root_fields("Query")[name]
    ids = {each.name: each.ids.get(listed(field), []) for each in [*tenants.all, tenants.spare]}
    every = [key for known in ids.values() for key in known]
    document = f"query ($ids: [ID!]) {{ {name}(filter: {{ id: {{ in: $ids }} }}) {brief(field)} }}"

    for asker in tenants.all:
        if asker.is_key or name not in KEYS_ONLY:
            for at in range(0, len(every), 100):
                await ask(tenants, asker, document, ids=every[at : at + 100])


@pytest.mark.usefixtures("locks")
@pytest.mark.parametrize("name", [each for each in LISTS if "connectionId" in root_fields("Query")[each].args])
async def test_a_list_of_a_foreign_connection_is_not_found(tenants: Tenants, name: str) -> None:
    told = brief(root_fields("Query")[name])

    for asker in tenants.all:
        for other in tenants.some_strangers(asker):
            answer = await ask(tenants, asker, f'{{ {name}(connectionId: "{other.connection}", first: 3) {told} }}')
            assert not tenants.seen(answer)


@pytest.mark.usefixtures("locks")
@pytest.mark.parametrize("name", NAMED)
async def test_what_is_others_cannot_be_asked_by_its_id(tenants: Tenants, name: str) -> None:
    field, case = root_fields("Query")[name], QUERIES[name]
    assert isinstance(case, Naming)

    for turn, asker in enumerate(tenants.all):
        own = asker if not asker.is_key else next(each for each in tenants.connections if each.own <= asker.own)
        arguments = case.arguments(own)
        for told in selections(field) if turn % EVERY == 0 and name not in TOLD_ELSEWHERE else ():
            await ask(tenants, asker, asks(name, arguments[:1], told))
        answer = await ask(tenants, asker, asks(name, arguments[:AT_ONCE], brief(field)))
        assert bool(tenants.seen(answer)) == (asker.is_key or not case.keys_only), asker.name
        if "asOf" in field.args:
            past = [
                f'{each}, asOf: "{BEFORE}"'
                for of in tenants.all
                for each in ([] if of.is_key else case.arguments(of)[:1])
            ]
            assert tenants.seen(await ask(tenants, asker, asks(name, past, brief(field))))
        # `nodes` is asked for things of all others, as the filters above are; each other field for those of a third.
        others = tenants.strangers(asker) if name == "nodes" else tenants.strangers(asker)[turn % 3 :: 3]
        strangers = [case.arguments(other) for other in others]
        # Of a field that cannot be null, one refusal would hide what else is asked.
        size = 1 if isinstance(field.type, GraphQLNonNull) and name != "nodes" else AT_ONCE
        for part in in_parts([each[turn % len(each)] for each in strangers], size):
            answer = await ask(tenants, asker, asks(name, part, brief(field)))
            assert not tenants.seen(answer), asker.name
