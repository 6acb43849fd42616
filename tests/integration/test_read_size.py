"""How much one document may read, whatever its fragments make of it."""

import re

import pytest

from tests.factories.purchasing import make_purchase_order
from tests.fixtures.reading import Shelf, watched


def bomb(levels: int) -> str:
    """Give a document whose fragments each spread the next one twice: 2^levels times the last."""
    spread = "{} : vendor {{ purchaseOrders(first: 1) {{ nodes {{ ...f{} }} }} }}"
    fragments = [
        f"fragment f{n} on PurchaseOrder {{ {spread.format('a', n + 1)} {spread.format('b', n + 1)} }}"
        for n in range(levels)
    ]
    last = f"fragment f{levels} on PurchaseOrder {{ id }}"
    return f"{{ purchaseOrders(first: 1) {{ nodes {{ ...f0 }} }} }} {' '.join(fragments)} {last}"


@pytest.mark.parametrize("levels", [10, 45])
async def test_fragments_that_multiply_are_refused_at_once_and_before_any_statement(shelf: Shelf, levels: int) -> None:
    """Each fragment is counted once: 2^45 fields counted one by one would outlast the test's time."""
    with watched() as seen:
        refusal = await shelf.refusal(bomb(levels))

    assert refusal[0] == "QUERY_TOO_COMPLEX"
    assert re.fullmatch(r"The request has [0-9,]+ fields; a request may have 2,000\.", refusal[1])
    assert seen.data == []


async def test_lists_side_by_side_count_together(shelf: Shelf) -> None:
    """Each reads 603 fields: three lists may, four may not."""
    wide = " ".join(f"n{n}: notes" for n in range(600))
    fragment = f"fragment wide on PurchaseOrderConnection {{ nodes {{ {wide} }} }}"
    lists = [f"l{n}: purchaseOrders(first: 1) {{ ...wide }}" for n in range(4)]

    told = await shelf.gql(f"{{ {' '.join(lists[:3])} }} {fragment}")

    assert told == {f"l{n}": {"nodes": []} for n in range(3)}
    assert await shelf.refusal(f"{{ {' '.join(lists)} }} {fragment}") == (
        "QUERY_TOO_COMPLEX",
        "The request has 2,408 fields; a request may have 2,000.",
    )


async def test_each_operation_counts_anew(shelf: Shelf) -> None:
    async with shelf.database.write(shelf.own) as session:
        await make_purchase_order(session, scope=shelf.own, notes="n")
    wide = f"{{ purchaseOrders {{ nodes {{ {' '.join(f'n{n}: notes' for n in range(600))} }} }} }}"

    for _ in range(4):
        assert len((await shelf.gql(wide))["purchaseOrders"]["nodes"][0]) == 600


async def test_introspection_is_not_counted(shelf: Shelf) -> None:
    told = await shelf.gql("{ __schema { types { name fields { name type { name ofType { name } } } } } }")

    assert len(told["__schema"]["types"]) > 50
