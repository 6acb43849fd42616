"""What a document may look like, told before it is validated; and which documents are kept."""

from typing import Any

import pytest

from db.types import ErrorCode
from graph.errors import ApiError
from graph.limits.documents import (
    MAX_DIRECTIVES,
    MAX_FIELDS,
    MAX_FRAGMENTS,
    MAX_LISTED,
    MAX_OPERATIONS,
    MAX_ROOT_FIELDS,
    DocumentRefused,
    Documents,
    Prepared,
)
from graph.limits.language import MAX_DEPTH, MAX_TOKENS
from graph.schema import make_schema

SCHEMA = make_schema()._schema


def many(count: int, each: str) -> str:
    return " ".join(each.replace("%", str(n)) for n in range(count))


def deep(orders: int) -> str:
    """Give a document of three levels for each order, and one."""
    return "{ purchaseOrders { nodes { vendor " * orders + "{ id }" + " } } }" * orders


DOCUMENTS: dict[str, tuple[str, int, Any]] = {
    "fragments": ("{ viewer { kind %} }", MAX_FRAGMENTS, lambda n: many(n, "fragment f% on Viewer { kind }")),
    "operations": ("%", MAX_OPERATIONS, lambda n: many(n, "query q% { viewer { kind } }")),
    "directives": ("{ viewer { % } }", MAX_DIRECTIVES, lambda n: many(n, "a%: kind @skip(if: true)")),
    "fields at the top": ("{ % }", MAX_ROOT_FIELDS, lambda n: many(n, "a%: __typename")),
    "fields": ("{ viewer { % } }", MAX_FIELDS - 1, lambda n: "...f " * n),
    "values in a list": ("{ nodes(ids: [%]) { id } }", MAX_LISTED, lambda n: many(n, "%")),
}


def refusal(text: str) -> ApiError:
    with pytest.raises(DocumentRefused) as refused:
        Documents(SCHEMA).made(text)
    (error,) = refused.value.errors
    assert isinstance(error, ApiError), error
    assert error.code is ErrorCode.QUERY_TOO_COMPLEX
    return error


def counted(text: str) -> tuple[Any, Any, Any]:
    told = refusal(text).extensions or {}
    return told["what"], told.get("counted"), told["limit"]


@pytest.mark.parametrize("what", ["operations", "directives", "fields at the top", "values in a list"])
def test_so_many_may_stand_in_a_document_and_not_one_more(what: str) -> None:
    form, limit, made = DOCUMENTS[what]

    Documents(SCHEMA).made(form.replace("%", made(limit)))

    assert counted(form.replace("%", made(limit + 1))) == (what, limit + 1, limit)


def test_fifty_fragments_may_stand_in_a_document_and_not_one_more() -> None:
    def made(count: int) -> str:
        return f"{{ viewer {{ {many(count, '...f%')} }} }} {many(count, 'fragment f% on Viewer { kind }')}"

    Documents(SCHEMA).made(made(MAX_FRAGMENTS))

    assert counted(made(MAX_FRAGMENTS + 1)) == ("fragments", MAX_FRAGMENTS + 1, MAX_FRAGMENTS)


def test_a_field_counts_each_time_that_its_fragment_is_spread() -> None:
    def made(spreads: int) -> str:
        wide = many(99, "a%: kind")
        inner = "a: viewer { ...f }".replace("a:", "x%:")
        return f"{{ {many(spreads, inner)} }} fragment f on Viewer {{ {wide} }}"

    Documents(SCHEMA).made(made(MAX_FIELDS // 100))

    assert counted(made(MAX_FIELDS // 100 + 1)) == ("fields", MAX_FIELDS + 100, MAX_FIELDS)


def test_a_document_has_so_many_tokens_at_most() -> None:
    assert refusal("{ " + "kind " * MAX_TOKENS + "}").message == (
        "The request has more than 2000 tokens; a request may have 2,000."
    )


def test_a_document_has_so_many_levels_at_most() -> None:
    Documents(SCHEMA).made(deep(MAX_DEPTH // 3))

    assert counted(deep(MAX_DEPTH // 3 + 1)) == ("levels", 43, MAX_DEPTH)
    assert counted("{ viewer " * 190 + "{ kind }" + " }" * 190) == ("levels", 191, MAX_DEPTH)
    assert counted("{a" * 600 + "}" * 600)[0] == "levels"


@pytest.mark.parametrize("levels", [10, 20, 40, 49])
def test_fragments_that_multiply_are_refused_in_no_time(levels: int) -> None:
    """2^49 fields: whoever writes them out one by one does not come back."""
    fragments = [
        f"fragment f{n} on Viewer {{ a{n}: organization {{ id }} ...f{n + 1} ...f{n + 1} }}" for n in range(levels)
    ]
    text = f"{{ viewer {{ ...f0 }} }} {' '.join(fragments)} fragment f{levels} on Viewer {{ kind }}"

    what, found, _ = counted(text)

    assert (what, found) == ("fields", min(1 + 2 * (2**levels - 1) + 2**levels, 10**15))


def test_fragments_that_go_in_circles_are_told_by_their_names() -> None:
    text = "{ viewer { ...a } } fragment a on Viewer { ...b } fragment b on Viewer { ...a }"

    with pytest.raises(DocumentRefused) as refused:
        Documents(SCHEMA).made(text)

    assert [error.message for error in refused.value.errors] == ["Cannot spread fragment 'a' within itself via 'b'."]


REPEATED = {
    "objects": "{ purchaseOrders { nodes { " + "vendor { id } " * 390 + "} } }",
    "levels": "{ purchaseOrders { nodes { " + "vendor { purchaseOrders { nodes { id } } } " * 190 + "} } }",
    "fragments": "{ purchaseOrders { nodes { "
    + many(50, "...f%")
    + " } } } "
    + many(50, "fragment f% on PurchaseOrder { vendor { id } vendor { id } vendor { id } vendor { id } }"),
}


@pytest.mark.parametrize("name", REPEATED)
def test_fields_that_are_repeated_do_not_hold_the_process(name: str) -> None:
    """graphql-core compares each with each; its own budget let 5 kB of them take a second."""
    assert counted(REPEATED[name])[0] == "repeated fields"


def prepared(documents: Documents, text: str) -> Prepared:
    return documents.kept(text) or documents.keep(text, documents.made(text))


def test_a_document_in_use_is_kept_and_the_one_longest_unused_is_dropped() -> None:
    texts = [f"{{ viewer {{ a{n}: kind }} }}" for n in range(3)]
    documents = Documents(SCHEMA, kept_characters=2 * len(texts[0]))
    first, second = prepared(documents, texts[0]), prepared(documents, texts[1])

    assert prepared(documents, texts[0]) is first
    prepared(documents, texts[2])

    assert prepared(documents, texts[0]) is first
    assert prepared(documents, texts[1]) is not second


def test_a_document_that_is_longer_than_the_room_for_all_is_not_kept() -> None:
    documents = Documents(SCHEMA, kept_characters=30)
    short, long = "{ viewer { kind } }", "{ viewer { kind scope tokenId } }"
    kept = prepared(documents, short)

    assert prepared(documents, long) is not prepared(documents, long)
    assert prepared(documents, short) is kept


def test_no_more_errors_are_told_than_a_person_reads() -> None:
    with pytest.raises(DocumentRefused) as refused:
        Documents(SCHEMA).made("{ viewer { " + many(500, "u%") + " } }")

    assert len(refused.value.errors) == 21
    assert "Too many validation errors" in refused.value.errors[-1].message
