"""JSON text put together in SQL: as few pieces as can be, each key with its null."""

from db.pieces import Known, Told, joined, known, listed, quoted, told_object


def test_known_texts_beside_each_other_are_one() -> None:
    assert joined([Known("a"), Known("b'"), "x", Known(""), Known("c")]) == "'ab''' || x || 'c'"


def test_many_pieces_are_joined_in_halves() -> None:
    assert joined(list("abcdefgh")) == "((a || b) || (c || d)) || ((e || f) || (g || h))"


def test_a_null_brings_its_key_with_it_and_what_is_known_before() -> None:
    told = told_object([("a", quoted("x")), ("b", quoted("y", "null")), ("c", known("1"))])

    assert told.sql == """('{"a":"' || x) || (coalesce('","b":"' || y || '"', '","b":null') || ',"c":1}')"""


def test_an_object_within_an_object_is_joined_with_it() -> None:
    inner = told_object([("b", quoted("x")), ("c", listed("y"))])

    assert told_object([("a", inner)]).sql == """('{"a":{"b":"' || x) || ('","c":[' || coalesce(y, '') || ']}}')"""


def test_an_object_of_nothing_is_empty() -> None:
    assert told_object([]).sql == "'{}'"


def test_quotes_in_a_key_stay_in_it() -> None:
    assert told_object([('it\'s "x"', Told(("x",)))]).sql == r"""'{"it''s \"x\"":' || x || '}'"""
