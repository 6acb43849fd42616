"""Nobody changes what is others': every mutation, asked by everyone with the ids of others, with both locks and one.

A mutation that must not take effect is followed by a look at every row of every table.
"""

from typing import Any

import pytest

from tests.fixtures.root_changes import MUTATIONS, NAMELESS, ORGANIZATION_ONLY, Attempt
from tests.fixtures.tenants import Tenant, Tenants
from tests.fixtures.whole_documents import root_fields

NAMING = sorted(name for name in MUTATIONS if name not in NAMELESS)


async def attempt(tenants: Tenants, asker: Tenant, name: str, given: dict[str, Any]) -> tuple[Any, set[str]]:
    """Ask for a change; gives the answer and the codes of what was refused."""
    of = root_fields("Mutation")[name].args["input"].type
    document = f"mutation ($input: {of}) {{ {name}(input: $input) {{ userErrors {{ code path message }} }} }}"
    _, answer = await tenants.door.post(document, key=asker.token, input=given)
    errors = [error["extensions"]["code"] for error in answer.get("errors", ())]
    payload = (answer.get("data") or {}).get(name) or {}
    return answer, {*errors, *(each["code"] for each in payload.get("userErrors", ()))}


def attempts(name: str, asker: Tenant, own: Tenant, other: Tenant) -> list[Attempt]:
    """Give what is asked for of others, and how it must be refused."""
    found: list[Attempt] = MUTATIONS[name](own, other)
    if name in ORGANIZATION_ONLY and not asker.is_key:
        return [Attempt(each.given, "FORBIDDEN") for each in found]
    return found


def own_connection(tenants: Tenants, asker: Tenant) -> Tenant:
    return asker if not asker.is_key else next(each for each in tenants.connections if each.own <= asker.own)


def test_every_mutation_has_a_case() -> None:
    told = (
        "add a line to MUTATIONS in tests/fixtures/root_changes.py, and one to ORGANIZATION_ONLY where it needs a key"
    )
    assert sorted(root_fields("Mutation")) == sorted(MUTATIONS), told


@pytest.mark.usefixtures("locks")
@pytest.mark.parametrize("name", NAMING)
async def test_what_is_others_cannot_be_changed(tenants: Tenants, name: str) -> None:
    before = await tenants.rows()

    for asker in tenants.all:
        for other in tenants.some_strangers(asker):
            for each in attempts(name, asker, own_connection(tenants, asker), other):
                answer, codes = await attempt(tenants, asker, name, each.given)
                assert each.code in codes, (asker.name, each.given, answer)
                assert tenants.foreign(asker, answer) == [], (asker.name, each.given)

    after = await tenants.rows()
    assert {table: rows for table, rows in after.items() if rows != before[table]} == {}


async def test_whose_it_is_finds_it(tenants: Tenants) -> None:
    """Shows that the inputs above name what there is: to the holder of the organization's key none of it is missing."""
    key, spare = tenants.keys[-1], tenants.spare
    last = ["deleteWebhookEndpoint", "disconnect", "deleteConnectionData"]

    for name in [*(each for each in NAMING if each not in last), *last]:
        for each in MUTATIONS[name](spare, spare):
            answer, codes = await attempt(tenants, key, name, each.given)
            assert not codes & {"NOT_FOUND", "FORBIDDEN"}, (name, answer)
