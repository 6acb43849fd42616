"""The scope that every session carries."""

from uuid import UUID

import pytest

from db.scope import Scope

ORGANIZATION, CONNECTION, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)


def test_a_scope_of_the_organization_narrows_to_any_connection() -> None:
    assert Scope(ORGANIZATION).narrowed(CONNECTION) == Scope(ORGANIZATION, CONNECTION)


def test_a_scope_of_one_connection_narrows_to_itself() -> None:
    assert Scope(ORGANIZATION, CONNECTION).narrowed(CONNECTION) == Scope(ORGANIZATION, CONNECTION)


def test_a_scope_of_one_connection_never_reaches_another() -> None:
    with pytest.raises(PermissionError):
        Scope(ORGANIZATION, CONNECTION).narrowed(OTHER)


def test_a_scope_is_told_to_the_session_as_two_settings() -> None:
    assert Scope(ORGANIZATION, CONNECTION).settings == {
        "crosshead.organization": "00000000-0000-0000-0000-000000000001",
        "crosshead.connection": "00000000-0000-0000-0000-000000000002",
    }
    assert Scope(ORGANIZATION).settings == {
        "crosshead.organization": "00000000-0000-0000-0000-000000000001",
        "crosshead.connection": "",
    }
