"""Public ids: a prefix for the type, 32 hex digits for the row."""

from uuid import UUID

import pytest

from db.types import PREFIXES, InvalidId, decode_id, encode_id, new_id

ROW = UUID("0193b5a2-7c00-7abc-8def-0123456789ab")
HEX = "0193b5a27c007abc8def0123456789ab"


@pytest.mark.parametrize(("type_name", "prefix"), PREFIXES.items())
def test_an_id_of_each_type_comes_back_as_it_went(type_name: str, prefix: str) -> None:
    told = encode_id(type_name, ROW)

    assert told == f"{prefix}_{HEX}"
    assert decode_id(told) == (type_name, ROW)
    assert decode_id(told, type_name=type_name) == (type_name, ROW)


def test_no_two_types_share_a_prefix() -> None:
    assert len(set(PREFIXES.values())) == len(PREFIXES)


def test_an_id_of_another_type_is_refused_with_the_prefix_that_was_wanted() -> None:
    with pytest.raises(InvalidId) as refused:
        decode_id(f"po_{HEX}", type_name="Vendor")

    assert str(refused.value) == f"'po_{HEX}' is the id of a PurchaseOrder; a Vendor id begins with vend_."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "po_",
        HEX,
        f"po_{HEX[:-1]}",
        f"po_{HEX}0",
        f"po-{HEX}",
        f"PO_{HEX}",
        f"po_{HEX.upper()}",
        f"po_{ROW}",
        f" po_{HEX}",
        f"po_{HEX}\n",
        f"zzz_{HEX}",
        f"po_{HEX[:-1]}g",
        f"po_{HEX[:-1]}\u0661",
    ],
)
def test_a_text_that_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidId) as refused:
        decode_id(text)

    assert str(refused.value) == f"{text!r} is not an id of this API."


def test_a_long_text_is_told_back_in_part_only() -> None:
    with pytest.raises(InvalidId) as refused:
        decode_id("x" * 5000)

    assert str(refused.value) == f"'{'x' * 80}' is not an id of this API."


def test_new_ids_sort_by_the_time_they_were_made() -> None:
    made = [new_id() for _ in range(500)]

    assert made == sorted(made)
    assert len(set(made)) == 500
    assert {each.version for each in made} == {7}
