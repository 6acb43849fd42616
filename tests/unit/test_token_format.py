"""The text of a bearer token: prefix, 32 random bytes, CRC-32."""

import hashlib
import re
import zlib
from datetime import UTC, datetime
from uuid import UUID

import pytest

from db.models.organization import TokenKind, TokenScope
from db.scope import Scope
from db.tokens import hash_of, issue, make_token, well_formed

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("kind", "prefix"), [(TokenKind.ORGANIZATION, "chd_org_"), (TokenKind.CONNECTION, "chd_conn_")]
)
def test_a_token_is_its_prefix_43_random_characters_and_6_of_check(kind: TokenKind, prefix: str) -> None:
    token = make_token(kind)

    assert re.fullmatch(rf"{prefix}[0-9A-Za-z]{{49}}", token)
    assert well_formed(token)


def test_the_check_is_the_crc_32_of_all_before_it() -> None:
    token = make_token(TokenKind.CONNECTION)
    check = 0
    for character in token[-6:]:
        check = check * 62 + DIGITS.index(character)

    assert check == zlib.crc32(token[:-6].encode())


def test_a_thousand_tokens_are_all_different() -> None:
    made = {make_token(TokenKind.ORGANIZATION) for _ in range(1000)}

    assert len(made) == 1000
    assert all(well_formed(token) for token in made)


def test_each_single_typing_error_is_refused() -> None:
    token = make_token(TokenKind.CONNECTION)
    wrong = [
        token[:n] + other + token[n + 1 :] for n in range(len(token)) for other in ("0", "z", "_") if token[n] != other
    ]

    assert [each for each in wrong if well_formed(each)] == []


def test_each_swap_of_two_neighbours_is_refused() -> None:
    token = make_token(TokenKind.ORGANIZATION)
    swapped = {token[:n] + token[n + 1] + token[n] + token[n + 2 :] for n in range(len(token) - 1)} - {token}

    assert [each for each in swapped if well_formed(each)] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "chd_org_",
        "chd_conn_",
        "chd_org_000000",
        "Bearer x",
        "chd_usr_" + "0" * 49,
        "chd_org_" + "\u00e9" * 49,
        "\u0000",
    ],
)
def test_a_text_that_never_was_a_token_is_refused(text: str) -> None:
    assert not well_formed(text)


def test_a_shortened_or_lengthened_token_is_refused() -> None:
    token = make_token(TokenKind.CONNECTION)
    others = [token[:-1], token[1:], token + "0", token + token[-1], " " + token, token + "\n"]

    assert [each for each in others if well_formed(each)] == []


def test_a_short_text_with_a_right_check_is_no_token() -> None:
    """A check over any head would let texts through that were never 256 bits."""
    head = "chd_org_short"
    number, digits = zlib.crc32(head.encode()), ""
    for _ in range(6):
        number, rest = divmod(number, 62)
        digits = DIGITS[rest] + digits

    assert not well_formed(head + digits)


def test_only_the_hash_and_the_last_four_characters_are_kept() -> None:
    scope = Scope(UUID(int=1), UUID(int=2))
    at = datetime(2026, 3, 1, tzinfo=UTC)

    token, row = issue(TokenKind.CONNECTION, scope=scope, may=TokenScope.WRITE, name="Backend", now=at)

    assert row.token_hash == hashlib.sha256(token.encode()).digest() == hash_of(token)
    assert row.last_four == token[-4:]
    assert (row.organization_id, row.connection_id) == (UUID(int=1), UUID(int=2))
    assert (row.kind, row.scope, row.name, row.created_at) == (TokenKind.CONNECTION, TokenScope.WRITE, "Backend", at)
    assert token not in str(row.model_dump())
